"""Whole turns against what else one might run: added time, lag, processor time and memory, side by side in one run.

The provider is paced like a real one: the first token after 300 ms, then 40 a second, 24 in all. Beside the product run

- raw_relay: the provider's stream passed on by asyncio alone, which is the floor;
- sdk_relay: the same with FastAPI and the provider's own client, which parses each chunk;
- litellm: LiteLLM's proxy;
- reference_turn: the product's own turn, built from every SDK's own calls.

1 stream asks again as soon as its answer ends. 100 and 1,000 streams arrive at a hundred per second. For memory, 1,000
streams arrive as fast and wait for their first token until all of them are open. `saturated` keeps 32 listeners asking
a provider that answers at once. Embeddings are the provider's. Ratios are medians of the rounds' own.
"""

import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop

from bench import raw_relay, sdk_relay
from bench.environments import NotInstalled
from bench.litellm_proxy import LiteLlmProxy, installed
from bench.machine import raise_file_limit
from bench.product import ours, product, visitors
from bench.provider import ScriptedProvider
from bench.reference import reference
from bench.relays import relay
from bench.rounds import Contender, Load, Round, Series, held_open, interleaved
from bench.servers import UvicornServer
from local.services import StartFailed, free_port, running

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
VISITORS = 400  # so that none of them meets a rate limit
ARRIVALS = 100  # per second
_PACE = {"gap_ms": 25, "first_ms": 300}
_SHORT, _LONG = 24, 224

PACED = {
    "1_stream": Load(streams=1, turns=20, **_PACE),
    "100_streams": Load(streams=100, turns=1, spread=100 / ARRIVALS, **_PACE),
    "1000_streams": Load(streams=1000, turns=1, spread=1000 / ARRIVALS, **_PACE),
}
HELD_OPEN = Load(streams=1000, turns=1, gap_ms=25, first_ms=12_000, spread=1000 / ARRIVALS)
WARM_UP = Load(streams=4, turns=5)
SATURATED = Load(streams=32, turns=12)
BY_LENGTH = {tokens: Load(streams=40, turns=1, tokens=tokens, spread=2.0, **_PACE) for tokens in (_SHORT, _LONG)}

ADDED_TARGETS = {"1_stream": (6, 15), "100_streams": (15, 50), "1000_streams": (15, 50)}  # ms, p50 and p99
SATURATED_TARGET = 8  # times the reference turn's turns per second
TURN_CPU_TARGET_MS, TOKEN_CPU_TARGET_MS = 6.0, 0.2


@asynccontextmanager
async def contenders() -> AsyncIterator[tuple[list[Contender], str | None]]:
    """Run everything that is compared, ours first, and say why LiteLLM is not among it if it is not."""
    async with AsyncExitStack() as running_now:
        state = Path(running_now.enter_context(tempfile.TemporaryDirectory()))
        provider = ScriptedProvider(state / "provider", free_port())
        relays = {
            name: UvicornServer(app, state / name, free_port(), {"PROVIDER_URL": provider.url})
            for name, app in (("raw_relay", raw_relay.APP), ("sdk_relay", sdk_relay.APP))
        }
        await running_now.enter_async_context(running(provider, *relays.values()))
        stack = await running_now.enter_async_context(product(provider, state / "stack", "openai"))
        tokens = await visitors(stack, VISITORS)
        all_of_them = [
            ours(stack, tokens),
            relay("raw_relay", raw_relay.APP, relays["raw_relay"].port),
            relay("sdk_relay", sdk_relay.APP, relays["sdk_relay"].port),
            await running_now.enter_async_context(reference(stack, provider, state / "reference", tokens)),
        ]
        missing = None
        try:
            proxy = LiteLlmProxy(state / "litellm", free_port(), await installed(), provider)
            await running_now.enter_async_context(running(proxy))
            all_of_them.append(relay("litellm", "--num_workers", proxy.port))
        except (NotInstalled, StartFailed) as error:
            missing = str(error)
        yield all_of_them, missing


async def measured(rounds: int) -> dict[str, Any]:
    """Measure everything."""
    raise_file_limit()
    async with contenders() as (compared, missing):
        answer: dict[str, Any] = {"without_litellm": missing} if missing else {}
        answer["memory"] = await _memory(compared)
        series = {name: await interleaved(compared, what, rounds, warm_up=0) for name, what in PACED.items()}
        for name, each in series.items():
            answer[name] = each.report() | {"ours_over": _ratios(each, compared), "target": _added_target(name, each)}
        answer["cpu"] = await _cpu(compared, rounds)
        answer["saturated"] = await _saturated(compared, rounds)
        return answer


async def _memory(compared: Sequence[Contender]) -> dict[str, Any]:
    """Measure the memory of open streams, of each server for itself."""
    answer = {}
    for contender in compared:
        await interleaved([contender], WARM_UP, 1)
        measured, memory = await held_open(contender, HELD_OPEN)
        failures = measured.result.failures()
        answer[contender.name] = memory | measured.result.figures() | {"failures": failures[:3]}
    return answer


async def _cpu(compared: Sequence[Contender], rounds: int) -> dict[str, Any]:
    """Measure the processor time of a short turn, and of a further token by comparison with a long one."""
    by_length = {tokens: await interleaved(compared, what, rounds, warm_up=0) for tokens, what in BY_LENGTH.items()}
    short, long = by_length[_SHORT], by_length[_LONG]
    answer: dict[str, Any] = {
        "failures": {tokens: series.report()["failures"] for tokens, series in by_length.items()},
        "rounds_kept": {tokens: len(series.kept) for tokens, series in by_length.items()},
    }
    for contender in compared:
        turn, longer = (series.median(contender.name, lambda each: each.cpu_ms) for series in (short, long))
        if turn is not None and longer is not None:
            token = (longer - turn) / (_LONG - _SHORT)
            answer[contender.name] = {"ms_per_turn_of_24": round(turn, 2), "ms_per_further_token": round(token, 3)}
    turn, token = answer["ours"]["ms_per_turn_of_24"], answer["ours"]["ms_per_further_token"]
    answer["target"] = {
        "ms_per_turn_of_24": TURN_CPU_TARGET_MS,
        "ms_per_further_token": TOKEN_CPU_TARGET_MS,
        "met": turn <= TURN_CPU_TARGET_MS and token <= TOKEN_CPU_TARGET_MS,
    }
    return answer


async def _saturated(compared: Sequence[Contender], rounds: int) -> dict[str, Any]:
    """Measure how many turns a second each of the two that make whole turns gets done when it never waits."""
    turns = [contender for contender in compared if contender.name in ("ours", "reference_turn")]
    series = await interleaved(turns, SATURATED, rounds)
    times = series.ratio("ours", "reference_turn", lambda each: each.turns_per_second)
    met = times is not None and times >= SATURATED_TARGET
    target = {"times_the_reference_turn": SATURATED_TARGET, "met": met}
    return series.report() | {"times_the_reference_turn": times and round(times, 2), "target": target}


def _ratios(series: Series, compared: Sequence[Contender]) -> Mapping[str, Any]:
    """Return by how much our figures are those of each other server."""
    figures = {"added_p50": _added_p50, "cpu": _cpu_ms}
    return {
        other.name: {
            what: None if (ratio := series.ratio("ours", other.name, figure)) is None else round(ratio, 3)
            for what, figure in figures.items()
        }
        for other in compared
        if other.name != "ours"
    }


def _added_p50(each: Round) -> float | None:
    return each.added_p50


def _cpu_ms(each: Round) -> float | None:
    return each.cpu_ms


def _added_target(name: str, series: Series) -> dict[str, Any]:
    p50, p99 = ADDED_TARGETS[name]
    figures = series.report()["ours"]
    added = figures["added_p50_ms"], figures["added_p99_ms"]
    met = None not in added and added[0] <= p50 and added[1] <= p99
    return {"added_p50_ms": p50, "added_p99_ms": p99, "met": met}


def main() -> dict[str, Any]:
    """Return the figures."""
    return uvloop.run(measured(ROUNDS))


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
