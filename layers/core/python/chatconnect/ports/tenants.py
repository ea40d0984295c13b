"""Where tenants, people, keys, assistants and widgets are kept."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatconnect.domain.assistant import Assistant
from chatconnect.domain.controls import TenantControls
from chatconnect.domain.identifiers import AccountId, AssistantId, KeyId, TenantId, WidgetId
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


class Accounts(Protocol):
    """People who can log in, of all tenants."""

    async def find_by_email(self, email: str) -> Account | None:
        """Return the account with this checked address."""
        ...

    async def memberships(self, account_id: AccountId) -> Sequence[Member]:
        """Return the account's places, oldest first."""
        ...

    async def open_tenant(self, new: NewTenant) -> None:
        """Store a new tenant with all it starts with, all or nothing. Raises Conflict with code "email_taken"."""
        ...


class Tenants(Protocol):
    """One tenant: itself, its keys, its assistants and its widgets."""

    async def get(self) -> Tenant:
        """Return the tenant. Raises NotFound."""
        ...

    async def save_controls(self, controls: TenantControls) -> None:
        """Keep the tenant's control messages in place of the earlier ones. Raises NotFound."""
        ...

    async def plan(self) -> Plan:
        """Return the tenant's plan. Raises NotFound."""
        ...

    async def find_key(self, key_hash: bytes) -> ApiKey | None:
        """Return the key with this hash, used up or not."""
        ...

    async def keys(self) -> Sequence[ApiKey]:
        """Return all keys, newest first."""
        ...

    async def add_key(self, key: ApiKey, key_hash: bytes) -> None:
        """Store a new key."""
        ...

    async def revoke_key(self, key_id: KeyId) -> None:
        """End a key now. Raises NotFound."""
        ...

    async def assistant(self, assistant_id: AssistantId, version: int | None = None) -> Assistant:
        """Return the assistant with its published configuration, or with that of a version. Raises NotFound."""
        ...

    async def default_assistant(self) -> Assistant:
        """Return the tenant's default assistant. Raises NotFound."""
        ...

    async def assistants(self) -> Sequence[Assistant]:
        """Return all assistants, the default first."""
        ...

    async def publish(self, assistant: Assistant, *, author: AccountId | None, note: str) -> Assistant:
        """Store the configuration as a new version and publish it; return it with its number. Raises NotFound."""
        ...

    async def widget_of(self, key: ApiKey) -> Widget:
        """Return the widget that a publishable key shows: its assistant's, or the default one's. Raises NotFound."""
        ...

    async def widgets(self) -> Sequence[Widget]:
        """Return all widgets, newest first."""
        ...

    async def save_widget(self, widget: Widget) -> None:
        """Store the widget in place of its earlier state. Raises NotFound."""
        ...

    async def widget(self, widget_id: WidgetId) -> Widget:
        """Return the widget. Raises NotFound."""
        ...


class Directory(Protocol):
    """Which tenants there are; for jobs."""

    def tenant_ids(self) -> AsyncIterator[TenantId]:
        """Yield the ids of all tenants, oldest first. Raises Unavailable."""
        ...


TenantsOf = Callable[[TenantId], Tenants]
