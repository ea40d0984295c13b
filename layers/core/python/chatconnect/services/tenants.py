"""Opening a tenant, and what is set for all of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from chatconnect.domain.assistant import Assistant, AssistantConfig
from chatconnect.domain.audit import ActorKind
from chatconnect.domain.controls import TenantControls
from chatconnect.domain.identifiers import (
    AccountId,
    AssistantId,
    KeyId,
    MemberId,
    TenantId,
    WidgetId,
    new_id,
)
from chatconnect.domain.keys import ApiKey, KeyKind, hash_of, hint_of, make_key
from chatconnect.domain.password import checked_password
from chatconnect.domain.principals import Staff
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import Account, Member, StaffRole, Tenant, checked_email
from chatconnect.domain.text import LONGEST_NAME, checked_name
from chatconnect.domain.widget import Widget, WidgetConfig
from chatconnect.ports.accounts import Accounts
from chatconnect.ports.audit import acts
from chatconnect.ports.clock import Clock
from chatconnect.ports.credentials import PasswordHasher
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.tenants import NewTenant, TenantsOf
from chatconnect.services.changes import changing

FIRST_PLAN = "free"


@dataclass(frozen=True, slots=True)
class DefaultModel:
    """The model that a new tenant's assistant starts with."""

    provider: str
    model: str
    base_url: str | None = None


@dataclass(frozen=True, slots=True)
class OpenedTenant:
    """A new tenant; its keys are shown here once and never again."""

    tenant: Tenant
    owner: Staff
    assistant: Assistant
    widget: Widget
    widget_key: Secret
    secret_key: Secret


class TenantService:
    """Opens tenants and manages what belongs to one. `default_model` is asked for when a tenant opens."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        tenants_of: TenantsOf,
        passwords: PasswordHasher,
        default_model: Callable[[], Awaitable[DefaultModel]],
        epochs: Epochs,
        clock: Clock,
    ) -> None:
        self._accounts, self._tenants_of, self._passwords = accounts, tenants_of, passwords
        self._default_model, self._epochs, self._clock = default_model, epochs, clock

    async def register(
        self, *, company: str, email: str, password: Secret, allowed_domains: Sequence[str] = ()
    ) -> OpenedTenant:
        """Open a tenant with its owner, a working assistant, a widget and a key of each kind (C8).

        Without allowed domains the widget works on this computer's own pages only (localhost).
        Raises Invalid, Conflict with code "email_taken", Unavailable.
        """
        name, now = checked_name(company, "the company", field="company"), self._clock()
        address, right_password = checked_email(email), checked_password(password)
        widget_config = WidgetConfig(allowed_domains=tuple(allowed_domains) or ("localhost", "127.0.0.1"))
        tenant = Tenant(TenantId(new_id()), name, FIRST_PLAN, now)
        account = Account(AccountId(new_id()), address, await self._passwords.hash(right_password))
        acts(ActorKind.MEMBER, account.id)
        owner = Member(MemberId(new_id()), tenant.id, account.id, StaffRole.OWNER)
        assistant = self._first_assistant(tenant, await self._default_model())
        widget = Widget(WidgetId(new_id()), tenant.id, assistant.id, name, widget_config, now)
        widget_key, widget_row = self._new_key(tenant.id, KeyKind.PUBLISHABLE, "Website")
        secret_key, secret_row = self._new_key(tenant.id, KeyKind.SECRET, "Server")
        await self._accounts.open_tenant(
            NewTenant(
                tenant,
                account,
                owner,
                assistant,
                widget,
                (widget_row, hash_of(widget_key)),
                (secret_row, hash_of(secret_key)),
            )
        )
        staff = Staff(tenant.id, account.id, owner.id, owner.role)
        return OpenedTenant(tenant, staff, assistant, widget, widget_key, secret_key)

    async def tenant(self, tenant_id: TenantId) -> Tenant:
        """Return the tenant."""
        return await self._tenants_of(tenant_id).get()

    async def controls(self, tenant_id: TenantId) -> TenantControls:
        """Return the control messages of the tenant and of its endpoints."""
        return (await self._tenants_of(tenant_id).get()).controls

    async def set_controls(self, tenant_id: TenantId, controls: TenantControls) -> None:
        """Replace the control messages of the tenant and of its endpoints."""
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await self._tenants_of(tenant_id).save_controls(controls)

    def _first_assistant(self, tenant: Tenant, first: DefaultModel) -> Assistant:
        config = AssistantConfig(
            name=f"{tenant.name} assistant"[:LONGEST_NAME],
            provider=first.provider,
            model=first.model,
            base_url=first.base_url,
        )
        now = self._clock()
        return Assistant(AssistantId(new_id()), tenant.id, config, 1, True, now, now)

    def _new_key(self, tenant_id: TenantId, kind: KeyKind, name: str) -> tuple[Secret, ApiKey]:
        key = make_key(kind, tenant_id)
        return key, ApiKey(KeyId(new_id()), tenant_id, kind, name, hint_of(key), self._clock())
