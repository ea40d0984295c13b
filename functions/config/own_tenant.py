"""Addresses that name a tenant: only its own people have anything there."""

from uuid import UUID

from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.principals import TenantSide


def own_tenant(tenant_id: UUID, caller: TenantSide) -> TenantId:
    """Return the caller's tenant. Raises NotFound when the address names another."""
    if tenant_id != caller.tenant_id:
        raise NotFound("tenant", tenant_id)
    return caller.tenant_id
