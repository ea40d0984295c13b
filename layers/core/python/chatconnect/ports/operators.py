"""What operators see and change of tenants."""

from collections.abc import Sequence
from typing import Protocol

from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.tenant import Tenant


class OperatedTenants(Protocol):
    """All tenants, each read as itself: their contents are nobody's business."""

    async def page(self, after: TenantId | None, limit: int) -> Sequence[Tenant]:
        """Return up to `limit` tenants with ids above `after`, oldest first."""
        ...

    async def get(self, tenant_id: TenantId) -> Tenant:
        """Return one tenant. Raises NotFound."""
        ...

    async def set_plan(self, tenant_id: TenantId, plan: str) -> None:
        """Give a tenant a plan. Raises NotFound, Invalid with code "unknown_plan"."""
        ...

    async def set_suspended(self, tenant_id: TenantId, *, suspended: bool) -> None:
        """Suspend a tenant, since when is kept, or end that. Raises NotFound."""
        ...
