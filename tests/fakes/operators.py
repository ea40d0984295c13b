"""What operators see and change of tenants, in memory."""

from collections.abc import Sequence
from dataclasses import replace

from chatconnect.domain.errors import Invalid, NotFound
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.tenant import Tenant
from chatconnect.ports.clock import Clock
from tests.fakes.tenants import PLANS, StoredTenants


class MemoryOperatedTenants:
    """All tenants."""

    def __init__(self, stored: StoredTenants, clock: Clock) -> None:
        self._stored, self._clock = stored, clock

    async def page(self, after: TenantId | None, limit: int) -> Sequence[Tenant]:
        ids = sorted(id_ for id_ in self._stored.tenants if after is None or id_ > after)
        return [self._stored.tenants[id_] for id_ in ids[:limit]]

    async def get(self, tenant_id: TenantId) -> Tenant:
        if tenant_id not in self._stored.tenants:
            raise NotFound("tenant", tenant_id)
        return self._stored.tenants[tenant_id]

    async def set_plan(self, tenant_id: TenantId, plan: str) -> None:
        tenant = await self.get(tenant_id)
        if plan not in PLANS:
            raise Invalid("no such plan", code="unknown_plan", details={"field": "plan"})
        self._stored.tenants[tenant_id] = replace(tenant, plan=plan)

    async def set_suspended(self, tenant_id: TenantId, *, suspended: bool) -> None:
        tenant = await self.get(tenant_id)
        since = (tenant.suspended_at or self._clock()) if suspended else None
        self._stored.tenants[tenant_id] = replace(tenant, suspended_at=since)
