"""What the product adds to a provider's stream: time to first token, lag per token and processor time per turn.

The whole product runs as `make dev` runs it, with a scripted provider behind it. One stream asks again as soon as its
answer ends, and the answers come at once. Fifty streams hold an answer of two seconds each (100 tokens, one every
20 ms) at any time; `burst` has fifty questions arrive in the same instant. Every series is interleaved with the same
load on a bare proxy; ratios are medians over the rounds.
"""

import json
import os
import random
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import uvloop

from bench.bare_proxy import BareProxy
from bench.load import Result, load, percentiles, post
from bench.machine import Foreign, calm, child, spin_ms
from bench.provider import MODEL, ScriptedProvider
from bench.texts import prose, question
from local.demo import until_processed, upload
from local.services import free_port, running
from tests.stack import RunningStack, running_stack

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
VISITORS = 100  # so that none of them meets its rate limit
KNOWLEDGE_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of load."""

    streams: int
    turns: int
    tokens: int
    gap_ms: int
    spread: float
    warm_up: int = 1

    @property
    def model(self) -> str:
        """The model that answers like this."""
        return MODEL.format(tokens=self.tokens, gap_ms=self.gap_ms)


LOADS = {
    "1_stream": Load(streams=1, turns=100, tokens=24, gap_ms=0, spread=0),
    "50_streams": Load(streams=50, turns=3, tokens=100, gap_ms=20, spread=2.0),
    "burst_of_50": Load(streams=50, turns=1, tokens=24, gap_ms=0, spread=0),
}


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured: the product and the bare proxy, in front of the same provider."""

    stack: RunningStack
    proxy: BareProxy
    visitors: list[str]

    async def ours(self, what: Load) -> Result:
        """Load the product."""
        port, turn, chance = self.stack.services.ports.api, count(), random.Random()

        def request(_: int) -> bytes:
            visitor = self.visitors[next(turn) % len(self.visitors)]
            headers = [f"Authorization: Bearer {visitor}", f"Origin: {self.stack.api_url}"]
            return post("/v1/chat/stream", port, json.dumps({"message": question(chance)}).encode(), headers)

        return await self._load(port, request, what, b"event: done")

    async def bare(self, what: Load) -> Result:
        """Load the bare proxy."""
        body = {
            "model": what.model,
            "stream": True,
            "messages": [{"role": "user", "content": question(random.Random(1))}],
        }
        request = post("/v1/chat/completions", self.proxy.port, json.dumps(body).encode())
        return await self._load(self.proxy.port, lambda _: request, what, b"[DONE]")

    async def _load(self, port: int, request: Callable[[int], bytes], what: Load, end: bytes) -> Result:
        return await load(
            port, request, streams=what.streams, turns=what.turns, tokens=what.tokens, end=end, spread=what.spread
        )

    async def use(self, model: str) -> None:
        """Let the demo assistant ask another model."""
        demo = self.stack.demo
        headers = {"Authorization": f"Bearer {demo.secret_key}"}
        async with httpx.AsyncClient(base_url=self.stack.api_url, headers=headers, timeout=30) as http:
            assistant = (await http.get(f"/v1/assistants/{demo.assistant_id}")).json()
            assistant |= {"provider": "openai", "model": model}
            (await http.put(f"/v1/assistants/{demo.assistant_id}", json=assistant)).raise_for_status()


@asynccontextmanager
async def bench(embedding: str) -> AsyncIterator[Bench]:
    """Start everything, with embeddings by the "local" model or by the provider ("openai")."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        provider = ScriptedProvider(state / "provider", free_port())
        proxy = BareProxy(state / "proxy", free_port())
        proxy.provider_url = provider.url
        os.environ |= {"OPENAI_BASE_URL": provider.url, "OPENAI_API_KEY": "scripted", "EMBEDDING_PROVIDER": embedding,
                       "OPENAI_MODEL": LOADS["1_stream"].model}  # fmt: skip
        async with running(provider, proxy), running_stack(state / "stack") as stack:
            await _add_knowledge(stack, state / "handbook.txt")
            yield Bench(stack, proxy, await _visitors(stack))


async def _add_knowledge(stack: RunningStack, path: Path) -> None:
    path.write_text(prose(KNOWLEDGE_CHARACTERS))
    headers = {"Authorization": f"Bearer {stack.secret_key}"}
    async with httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=30) as http:
        document = await until_processed(http, await upload(http, path))
    if document["status"] != "ready":
        raise RuntimeError(f"the handbook failed: {document['failure']}")


async def _visitors(stack: RunningStack) -> list[str]:
    async with httpx.AsyncClient(base_url=stack.api_url, headers={"Origin": stack.api_url}, timeout=30) as http:
        path = f"/v1/widgets/{stack.widget_key}/token"
        return [(await http.post(path, json={})).raise_for_status().json()["token"] for _ in range(VISITORS)]


async def measure(bench: Bench, what: Load, rounds: int) -> dict[str, Any]:
    """Measure one kind of load on both, A B A B, and return medians over the calm rounds."""
    await bench.use(what.model)
    server, bare_server = child("local.server"), child("bench.bare_proxy")
    for _ in range(what.warm_up):
        await bench.ours(what)
        await bench.bare(what)
    spins, foreign, ours, bares, cpu, bare_cpu = [], [], [], [], [], []
    for _ in range(rounds):
        others = Foreign()
        before, busy, bare_busy = spin_ms(), server.cpu_seconds(), bare_server.cpu_seconds()
        ours.append(await bench.ours(what))
        bares.append(await bench.bare(what))
        turns = what.streams * what.turns
        cpu.append((server.cpu_seconds() - busy) / turns * 1000)
        bare_cpu.append((bare_server.cpu_seconds() - bare_busy) / turns * 1000)
        spins.append(max(before, spin_ms()))
        foreign.append(others.share())
    failures = [failure for result in (*ours, *bares) for failure in result.failures()]
    kept = calm(spins, foreign)
    ratios = [ours[n].figures()["added_p50_ms"] / bares[n].figures()["added_p50_ms"] for n in kept]
    return {
        "rounds": rounds,
        "rounds_kept": len(kept),
        "spin_ms": [round(spin, 1) for spin in spins],
        "foreign_cpu_share": foreign,
        "failures": failures[:5],
        "failure_count": len(failures),
        "ours": _over([ours[n] for n in kept]) | {"cpu_ms_per_turn": round(median(cpu[n] for n in kept), 2)},
        "bare_proxy": _over([bares[n] for n in kept])
        | {"cpu_ms_per_turn": round(median(bare_cpu[n] for n in kept), 2)},
        "ratio_added_p50": round(median(ratios), 2),
    }


def _over(results: list[Result]) -> dict[str, float]:
    """Pool the turns of all rounds, and show how far the rounds' own medians lie apart."""
    pooled = Result(
        sum(result.seconds for result in results),
        [exchange for result in results for exchange in result.exchanges],
        results[0].tokens,
    )
    medians = [percentiles([exchange.added_ms for exchange in result.exchanges])[50] for result in results]
    return pooled.figures() | {"lowest_round_p50_ms": min(medians), "highest_round_p50_ms": max(medians)}


async def measured(rounds: int) -> dict[str, Any]:
    """Measure every kind of load with both ways of embedding."""
    answer: dict[str, Any] = {}
    for embedding in ("local", "openai"):
        async with bench(embedding) as running_bench:
            answer[f"embedding_{embedding}"] = {
                name: await measure(running_bench, what, rounds) for name, what in LOADS.items()
            }
    return {"target": {"added_p50_ms": 25, "added_p99_ms": 80, "at": ["1_stream", "50_streams"]}, **answer}


def main() -> dict[str, Any]:
    """Return the figures."""
    return uvloop.run(measured(ROUNDS))


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
