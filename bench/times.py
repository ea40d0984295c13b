"""How long pieces of work take, one after the other, as the benchmarks show it."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bench.load import percentiles


async def timed(count: int, work: Callable[[], Awaitable[object]]) -> dict[str, Any]:
    """Do it so many times, and return the figures."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1000)
    return figures(took)


def figures(took: Sequence[float]) -> dict[str, Any]:
    """Return how many times there are, and their percentiles; all in milliseconds."""
    found = percentiles(took)
    return {"times": len(took), "p50_ms": found[50], "p99_ms": found[99]}
