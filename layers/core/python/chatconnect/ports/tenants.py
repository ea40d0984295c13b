"""Where tenants and what they start with are kept."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatconnect.domain.assistant import Assistant
from chatconnect.domain.controls import TenantControls
from chatconnect.domain.identifiers import AssistantId, TenantId
from chatconnect.domain.keys import ApiKey
from chatconnect.domain.tenant import Account, Member, Plan, Tenant
from chatconnect.domain.widget import Widget


@dataclass(frozen=True, slots=True)
class NewTenant:
    """All that a new tenant starts with (C8)."""

    tenant: Tenant
    account: Account
    owner: Member
    assistant: Assistant
    widget: Widget
    widget_key: tuple[ApiKey, bytes]
    secret_key: tuple[ApiKey, bytes]


class Tenants(Protocol):
    """One tenant: itself and its assistants."""

    async def get(self) -> Tenant:
        """Return the tenant. Raises NotFound."""
        ...

    async def save_controls(self, controls: TenantControls) -> None:
        """Keep the tenant's control messages in place of the earlier ones. Raises NotFound."""
        ...

    async def plan(self) -> Plan:
        """Return the tenant's plan. Raises NotFound."""
        ...

    async def assistant(self, assistant_id: AssistantId, version: int | None = None) -> Assistant:
        """Return the assistant with its published configuration, or with that of a version. Raises NotFound.

        An archived one has no published configuration, so that it answers nobody.
        """
        ...

    async def newest(self, assistant_id: AssistantId) -> Assistant:
        """Return the assistant with its newest version, published or not. Raises NotFound, also when it is archived."""
        ...

    async def default_assistant(self) -> Assistant:
        """Return the tenant's default assistant. Raises NotFound."""
        ...

    async def assistants(self) -> Sequence[Assistant]:
        """Return all assistants that answer, the default first."""
        ...


class Directory(Protocol):
    """Which tenants there are; for jobs."""

    def tenant_ids(self) -> AsyncIterator[TenantId]:
        """Yield the ids of all tenants, oldest first. Raises Unavailable."""
        ...


TenantsOf = Callable[[TenantId], Tenants]
