"""Visitors and blocks in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import TenantId, VisitorId, new_id
from chatconnect.domain.identity import Identity
from chatconnect.domain.visitor import Block, KnownVisitor, Recognised


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
        visitor = await self.find(visitor_id, at)
        if visitor is None:
            raise NotFound("visitor", visitor_id)
        return visitor

    async def find(self, visitor_id: VisitorId, at: datetime) -> KnownVisitor | None:
        place = (self._tenant_id, visitor_id)
        if place not in self._stored.visitors:
            return None
        block = self._stored.blocks.get(place)
        return replace(self._stored.visitors[place], block=block if block and block.holds(at) else None)

    async def recognise(self, identity: Identity, claimed: VisitorId | None, at: datetime) -> Recognised:
        own = {id_: visitor for (tenant, id_), visitor in self._stored.visitors.items() if tenant == self._tenant_id}
        before = own.get(claimed) if claimed else None
        free = claimed if claimed and (before is None or before.is_anonymous) else None
        known = next((each for each in own.values() if each.external_id == identity.external_id), None)
        id_ = known.id if known else free or VisitorId(new_id())
        kept = known or own.get(id_) or KnownVisitor(id_, at, at)
        self._stored.visitors[self._tenant_id, id_] = replace(
            kept,
            external_id=identity.external_id,
            name=identity.name or kept.name,
            email=identity.email or kept.email,
            last_seen_at=max(at, kept.last_seen_at),
        )
        if before is not None and free and free != id_:
            before = replace(before, merged_into=id_)
            self._stored.visitors[self._tenant_id, free] = before
        returning = claimed is not None and (claimed == id_ or (before is not None and before.merged_into == id_))
        return Recognised(await self.get(id_, at), returning)

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
