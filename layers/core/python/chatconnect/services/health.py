"""How well the parts that we depend on are."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from chatconnect.domain.errors import Caught
from chatconnect.ports.health import Check, Queue, QueueState

_PATIENCE_SECONDS = 4.0
# Without these an answer is only slower or less strict.
_DISPENSABLE = frozenset({"redis"})


@dataclass(frozen=True, slots=True)
class PartHealth:
    """Whether a part answers, and in how many milliseconds."""

    ok: bool
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Health:
    """All parts. `status` is "ok", "degraded" (answers still come) or "unavailable"."""

    status: str
    parts: Mapping[str, PartHealth]
    queues: Mapping[str, QueueState | None]


class HealthService:
    """Looks at every dependency and queue at once."""

    def __init__(self, *, checks: Mapping[str, Check], queues: Mapping[str, Queue]) -> None:
        self._checks, self._queues = checks, queues

    async def look(self) -> Health:
        """Return the state of everything within a few seconds, whatever hangs."""
        parts, states = await asyncio.gather(
            asyncio.gather(*(_measured(check) for check in self._checks.values())),
            asyncio.gather(*(_or_none(queue.state) for queue in self._queues.values())),
        )
        by_name = dict(zip(self._checks, parts, strict=True))
        down = {name for name, part in by_name.items() if not part.ok}
        status = "ok" if not down else "degraded" if down <= _DISPENSABLE else "unavailable"
        return Health(status, by_name, dict(zip(self._queues, states, strict=True)))


async def _measured(check: Check) -> PartHealth:
    begin = time.perf_counter()
    with Caught() as caught:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await check()
    return PartHealth(caught.fault is None, round((time.perf_counter() - begin) * 1000))


async def _or_none(state: Callable[[], Awaitable[QueueState]]) -> QueueState | None:
    with Caught():
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await state()
    return None
