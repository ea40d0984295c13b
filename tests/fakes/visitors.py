"""Visitors and blocks in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import TenantId, VisitorId
from chatconnect.domain.visitor import Block, KnownVisitor


@dataclass
class StoredVisitors:
    """What the visitors of all tenants share."""

    visitors: dict[tuple[TenantId, VisitorId], KnownVisitor] = field(default_factory=dict)
    blocks: dict[tuple[TenantId, VisitorId], Block] = field(default_factory=dict)


class MemoryVisitors:
    """One tenant's visitors."""

    def __init__(self, stored: StoredVisitors, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def get(self, visitor_id: VisitorId, at: datetime) -> KnownVisitor:
        place = (self._tenant_id, visitor_id)
        if place not in self._stored.visitors:
            raise NotFound("visitor", visitor_id)
        block = self._stored.blocks.get(place)
        return replace(self._stored.visitors[place], block=block if block and block.holds(at) else None)

    async def list_blocked(
        self, at: datetime, *, limit: int = 20, before: datetime | None = None
    ) -> Sequence[KnownVisitor]:
        own = [visitor for tenant, visitor in self._stored.blocks if tenant == self._tenant_id]
        found = [await self.get(visitor, at) for visitor in own]
        blocked = [(visitor.block.blocked_at, visitor) for visitor in found if visitor.block]
        newest = sorted(blocked, key=lambda pair: pair[0], reverse=True)
        return [visitor for moment, visitor in newest if before is None or moment < before][:limit]

    async def block(self, visitor_id: VisitorId, block: Block) -> None:
        if (self._tenant_id, visitor_id) not in self._stored.visitors:
            raise NotFound("visitor", visitor_id)
        self._stored.blocks[self._tenant_id, visitor_id] = block

    async def unblock(self, visitor_id: VisitorId) -> None:
        if self._stored.blocks.pop((self._tenant_id, visitor_id), None) is None:
            raise NotFound("block", visitor_id)

    async def is_blocked(self, visitor_id: VisitorId, at: datetime) -> bool:
        return visitor_id in await self.blocked(at)

    async def blocked(self, at: datetime) -> Mapping[VisitorId, datetime | None]:
        return {
            visitor: block.until
            for (tenant, visitor), block in self._stored.blocks.items()
            if tenant == self._tenant_id and block.holds(at)
        }
