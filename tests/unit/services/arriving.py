"""A tenant with its keys and its widget, and the services that let visitors and servers in."""

from dataclasses import dataclass, field, replace
from typing import Any

from chatconnect.adapters.identity_tokens import JwtIdentityTokens
from chatconnect.domain.identifiers import KeyId, MemberId, TenantId, new_id
from chatconnect.domain.keys import KeyKind, hash_of, make_key
from chatconnect.domain.principals import Staff, Visitor
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import StaffRole
from chatconnect.domain.widget import WidgetConfig
from chatconnect.ports.tenants import NewTenant
from chatconnect.services.chat_tokens import ChatTokens
from chatconnect.services.identities import IdentityService
from chatconnect.services.key_ring import KeyRing
from chatconnect.services.keys import KeyService
from chatconnect.services.visits import VisitService
from tests.factories import a_key, a_tenant
from tests.fakes.clock import SetClock
from tests.fakes.credentials import NumberedTokens
from tests.fakes.epochs import MemoryEpochs, StoredEpochs
from tests.fakes.keys import MemoryIdentitySecrets, MemoryKeys, StoredSecrets
from tests.fakes.tenants import MemoryTenants, StoredTenants
from tests.fakes.visitors import MemoryVisitors, StoredVisitors
from tests.fakes.widgets import MemoryWidgets

SITE = "https://acme.example"


@dataclass
class Arrival:
    """One tenant and what all processes share; each `VisitService` and `KeyRing` is a process's own."""

    new: NewTenant = field(default_factory=a_tenant)
    clock: SetClock = field(default_factory=SetClock)
    stored: StoredTenants = field(default_factory=StoredTenants)
    secrets: StoredSecrets = field(default_factory=StoredSecrets)
    visitors: StoredVisitors = field(default_factory=StoredVisitors)
    epochs: StoredEpochs = field(default_factory=StoredEpochs)
    signer: NumberedTokens = field(default_factory=NumberedTokens)

    def __post_init__(self) -> None:
        self.widget_key, self.secret_key = (self._moved_in(self.new, kind) for kind in KeyKind)
        widget = replace(self.new.widget, config=WidgetConfig(allowed_domains=("acme.example",)))
        self.stored.keep_widget(widget, None)

    @property
    def tenant_id(self) -> TenantId:
        return self.new.tenant.id

    @property
    def admin(self) -> Staff:
        return Staff(self.tenant_id, self.new.account.id, MemberId(new_id()), StaffRole.ADMIN)

    def key_ring(self) -> KeyRing:
        """A new process's ring."""
        return KeyRing(keys_of=self._keys_of, epochs=MemoryEpochs(self.epochs), clock=self.clock)

    def keys(self) -> KeyService:
        return KeyService(
            keys_of=self._keys_of,
            tenants_of=self._tenants_of,
            widgets_of=self._widgets_of,
            epochs=MemoryEpochs(self.epochs),
            clock=self.clock,
        )

    def identities(self) -> IdentityService:
        return IdentityService(
            secrets_of=lambda tenant_id: MemoryIdentitySecrets(self.secrets, tenant_id),
            tokens=JwtIdentityTokens(),
            clock=self.clock,
        )

    def visits(self) -> VisitService:
        """A new process's door."""
        return VisitService(
            keys=self.key_ring(),
            tenants_of=self._tenants_of,
            widgets_of=self._widgets_of,
            visitors_of=lambda tenant_id: MemoryVisitors(self.visitors, tenant_id),
            identities=self.identities(),
            tokens=ChatTokens(self.signer),
            clock=self.clock,
        )

    async def visitor(self) -> Visitor:
        """Somebody with a token for the widget's key."""
        given = await self.visits().chat_token(self.widget_key, SITE, None)
        return await ChatTokens(self.signer).read(Secret(given.token))

    def change_key(self, key: Secret, **changes: Any) -> None:
        """Change a key's row behind everybody's back."""
        place = (self.tenant_id, hash_of(key))
        self.stored.keys[place] = replace(self.stored.keys[place], **changes)

    def change_widget(self, **changes: Any) -> None:
        """Change the widget's configuration behind everybody's back."""
        place = (self.tenant_id, self.new.widget.id)
        widget = self.stored.widgets[place]
        self.stored.widgets[place] = replace(widget, config=replace(widget.config, **changes))

    def neighbour(self) -> tuple[NewTenant, Secret]:
        """Another tenant, with its secret key."""
        new = a_tenant("Globex")
        return new, self._moved_in(new, KeyKind.SECRET)

    def _moved_in(self, new: NewTenant, kind: KeyKind) -> Secret:
        tenant_id = new.tenant.id
        self.stored.tenants[tenant_id] = new.tenant
        self.stored.assistants[tenant_id, new.assistant.id] = new.assistant
        text = make_key(kind, tenant_id)
        row, _ = a_key(tenant_id, kind, id=KeyId(new_id()))
        self.stored.keys[tenant_id, hash_of(text)] = row
        return text

    def _keys_of(self, tenant_id: TenantId) -> MemoryKeys:
        return MemoryKeys(self.stored, tenant_id)

    def _widgets_of(self, tenant_id: TenantId) -> MemoryWidgets:
        return MemoryWidgets(self.stored, tenant_id)

    def _tenants_of(self, tenant_id: TenantId) -> MemoryTenants:
        return MemoryTenants(self.stored, tenant_id)
