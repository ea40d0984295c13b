"""What the product adds to a provider's stream: time to first token, lag per token and processor time per turn.

The whole product runs as `make dev` runs it, with a scripted provider behind it. One stream asks again as soon as its
answer ends, and the answers come at once. Fifty streams hold an answer of two seconds each (100 tokens, one every
20 ms) at any time; `burst` has fifty questions arrive in the same instant. Every series is interleaved with the same
load on a bare proxy; ratios are medians over the rounds.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import uvloop

from bench import bare_proxy
from bench.product import ours, product, visitors
from bench.provider import ScriptedProvider
from bench.relays import relay
from bench.rounds import Load, interleaved
from bench.servers import UvicornServer
from local.services import free_port, running

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
VISITORS = 100
LOADS = {
    "1_stream": Load(streams=1, turns=100),
    "50_streams": Load(streams=50, turns=3, tokens=100, gap_ms=20, spread=2.0),
    "burst_of_50": Load(streams=50, turns=1),
}


async def measured(rounds: int) -> dict[str, Any]:
    """Measure every kind of load with both ways of embedding."""
    answer: dict[str, Any] = {"target": {"added_p50_ms": 25, "added_p99_ms": 80, "at": ["1_stream", "50_streams"]}}
    for embedding in ("local", "openai"):
        answer[f"embedding_{embedding}"] = await _measured(embedding, rounds)
    return answer


async def _measured(embedding: str, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        provider = ScriptedProvider(state / "provider", free_port())
        proxy = UvicornServer(bare_proxy.APP, state / "proxy", free_port(), {"PROVIDER_URL": provider.url})
        async with running(provider, proxy), product(provider, state / "stack", embedding) as stack:
            contenders = [ours(stack, await visitors(stack, VISITORS)), relay("bare_proxy", bare_proxy.APP, proxy.port)]
            answer = {}
            for name, what in LOADS.items():
                series = await interleaved(contenders, what, rounds)
                ratio = series.ratio("ours", "bare_proxy", lambda each: each.added_p50)
                answer[name] = series.report() | {"ratio_added_p50": ratio and round(ratio, 2)}
            return answer


def main() -> dict[str, Any]:
    """Return the figures."""
    return uvloop.run(measured(ROUNDS))


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
