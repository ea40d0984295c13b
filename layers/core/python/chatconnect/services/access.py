"""Who is asking: turns keys and tokens into principals. The only place where a TenantId becomes trusted."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from chatconnect.domain.errors import Invalid, Unauthenticated
from chatconnect.domain.identifiers import AccountId, AssistantId, MemberId, TenantId, VisitorId, new_id
from chatconnect.domain.keys import ApiKey, KeyKind, hash_of, tenant_claimed_by
from chatconnect.domain.origins import check_origin
from chatconnect.domain.principals import Server, Staff, Visitor
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import Plan, StaffRole, Tenant, checked_email
from chatconnect.domain.visitor import visitor_blocked
from chatconnect.domain.widget import Widget
from chatconnect.ports.clock import Clock
from chatconnect.ports.credentials import PasswordHasher, TokenSigner
from chatconnect.ports.tenants import Accounts, TenantsOf
from chatconnect.ports.visitors import VisitorsOf

CHAT_TOKEN_SECONDS = 3600
ACCESS_TOKEN_SECONDS = 900
_CHAT, _STAFF = "chat", "staff"


@dataclass(frozen=True, slots=True)
class ChatToken:
    """A visitor's pass: valid for `expires_in` seconds."""

    token: str
    expires_in: int
    visitor_id: VisitorId


@dataclass(frozen=True, slots=True)
class Session:
    """A staff member's pass: valid for `expires_in` seconds."""

    access_token: str
    expires_in: int
    staff: Staff


@dataclass(frozen=True, slots=True)
class WidgetVisit:
    """What a publishable key and a website lead to."""

    tenant: Tenant
    plan: Plan
    widget: Widget
    origin: str


class AccessService:
    """Authenticates visitors, servers and staff."""

    def __init__(
        self,
        *,
        tenants_of: TenantsOf,
        accounts: Accounts,
        chat_tokens: TokenSigner,
        access_tokens: TokenSigner,
        passwords: PasswordHasher,
        visitors_of: VisitorsOf,
        clock: Clock,
    ) -> None:
        self._tenants_of, self._accounts, self._visitors_of = tenants_of, accounts, visitors_of
        self._chat_tokens, self._access_tokens = chat_tokens, access_tokens
        self._passwords, self._clock = passwords, clock

    async def visit(self, key: Secret, origin: str | None) -> WidgetVisit:
        """Return the widget behind a publishable key, for a website that may use it.

        Raises Unauthenticated (unknown or ended key), Forbidden (the website).
        """
        found = await self._usable_key(key, KeyKind.PUBLISHABLE)
        tenants = self._tenants_of(found.tenant_id)
        widget = await tenants.widget_of(found)
        allowed = check_origin(origin, widget.config.allowed_domains)
        return WidgetVisit(await tenants.get(), await tenants.plan(), widget, allowed)

    async def chat_token(self, key: Secret, origin: str | None, visitor_id: UUID | None) -> ChatToken:
        """Exchange a publishable key for a visitor's token; a returning visitor keeps their id.

        Raises what `visit` raises, and Forbidden with code "visitor_blocked".
        """
        visit = await self.visit(key, origin)
        if visitor_id and await self._visitors_of(visit.tenant.id).is_blocked(VisitorId(visitor_id), self._clock()):
            raise visitor_blocked()
        visitor = VisitorId(visitor_id or new_id())
        claims = {
            "tenant": str(visit.tenant.id),
            "assistant": str(visit.widget.assistant_id),
            "visitor": str(visitor),
            "origin": visit.origin,
            "rate": str(visit.plan.requests_per_minute),
        }
        token = await self._chat_tokens.sign(_CHAT, claims, lifetime_seconds=CHAT_TOKEN_SECONDS)
        return ChatToken(token, CHAT_TOKEN_SECONDS, visitor)

    async def visitor(self, token: Secret) -> Visitor:
        """Return the visitor a chat token was made for; reads no database."""
        claims = await self._chat_tokens.verify(_CHAT, token.reveal())
        return Visitor(
            tenant_id=TenantId(_id(claims, "tenant")),
            assistant_id=AssistantId(_id(claims, "assistant")),
            visitor_id=VisitorId(_id(claims, "visitor")),
            origin=claims["origin"],
            requests_per_minute=int(claims["rate"]),
        )

    async def server(self, key: Secret) -> Server:
        """Return the server a secret key belongs to. Raises Unauthenticated."""
        found = await self._usable_key(key, KeyKind.SECRET)
        plan = await self._tenants_of(found.tenant_id).plan()
        return Server(found.tenant_id, found.id, found.assistant_id, plan.requests_per_minute)

    async def staff(self, token: Secret) -> Staff:
        """Return the member an access token was made for; reads no database."""
        claims = await self._access_tokens.verify(_STAFF, token.reveal())
        return Staff(
            tenant_id=TenantId(_id(claims, "tenant")),
            account_id=AccountId(_id(claims, "account")),
            member_id=MemberId(_id(claims, "member")),
            role=StaffRole(claims["role"]),
        )

    async def log_in(self, email: str, password: Secret) -> Session:
        """Check a password and return a session in the account's oldest tenant.

        Raises Unauthenticated with code "wrong_credentials", the same for an unknown address as for a wrong password.
        """
        try:
            account = await self._accounts.find_by_email(checked_email(email))
        except Invalid:
            account = None
        right = await self._passwords.verify(password, account.password_hash if account else None)
        members = await self._accounts.memberships(account.id) if account and right else ()
        if not members:
            raise Unauthenticated("the e-mail address or the password is wrong", code="wrong_credentials")
        member = members[0]
        return await self.open_session(Staff(member.tenant_id, member.account_id, member.id, member.role))

    async def open_session(self, staff: Staff) -> Session:
        """Return a session for a member who has just proved who they are."""
        claims = {
            "tenant": str(staff.tenant_id),
            "account": str(staff.account_id),
            "member": str(staff.member_id),
            "role": staff.role.value,
        }
        token = await self._access_tokens.sign(_STAFF, claims, lifetime_seconds=ACCESS_TOKEN_SECONDS)
        return Session(token, ACCESS_TOKEN_SECONDS, staff)

    async def _usable_key(self, key: Secret, kind: KeyKind) -> ApiKey:
        claimed = tenant_claimed_by(key, kind)
        found = await self._tenants_of(claimed).find_key(hash_of(key))
        if found is None or found.kind is not kind:
            raise Unauthenticated("this key is not known", code="unknown_key")
        found.check_usable(self._clock())
        return found


def _id(claims: Mapping[str, str], name: str) -> UUID:
    return UUID(claims[name])
