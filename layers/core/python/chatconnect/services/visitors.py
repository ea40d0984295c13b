"""Visitors as staff see them: who they are, what was noticed of them, and keeping them from writing."""

from collections.abc import Sequence
from datetime import datetime

from chatconnect.domain.abuse import SignalKind
from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import TenantId, VisitorId
from chatconnect.domain.principals import Reader, Staff, TenantSide
from chatconnect.domain.visitor import Block, KnownVisitor, visitor_blocked
from chatconnect.ports.abuse import RecordedSignal, SignalsOf, Watch
from chatconnect.ports.clock import Clock
from chatconnect.ports.visitors import VisitorsOf

_SHOWN_SIGNALS = 50


class VisitorService:
    """Shows and blocks a tenant's visitors."""

    def __init__(self, *, visitors_of: VisitorsOf, signals_of: SignalsOf, watch: Watch, clock: Clock) -> None:
        self._visitors_of, self._signals_of = visitors_of, signals_of
        self._watch, self._clock = watch, clock

    async def show(self, tenant_id: TenantId, visitor_id: VisitorId) -> tuple[KnownVisitor, Sequence[RecordedSignal]]:
        """Return a visitor with the newest signals, newest first. Raises NotFound."""
        visitor = await self._visitors_of(tenant_id).get(visitor_id, self._clock())
        return visitor, await self._signals_of(tenant_id).list_newest(visitor_id=visitor_id, limit=_SHOWN_SIGNALS)

    async def blocked(self, tenant_id: TenantId, *, limit: int, before: datetime | None) -> Sequence[KnownVisitor]:
        """Return the visitors who are blocked, the last blocked first."""
        return await self._visitors_of(tenant_id).list_blocked(self._clock(), limit=limit, before=before)

    async def block(
        self, caller: TenantSide, visitor_id: VisitorId, reason: str, until: datetime | None
    ) -> KnownVisitor:
        """Keep a visitor from writing, from their next request on; in place of an earlier block.

        Answers under way come to their end. Raises NotFound, Invalid (the reason; a time that is over or has no zone).
        """
        now = self._clock()
        block = Block(reason, now, caller.member_id if isinstance(caller, Staff) else None, until)
        if not block.holds(now):
            raise Invalid("until is over already", details={"field": "until"})
        visitors = self._visitors_of(caller.tenant_id)
        await visitors.block(visitor_id, block)
        await self._watch.blocks_changed(caller.tenant_id)
        return await visitors.get(visitor_id, now)

    async def unblock(self, tenant_id: TenantId, visitor_id: VisitorId) -> None:
        """Let a visitor write again. Raises NotFound when they are not blocked."""
        await self._visitors_of(tenant_id).unblock(visitor_id)
        await self._watch.blocks_changed(tenant_id)

    async def check_may_write(self, reader: Reader) -> None:
        """Raise Forbidden with code "visitor_blocked" when it is a visitor who is blocked."""
        visitor_id = reader.visitor_id
        if visitor_id and await self._visitors_of(reader.tenant_id).is_blocked(visitor_id, self._clock()):
            raise visitor_blocked()

    async def signals(
        self,
        tenant_id: TenantId,
        *,
        visitor_id: VisitorId | None,
        kind: SignalKind | None,
        throttled: bool | None,
        limit: int,
        before: int | None,
    ) -> Sequence[RecordedSignal]:
        """Return signals of abuse, newest first; `before` is the id of one."""
        return await self._signals_of(tenant_id).list_newest(
            visitor_id=visitor_id, kind=kind, throttled=throttled, limit=limit, before=before
        )
