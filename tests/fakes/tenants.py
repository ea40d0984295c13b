"""Tenants, their people, keys, assistants and widgets in memory, for the tests of what uses them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from chatconnect.domain.assistant import Assistant
from chatconnect.domain.controls import TenantControls
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import AccountId, AssistantId, KeyId, TenantId, WidgetId
from chatconnect.domain.keys import ApiKey
from chatconnect.domain.tenant import Account, Member, Plan, Tenant
from chatconnect.domain.widget import Widget
from chatconnect.ports.tenants import NewTenant

PLANS = {
    "free": Plan("free", 100, "openai", "gpt-5.4-mini"),
    "paid": Plan("paid", 1_000, "anthropic", "claude-sonnet-4-6"),
}


@dataclass
class StoredTenants:
    """What the fakes of this module share."""

    tenants: dict[TenantId, Tenant] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    keys: dict[tuple[TenantId, bytes], ApiKey] = field(default_factory=dict)
    assistants: dict[tuple[TenantId, AssistantId], Assistant] = field(default_factory=dict)
    versions: dict[tuple[TenantId, AssistantId, int], Assistant] = field(default_factory=dict)
    widgets: dict[tuple[TenantId, WidgetId], Widget] = field(default_factory=dict)


class MemoryAccounts:
    """All accounts."""

    def __init__(self, stored: StoredTenants) -> None:
        self._stored = stored

    async def find_by_email(self, email: str) -> Account | None:
        return self._stored.accounts.get(email)

    async def memberships(self, account_id: AccountId) -> Sequence[Member]:
        return [member for member in self._stored.members if member.account_id == account_id]

    async def open_tenant(self, new: NewTenant) -> None:
        if new.account.email in self._stored.accounts:
            raise Conflict("there is an account with this e-mail address", code="email_taken")
        self._stored.accounts[new.account.email] = new.account
        self._stored.tenants[new.tenant.id] = new.tenant
        self._stored.members.append(new.owner)
        self._stored.assistants[new.tenant.id, new.assistant.id] = new.assistant
        self._stored.versions[new.tenant.id, new.assistant.id, new.assistant.version] = new.assistant
        self._stored.widgets[new.tenant.id, new.widget.id] = new.widget
        for key, key_hash in (new.widget_key, new.secret_key):
            self._stored.keys[new.tenant.id, key_hash] = key


class MemoryDirectory:
    """The ids of all tenants."""

    def __init__(self, stored: StoredTenants) -> None:
        self._stored = stored

    async def tenant_ids(self) -> AsyncIterator[TenantId]:
        for tenant_id in sorted(self._stored.tenants):
            yield tenant_id


class MemoryTenants:
    """One tenant."""

    def __init__(self, stored: StoredTenants, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def get(self) -> Tenant:
        if self._tenant_id not in self._stored.tenants:
            raise NotFound("tenant", self._tenant_id)
        return self._stored.tenants[self._tenant_id]

    async def save_controls(self, controls: TenantControls) -> None:
        self._stored.tenants[self._tenant_id] = replace(await self.get(), controls=controls)

    async def plan(self) -> Plan:
        return PLANS[(await self.get()).plan]

    async def find_key(self, key_hash: bytes) -> ApiKey | None:
        return self._stored.keys.get((self._tenant_id, key_hash))

    async def keys(self) -> Sequence[ApiKey]:
        own = [key for (tenant, _), key in self._stored.keys.items() if tenant == self._tenant_id]
        return sorted(own, key=lambda key: (key.created_at, key.id), reverse=True)

    async def add_key(self, key: ApiKey, key_hash: bytes) -> None:
        self._stored.keys[self._tenant_id, key_hash] = key

    async def revoke_key(self, key_id: KeyId) -> None:
        for (tenant, key_hash), key in self._stored.keys.items():
            if tenant == self._tenant_id and key.id == key_id:
                revoked = replace(key, revoked_at=key.revoked_at or datetime.now(UTC))
                self._stored.keys[tenant, key_hash] = revoked
                return
        raise NotFound("key", key_id)

    async def assistant(self, assistant_id: AssistantId, version: int | None = None) -> Assistant:
        if version is not None:
            if (self._tenant_id, assistant_id, version) not in self._stored.versions:
                raise NotFound("assistant", assistant_id)
            return self._stored.versions[self._tenant_id, assistant_id, version]
        if (self._tenant_id, assistant_id) not in self._stored.assistants:
            raise NotFound("assistant", assistant_id)
        return self._stored.assistants[self._tenant_id, assistant_id]

    async def default_assistant(self) -> Assistant:
        for assistant in await self.assistants():
            if assistant.is_default:
                return assistant
        raise NotFound("assistant")

    async def assistants(self) -> Sequence[Assistant]:
        own = [a for (tenant, _), a in self._stored.assistants.items() if tenant == self._tenant_id]
        return sorted(own, key=lambda a: (not a.is_default, a.created_at, a.id))

    async def publish(self, assistant: Assistant, *, author: AccountId | None, note: str) -> Assistant:
        kept = await self.assistant(assistant.id)
        published = replace(assistant, version=kept.version + 1, is_default=kept.is_default, created_at=kept.created_at)
        self._stored.assistants[self._tenant_id, assistant.id] = published
        self._stored.versions[self._tenant_id, assistant.id, published.version] = published
        return published

    async def widget_of(self, key: ApiKey) -> Widget:
        shown = key.assistant_id or (await self.default_assistant()).id
        for widget in reversed(await self.widgets()):
            if widget.assistant_id == shown:
                return widget
        raise NotFound("widget")

    async def widgets(self) -> Sequence[Widget]:
        own = [widget for (tenant, _), widget in self._stored.widgets.items() if tenant == self._tenant_id]
        return sorted(own, key=lambda widget: widget.id, reverse=True)

    async def save_widget(self, widget: Widget) -> None:
        await self.widget(widget.id)
        self._stored.widgets[self._tenant_id, widget.id] = widget

    async def widget(self, widget_id: WidgetId) -> Widget:
        if (self._tenant_id, widget_id) not in self._stored.widgets:
            raise NotFound("widget", widget_id)
        return self._stored.widgets[self._tenant_id, widget_id]
