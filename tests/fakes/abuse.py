"""The short memory of behaviour, and the record of signals, in memory."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from chatconnect.domain.abuse import MOST_SIGHTINGS, Hold, Sighting, Signal, SignalKind
from chatconnect.domain.identifiers import TenantId, VisitorId
from chatconnect.ports.abuse import Noticed, Occasion, RecordedSignal
from chatconnect.ports.visitors import VisitorsOf

Place = tuple[TenantId, VisitorId]


@dataclass
class StoredWatch:
    """What all processes remember; `now` is in seconds."""

    now: Callable[[], float] = time.monotonic
    sightings: dict[Place, list[Sighting]] = field(default_factory=dict)
    held: dict[Place, tuple[float, int]] = field(default_factory=dict)


class MemoryWatch:
    """One process's view of it; who is blocked is looked up each time."""

    def __init__(self, stored: StoredWatch, visitors_of: VisitorsOf) -> None:
        self._stored, self._visitors_of = stored, visitors_of

    async def notice(self, tenant_id: TenantId, visitor_id: VisitorId, sighting: Sighting) -> Noticed:
        place, now = (tenant_id, visitor_id), self._stored.now()
        if await self._visitors_of(tenant_id).is_blocked(visitor_id, datetime.now(UTC)):
            return Noticed(blocked=True)
        until, _ = self._stored.held.get(place, (0.0, 0))
        if until > now:
            return Noticed(wait=until - now)
        kept = self._stored.sightings.setdefault(place, [])
        kept.append(replace(sighting, at=now))
        del kept[:-MOST_SIGHTINGS]
        return Noticed(sightings=tuple(kept))

    async def hold(self, tenant_id: TenantId, visitor_id: VisitorId, how_long: Hold) -> float:
        place, now = (tenant_id, visitor_id), self._stored.now()
        until, times = self._stored.held.get(place, (0.0, 0))
        if until > now:
            return until - now
        wait = min(how_long.longest, how_long.first * 2.0**times)
        self._stored.held[place] = now + wait, times + 1
        return wait

    async def blocks_changed(self, tenant_id: TenantId) -> None:
        pass


StoredSignals = dict[TenantId, list[RecordedSignal]]


class MemorySignals:
    """One tenant's signals."""

    def __init__(self, stored: StoredSignals, tenant_id: TenantId) -> None:
        self._kept = stored.setdefault(tenant_id, [])

    async def record(self, visitor_id: VisitorId | None, signals: Sequence[Signal], occasion: Occasion) -> None:
        for signal in sorted(signals, key=lambda each: each.kind):
            self._record(visitor_id, signal, occasion)

    def _record(self, visitor_id: VisitorId | None, signal: Signal, occasion: Occasion) -> None:
        new = RecordedSignal(
            len(self._kept) + 1, visitor_id, signal.kind, signal.score, 1, tuple(sorted(signal.reasons)),
            occasion.throttled, occasion.conversation_id, occasion.message_id, occasion.at, occasion.at,
        )  # fmt: skip
        for place, old in enumerate(self._kept):
            if (old.visitor_id, old.kind, _hour(old.first_seen_at)) == (visitor_id, signal.kind, _hour(occasion.at)):
                self._kept[place] = replace(
                    old,
                    score=max(old.score, new.score),
                    count=old.count + 1,
                    reasons=tuple(sorted({*old.reasons, *new.reasons})),
                    throttled=old.throttled or new.throttled,
                    conversation_id=new.conversation_id or old.conversation_id,
                    message_id=new.message_id or old.message_id,
                    last_seen_at=max(old.last_seen_at, new.last_seen_at),
                )
                return
        self._kept.append(new)

    async def list_newest(
        self,
        *,
        visitor_id: VisitorId | None = None,
        kind: SignalKind | None = None,
        throttled: bool | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> Sequence[RecordedSignal]:
        found = [
            each
            for each in reversed(self._kept)
            if visitor_id in (None, each.visitor_id)
            and kind in (None, each.kind)
            and throttled in (None, each.throttled)
            and (before is None or each.id < before)
        ]
        return found[:limit]


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
