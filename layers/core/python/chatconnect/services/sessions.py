"""Logging in, staying logged in, and logging out."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chatconnect.domain.errors import Forbidden, Invalid, NotFound, Unauthenticated
from chatconnect.domain.identifiers import SessionId, TenantId, new_id
from chatconnect.domain.keys import hash_of
from chatconnect.domain.password import comparable
from chatconnect.domain.principals import SignedIn, Staff
from chatconnect.domain.secret import Secret
from chatconnect.domain.session import (
    ACCESS_TOKEN_SECONDS,
    LONGEST,
    MAX_DEVICE,
    STAFF_AUDIENCE,
    RefreshToken,
    Session,
    first_token,
    new_salt,
    session_ended,
    successor,
)
from chatconnect.domain.tenant import Member, Tenant, checked_email
from chatconnect.domain.text import cleaned
from chatconnect.ports.accounts import Accounts, Sessions
from chatconnect.ports.audit import RefusedLogIns
from chatconnect.ports.clock import Clock
from chatconnect.ports.credentials import PasswordHasher, TokenSigner
from chatconnect.ports.tenants import TenantsOf
from chatconnect.services.accounts import taking
from chatconnect.services.attempts import REGISTRATIONS_FROM_ADDRESS, Attempts, Client

_LONGEST_CHAIN = 20

OnReuse = Callable[[Session], None]


@dataclass(frozen=True, slots=True)
class Grant:
    """A pass of `expires_in` seconds, and what to get the next one with; without one the present one stays."""

    access_token: str
    expires_in: int
    staff: Staff
    session_id: SessionId
    refresh_token: Secret | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant in which somebody works, and as what."""

    member: Member
    tenant: Tenant


class SessionService:
    """Opens, continues and ends the sessions of staff. `on_reuse` is told of a refresh token that was copied.

    Telling of a log-in that failed takes `telling_seconds`, so that its length does not say who has an account.
    """

    def __init__(
        self,
        *,
        sessions: Sessions,
        accounts: Accounts,
        tenants_of: TenantsOf,
        access_tokens: TokenSigner,
        passwords: PasswordHasher,
        attempts: Attempts,
        refusals: RefusedLogIns,
        on_reuse: OnReuse,
        clock: Clock,
        telling_seconds: float = 0.05,
    ) -> None:
        self._sessions, self._accounts, self._tenants_of = sessions, accounts, tenants_of
        self._access_tokens, self._passwords, self._attempts = access_tokens, passwords, attempts
        self._refusals, self._telling_seconds = refusals, telling_seconds
        self._on_reuse, self._clock = on_reuse, clock

    async def log_in(self, email: str, password: Secret, client: Client, *, tenant_id: TenantId | None = None) -> Grant:
        """Check a password and open a session in the tenant that is asked for, or else in the oldest.

        Raises Unauthenticated with code "wrong_credentials", the same for an unknown address as for a wrong password;
        LimitReached; Forbidden with code "not_a_member" for somebody who is known, but not there.
        """
        try:
            address = checked_email(email)
        except Invalid:
            address = ""
        await self._attempts.try_password(client, address)
        account = await self._accounts.find_by_email(address) if address else None
        if account is not None and account.disabled_at is not None:
            account = None
        right = await self._passwords.verify(comparable(password), account.password_hash if account else None)
        members = await self._accounts.memberships(account.id) if account and right else ()
        if account is None or not members:
            async with taking(self._telling_seconds):
                await self._refusals.note_refusal(account.id if account else None)
            raise Unauthenticated("the e-mail address or the password is wrong", code="wrong_credentials")
        await self._attempts.passed(address)
        member = next((each for each in members if each.tenant_id == tenant_id), None) if tenant_id else members[0]
        if member is None:
            raise Forbidden("you are no member of this company", code="not_a_member")
        return await self.open(_staff(member), client)

    async def open(self, staff: Staff, client: Client) -> Grant:
        """Open a session for a member who has just proved who they are."""
        now, token = self._clock(), first_token()
        device = cleaned(client.device)[:MAX_DEVICE]
        session = Session(SessionId(new_id()), staff.account_id, staff.tenant_id, device, now, now, now + LONGEST)
        await self._sessions.begin(session, hash_of(token), session.next_token_expires(now))
        return await self._grant(staff, session.id, token)

    async def count_registration(self, client: Client) -> None:
        """Count a company that is about to register. Raises LimitReached."""
        await self._attempts.count_from(client, REGISTRATIONS_FROM_ADDRESS)

    async def refresh(self, token: Secret, client: Client) -> Grant:
        """Exchange a refresh token for its successor and a new pass.

        Raises Unauthenticated with code "session_ended". A token that was used before, and not only just now, was
        copied: it ends its session, whoever has the newest token.
        """
        now, followed = self._clock(), False
        for _ in range(_LONGEST_CHAIN):
            found = await self._sessions.find_token(hash_of(token))
            if found is None:
                raise session_ended()
            found.check_open(now)
            if found.salt is not None:
                await self._check_by_chance(found)
                token, followed = successor(token, found.salt), True
                continue
            staff = await self._still_member(found.session)
            following = token if followed else await self._exchange(token, found, staff, client)
            if following is not None:
                return await self._grant(staff, found.session.id, following)
        raise session_ended()

    async def switch(self, signed_in: SignedIn, tenant_id: TenantId) -> Grant:
        """Go on in another tenant. Raises NotFound when the person is no member there."""
        standing = await self._sessions.standing(tenant_id, signed_in.staff.account_id, signed_in.session_id)
        if standing is None:
            raise NotFound("tenant", tenant_id)
        await self._sessions.move(signed_in.session_id, tenant_id)
        return await self._grant(standing.signed_in.staff, signed_in.session_id)

    async def places(self, signed_in: SignedIn) -> Sequence[Place]:
        """Return where the person is a member, oldest first."""
        members = await self._accounts.memberships(signed_in.staff.account_id)
        tenants = await asyncio.gather(*(self._tenants_of(member.tenant_id).get() for member in members))
        return [Place(member, tenant) for member, tenant in zip(members, tenants, strict=True)]

    async def all(self, signed_in: SignedIn) -> Sequence[Session]:
        """Return the person's open sessions, the one used last first."""
        return await self._sessions.of_account(signed_in.staff.account_id)

    async def log_out(self, token: Secret) -> None:
        """End the session of a refresh token, if there is one."""
        found = await self._sessions.find_token(hash_of(token))
        if found is not None:
            await self._sessions.end(found.session.account_id, found.session.id)

    async def end(self, signed_in: SignedIn, session_id: SessionId) -> None:
        """End one of the person's sessions; its passes stop at once. Raises NotFound."""
        if not await self._sessions.end(signed_in.staff.account_id, session_id):
            raise NotFound("session", session_id)

    async def end_all(self, signed_in: SignedIn, *, keep_current: bool) -> None:
        """End all of the person's sessions, or all but this one."""
        await self._sessions.end_all(signed_in.staff.account_id, but=signed_in.session_id if keep_current else None)

    async def _check_by_chance(self, found: RefreshToken) -> None:
        """Raise Unauthenticated, and end the session, when a used token comes back too late for a coincidence."""
        if not found.used_just_now(self._clock()):
            await self._sessions.end(found.session.account_id, found.session.id)
            self._on_reuse(found.session)
            raise session_ended()

    async def _still_member(self, session: Session) -> Staff:
        """Return the person in the session's tenant, or in their oldest when they have no place there any more."""
        members = await self._accounts.memberships(session.account_id)
        if not members:
            await self._sessions.end(session.account_id, session.id)
            raise session_ended()
        return _staff(next((each for each in members if each.tenant_id == session.tenant_id), members[0]))

    async def _exchange(self, token: Secret, found: RefreshToken, staff: Staff, client: Client) -> Secret | None:
        """Use the token up and return its successor; None when somebody else was first."""
        now, salt = self._clock(), new_salt()
        following = successor(token, salt)
        session = found.session.used_in(staff.tenant_id, cleaned(client.device)[:MAX_DEVICE], now)
        expires_at = session.next_token_expires(now)
        used = await self._sessions.exchange(hash_of(token), salt, hash_of(following), expires_at, session)
        return following if used else None

    async def _grant(self, staff: Staff, session_id: SessionId, refresh_token: Secret | None = None) -> Grant:
        claims = {"tenant": str(staff.tenant_id), "account": str(staff.account_id), "session": str(session_id)}
        token = await self._access_tokens.sign(STAFF_AUDIENCE, claims, lifetime_seconds=ACCESS_TOKEN_SECONDS)
        return Grant(token, ACCESS_TOKEN_SECONDS, staff, session_id, refresh_token)


def _staff(member: Member) -> Staff:
    return Staff(member.tenant_id, member.account_id, member.id, member.role)
