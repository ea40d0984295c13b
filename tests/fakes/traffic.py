"""Rates, journals and waiting turns in memory."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

from chatconnect.domain.conversation import Turn
from chatconnect.domain.errors import LimitReached, NotFound
from chatconnect.domain.events import Frame
from chatconnect.domain.identifiers import MessageId, TenantId
from chatconnect.ports.traffic import Rate


class CountingRates:
    """Lets so many requests pass as may come in one minute, which never ends."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[TenantId, str]] = Counter()

    async def check(self, tenant_id: TenantId, rate: Rate) -> None:
        self.counts[tenant_id, rate.subject] += 1
        if self.counts[tenant_id, rate.subject] > rate.per_minute:
            raise LimitReached("too many messages in the last minute", retry_after=30)

    def left(self, tenant_id: TenantId, rate: Rate) -> int:
        return rate.per_minute - self.counts[tenant_id, rate.subject]


@dataclass
class StoredJournal:
    """What the journals of all tenants share; `batches` is what each `append` brought, and how long it took."""

    frames: dict[tuple[TenantId, MessageId], list[Frame]] = field(default_factory=dict)
    batches: list[list[Frame]] = field(default_factory=list)
    cancelled: set[MessageId] = field(default_factory=set)
    append_seconds: float = 0.0


class MemoryJournal:
    """One tenant's journal."""

    def __init__(self, stored: StoredJournal, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def append(self, message_id: MessageId, frames: Sequence[Frame]) -> bool:
        await asyncio.sleep(self._stored.append_seconds)
        if frames:
            self._stored.batches.append(list(frames))
            self._stored.frames.setdefault((self._tenant_id, message_id), []).extend(frames)
        return message_id in self._stored.cancelled

    async def follow(self, message_id: MessageId, after: int) -> AsyncGenerator[Frame, None]:
        told = False
        for attempt in range(1_000):
            kept = self._stored.frames.get((self._tenant_id, message_id), [])
            if not kept and attempt > 100:
                break
            for frame in [frame for frame in kept if frame.number > after]:
                after, told = frame.number, frame.is_last
                yield frame
            if kept and kept[-1].is_last:
                if not told:
                    yield kept[-1]
                return
            await asyncio.sleep(0.002)
        raise NotFound("answer", message_id)

    async def request_cancel(self, message_id: MessageId) -> None:
        self._stored.cancelled.add(message_id)


class MemoryTurnQueue:
    """Turns in the order they came."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    async def put(self, turn: Turn) -> None:
        self.turns.append(turn)
