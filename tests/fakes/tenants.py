"""Tenants, their people, keys, assistants and widgets in memory, for the tests of what uses them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from chatconnect.domain.assistant import Assistant
from chatconnect.domain.assistant_versions import Author, Save
from chatconnect.domain.controls import TenantControls
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import AccountId, AssistantId, SessionId, TenantId, VisitorId, WidgetId
from chatconnect.domain.keys import ApiKey
from chatconnect.domain.lead import Lead
from chatconnect.domain.secret import Secret
from chatconnect.domain.session import Session
from chatconnect.domain.tenant import Account, Member, Plan, Tenant
from chatconnect.domain.widget import Widget, WidgetVersion
from chatconnect.ports.clock import Clock
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
    key_reads: int = 0
    assistants: dict[tuple[TenantId, AssistantId], Assistant] = field(default_factory=dict)
    versions: dict[tuple[TenantId, AssistantId, int], Assistant] = field(default_factory=dict)
    saves: dict[tuple[TenantId, AssistantId, int], Save] = field(default_factory=dict)
    archived: dict[tuple[TenantId, AssistantId], datetime] = field(default_factory=dict)
    widgets: dict[tuple[TenantId, WidgetId], Widget] = field(default_factory=dict)
    widget_versions: dict[WidgetId, list[WidgetVersion]] = field(default_factory=dict)
    leads: dict[tuple[TenantId, VisitorId, WidgetId], Lead] = field(default_factory=dict)
    sessions: dict[SessionId, Session] = field(default_factory=dict)
    resets: dict[bytes, tuple[AccountId, datetime]] = field(default_factory=dict)

    def keep_widget(self, widget: Widget, author: AccountId | None) -> None:
        """Keep a widget, and its settings as a version."""
        emails = {account.id: account.email for account in self.accounts.values()}
        name = emails.get(author) if author else None
        version = WidgetVersion(widget.version, widget.config, widget.updated_at, author, name)
        self.widgets[widget.tenant_id, widget.id] = widget
        self.widget_versions.setdefault(widget.id, []).append(version)


class MemoryAccounts:
    """All accounts."""

    def __init__(self, stored: StoredTenants, clock: Clock = lambda: datetime.now(UTC)) -> None:
        self._stored, self._clock = stored, clock

    async def find_by_email(self, email: str) -> Account | None:
        return self._stored.accounts.get(email)

    async def get(self, account_id: AccountId) -> Account:
        for account in self._stored.accounts.values():
            if account.id == account_id:
                return account
        raise NotFound("account", account_id)

    async def set_password(self, account_id: AccountId, password_hash: Secret, *, keep: SessionId | None) -> None:
        account = await self.get(account_id)
        self._stored.accounts[account.email] = replace(account, password_hash=password_hash)
        self._forget_resets(account_id)
        self._end_sessions(account_id, keep)

    async def allow_reset(self, account_id: AccountId, token_hash: bytes, expires_at: datetime) -> None:
        self._forget_resets(account_id)
        self._stored.resets[token_hash] = (account_id, expires_at)

    async def use_reset(self, token_hash: bytes) -> AccountId | None:
        account_id, expires_at = self._stored.resets.get(token_hash, (None, None))
        if account_id is None or expires_at is None or expires_at <= self._clock():
            return None
        if (await self.get(account_id)).disabled_at is not None:
            return None
        del self._stored.resets[token_hash]
        return account_id

    async def set_disabled(self, account_id: AccountId, *, disabled: bool) -> None:
        account = await self.get(account_id)
        since = (account.disabled_at or self._clock()) if disabled else None
        self._stored.accounts[account.email] = replace(account, disabled_at=since)
        if disabled:
            self._end_sessions(account_id, None)

    def _forget_resets(self, account_id: AccountId) -> None:
        for token_hash, (whose, _) in list(self._stored.resets.items()):
            if whose == account_id:
                del self._stored.resets[token_hash]

    def _end_sessions(self, account_id: AccountId, keep: SessionId | None) -> None:
        for session in list(self._stored.sessions.values()):
            if session.account_id == account_id and session.ended_at is None and session.id != keep:
                self._stored.sessions[session.id] = replace(session, ended_at=self._clock())

    async def memberships(self, account_id: AccountId) -> Sequence[Member]:
        return [member for member in self._stored.members if member.account_id == account_id]

    async def open_tenant(self, new: NewTenant) -> None:
        if new.account.email in self._stored.accounts:
            raise Conflict("there is an account with this e-mail address", code="email_taken")
        self._stored.accounts[new.account.email] = new.account
        self._stored.tenants[new.tenant.id] = new.tenant
        self._stored.members.append(new.owner)
        self._stored.assistants[new.tenant.id, new.assistant.id] = new.assistant
        first = (new.tenant.id, new.assistant.id, new.assistant.version)
        author = Author(new.account.id, new.account.email)
        self._stored.versions[first] = new.assistant
        self._stored.saves[first] = Save(new.assistant.version, "", new.assistant.created_at, author)
        self._stored.keep_widget(new.widget, new.account.id)
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
        own = [widget for (tenant, _), widget in self._stored.widgets.items() if tenant == self._tenant_id]
        websites = {domain for widget in own for domain in widget.config.allowed_domains}
        return replace(self._stored.tenants[self._tenant_id], websites=tuple(sorted(websites)))

    async def save_controls(self, controls: TenantControls) -> None:
        self._stored.tenants[self._tenant_id] = replace(await self.get(), controls=controls)

    async def plan(self) -> Plan:
        tenant = await self.get()
        return replace(PLANS[tenant.plan], suspended=tenant.suspended_at is not None)

    async def assistant(self, assistant_id: AssistantId, version: int | None = None) -> Assistant:
        if version is not None:
            if (self._tenant_id, assistant_id, version) not in self._stored.versions:
                raise NotFound("assistant", assistant_id)
            config = self._stored.versions[self._tenant_id, assistant_id, version].config
            return replace(self._stored.assistants[self._tenant_id, assistant_id], config=config, version=version)
        for assistant in await self.assistants():
            if assistant.id == assistant_id:
                return assistant
        raise NotFound("assistant", assistant_id)

    async def newest(self, assistant_id: AssistantId) -> Assistant:
        answering = await self.assistant(assistant_id)
        newest = max(number for *whose, number in self._stored.versions if whose == [self._tenant_id, assistant_id])
        config = self._stored.versions[self._tenant_id, assistant_id, newest].config
        return replace(answering, config=config, version=newest)

    async def default_assistant(self) -> Assistant:
        for assistant in await self.assistants():
            if assistant.is_default:
                return assistant
        raise NotFound("assistant")

    async def assistants(self) -> Sequence[Assistant]:
        own = [
            assistant
            for (tenant, id_), assistant in self._stored.assistants.items()
            if tenant == self._tenant_id and (tenant, id_) not in self._stored.archived
        ]
        return sorted(own, key=lambda a: (not a.is_default, a.created_at, a.id))
