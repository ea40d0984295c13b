"""One tenant with its owner, and the services that are about people, on memory."""

from dataclasses import dataclass, field

from chatconnect.domain.identifiers import AccountId, MemberId, TenantId, new_id
from chatconnect.domain.invitation import Colleague
from chatconnect.domain.principals import SignedIn, Staff
from chatconnect.domain.secret import Secret
from chatconnect.domain.session import Session
from chatconnect.domain.tenant import Account, Member, StaffRole
from chatconnect.ports.tenants import NewTenant
from chatconnect.services.access import AccessService
from chatconnect.services.accounts import AccountService
from chatconnect.services.attempts import Attempts, Client
from chatconnect.services.key_ring import KeyRing
from chatconnect.services.members import InvitationService, MemberService
from chatconnect.services.operators import OperatorService
from chatconnect.services.sessions import Grant, SessionService
from tests.factories import a_tenant
from tests.fakes.audit import MemoryRefusedLogIns
from tests.fakes.clock import SetClock
from tests.fakes.credentials import NumberedTokens, PlainPasswords
from tests.fakes.epochs import MemoryEpochs, StoredEpochs
from tests.fakes.keys import MemoryKeys
from tests.fakes.operators import MemoryOperatedTenants
from tests.fakes.people import CollectedMail, MemoryMembers, MemorySessions, MemoryThrottle, StoredPeople
from tests.fakes.tenants import MemoryAccounts, MemoryTenants, StoredTenants

PASSWORD = Secret("correct horse battery")
NEW_PASSWORD = Secret("staple, and a horse")
HERE = Client("203.0.113.7", "Firefox")
DASHBOARD = "https://chat.example/dashboard/"


@dataclass
class House:
    """A tenant, whose owner is Ada, and everything that lets people in."""

    stored: StoredTenants = field(default_factory=StoredTenants)
    clock: SetClock = field(default_factory=SetClock)
    passwords: PlainPasswords = field(default_factory=PlainPasswords)
    throttle: MemoryThrottle = field(default_factory=MemoryThrottle)
    mail: CollectedMail = field(default_factory=CollectedMail)
    epochs: StoredEpochs = field(default_factory=StoredEpochs)
    copied: list[Session] = field(default_factory=list)
    refusals: MemoryRefusedLogIns = field(default_factory=MemoryRefusedLogIns)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.people = StoredPeople(self.stored)
        self.store = MemoryAccounts(self.stored, self.clock)
        sessions, tokens, attempts = MemorySessions(self.stored, self.clock), NumberedTokens(), Attempts(self.throttle)
        epochs = MemoryEpochs(self.epochs)
        self.access = AccessService(
            keys=KeyRing(keys_of=lambda tenant_id: MemoryKeys(self.stored, tenant_id), epochs=epochs, clock=self.clock),
            tenants_of=self.tenants_of,
            sessions=sessions,
            chat_tokens=NumberedTokens(),
            access_tokens=tokens,
            clock=self.clock,
        )
        self.sessions = SessionService(
            sessions=sessions,
            accounts=self.store,
            tenants_of=self.tenants_of,
            access_tokens=tokens,
            passwords=self.passwords,
            attempts=attempts,
            refusals=self.refusals,
            on_reuse=self.copied.append,
            clock=self.clock,
            telling_seconds=0,
        )
        self.accounts = AccountService(
            accounts=self.store,
            passwords=self.passwords,
            mailer=self.mail,
            attempts=attempts,
            dashboard_url=DASHBOARD,
            on_fault=lambda what, _: self.faults.append(what),
            clock=self.clock,
            asking_seconds=0,
        )
        self.members = MemberService(members_of=self.members_of)
        self.invitations = InvitationService(
            members_of=self.members_of,
            accounts=self.store,
            tenants_of=self.tenants_of,
            passwords=self.passwords,
            mailer=self.mail,
            attempts=attempts,
            dashboard_url=DASHBOARD,
            clock=self.clock,
        )
        self.operators = OperatorService(
            tenants=MemoryOperatedTenants(self.stored, self.clock), accounts=self.store, epochs=epochs
        )

    def tenants_of(self, tenant_id: TenantId) -> MemoryTenants:
        return MemoryTenants(self.stored, tenant_id)

    def members_of(self, tenant_id: TenantId) -> MemoryMembers:
        return MemoryMembers(self.people, tenant_id, self.clock)

    async def tenant(self, name: str = "Acme", *, owner: Account | None = None) -> NewTenant:
        """Another tenant; its owner has PASSWORD."""
        new = a_tenant(name, email=f"ada@{name.lower()}.example")
        account = owner or Account(new.account.id, new.account.email, await self.passwords.hash(PASSWORD))
        await self.store.open_tenant(new)
        del self.stored.accounts[new.account.email]
        self.stored.accounts[account.email] = account
        member = Member(new.owner.id, new.tenant.id, account.id, StaffRole.OWNER)
        self.stored.members[self.stored.members.index(new.owner)] = member
        return NewTenant(new.tenant, account, member, new.assistant, new.widget, new.widget_key, new.secret_key)

    async def member(self, tenant_id: TenantId, role: StaffRole, name: str = "") -> Staff:
        """Somebody new in a tenant, with PASSWORD."""
        email = f"{name or role}-{len(self.stored.accounts)}@example.com"
        account = Account(AccountId(new_id()), email, await self.passwords.hash(PASSWORD))
        self.stored.accounts[email] = account
        member = Member(MemberId(new_id()), tenant_id, account.id, role)
        self.stored.members.append(member)
        return Staff(tenant_id, account.id, member.id, role)

    async def log_in(self, email: str, client: Client = HERE, **more: TenantId) -> Grant:
        return await self.sessions.log_in(email, PASSWORD, client, **more)

    async def person(self, grant: Grant) -> SignedIn:
        """Whom a grant lets in."""
        return await self.access.signed_in(Secret(grant.access_token))

    async def colleagues(self, tenant_id: TenantId) -> list[Colleague]:
        return list(await self.members.all(tenant_id))


def staff_of(new: NewTenant) -> Staff:
    """The owner of a tenant as a principal."""
    return Staff(new.tenant.id, new.owner.account_id, new.owner.id, new.owner.role)
