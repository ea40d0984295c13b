"""Sessions, members, invitations, throttles and mail in memory."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from chatconnect.domain.errors import Conflict, LimitReached, NotFound, Unavailable
from chatconnect.domain.identifiers import AccountId, InvitationId, MemberId, SessionId, TenantId
from chatconnect.domain.invitation import Colleague, Invitation, invitation_invalid, last_owner
from chatconnect.domain.principals import SignedIn, Staff
from chatconnect.domain.session import RefreshToken, Session
from chatconnect.domain.tenant import Account, Member, StaffRole
from chatconnect.ports.accounts import Standing
from chatconnect.ports.clock import Clock
from chatconnect.ports.mail import Mail
from chatconnect.ports.throttle import Allowance
from tests.fakes.tenants import StoredTenants


def _now() -> datetime:
    return datetime.now(UTC)


class MemorySessions:
    """All sessions; they are kept beside the accounts, which end them."""

    def __init__(self, stored: StoredTenants, clock: Clock = _now) -> None:
        self._stored, self._clock = stored, clock
        self.tokens: dict[bytes, tuple[SessionId, RefreshToken]] = {}

    async def begin(self, session: Session, token_hash: bytes, expires_at: datetime) -> None:
        self._stored.sessions[session.id] = session
        self.tokens[token_hash] = (session.id, RefreshToken(session, expires_at))

    async def find_token(self, token_hash: bytes) -> RefreshToken | None:
        if token_hash not in self.tokens:
            return None
        session_id, token = self.tokens[token_hash]
        session = self._stored.sessions[session_id]
        return None if self._account(session.account_id).disabled_at else replace(token, session=session)

    async def exchange(
        self, token_hash: bytes, salt: bytes, successor_hash: bytes, expires_at: datetime, session: Session
    ) -> bool:
        session_id, token = self.tokens[token_hash]
        if token.used_at is not None or self._stored.sessions[session_id].ended_at is not None:
            return False
        self._stored.sessions[session_id] = session
        self.tokens[token_hash] = (session_id, replace(token, used_at=session.last_used_at, salt=salt))
        self.tokens[successor_hash] = (session_id, RefreshToken(session, expires_at))
        return True

    async def standing(self, tenant_id: TenantId, account_id: AccountId, session_id: SessionId) -> Standing | None:
        session, account = self._stored.sessions.get(session_id), self._account(account_id)
        if session is None or session.account_id != account_id or not session.is_open(self._clock()):
            return None
        for member in self._stored.members:
            if (member.tenant_id, member.account_id) == (tenant_id, account_id) and account.disabled_at is None:
                staff = Staff(tenant_id, account_id, member.id, member.role)
                suspended = self._stored.tenants[tenant_id].suspended_at is not None
                return Standing(SignedIn(staff, session_id, account.email, account.is_operator), suspended)
        return None

    async def move(self, session_id: SessionId, tenant_id: TenantId) -> None:
        self._stored.sessions[session_id] = replace(self._stored.sessions[session_id], tenant_id=tenant_id)

    async def of_account(self, account_id: AccountId) -> Sequence[Session]:
        now = self._clock()
        usable = {id_ for id_, token in self.tokens.values() if token.used_at is None and token.expires_at > now}
        own = [each for each in self._stored.sessions.values() if each.account_id == account_id]
        found = [each for each in own if each.is_open(now) and each.id in usable]
        return sorted(found, key=lambda each: (each.last_used_at, each.id), reverse=True)

    async def end(self, account_id: AccountId, session_id: SessionId) -> bool:
        session = self._stored.sessions.get(session_id)
        if session is None or session.account_id != account_id or session.ended_at is not None:
            return False
        self._stored.sessions[session_id] = replace(session, ended_at=self._clock())
        return True

    async def end_all(self, account_id: AccountId, *, but: SessionId | None = None) -> None:
        for session_id in list(self._stored.sessions):
            if session_id != but:
                await self.end(account_id, session_id)

    def _account(self, account_id: AccountId) -> Account:
        return next(account for account in self._stored.accounts.values() if account.id == account_id)


@dataclass
class StoredPeople:
    """The invitations of all tenants with their tokens' hashes, and when members joined."""

    tenants: StoredTenants
    invitations: dict[InvitationId, tuple[bytes, Invitation]] = field(default_factory=dict)
    joined: dict[MemberId, datetime] = field(default_factory=dict)


class MemoryMembers:
    """One tenant's members and invitations."""

    def __init__(self, stored: StoredPeople, tenant_id: TenantId, clock: Clock = _now) -> None:
        self._stored, self._tenant_id, self._clock = stored, tenant_id, clock

    async def all(self) -> Sequence[Colleague]:
        own = [self._colleague(each) for each in self._stored.tenants.members if each.tenant_id == self._tenant_id]
        return sorted(own, key=lambda each: (each.member.role is not StaffRole.OWNER, each.joined_at, each.member.id))

    async def get(self, member_id: MemberId) -> Colleague:
        for colleague in await self.all():
            if colleague.member.id == member_id:
                return colleague
        raise NotFound("member", member_id)

    async def change_role(self, member: Member, role: StaffRole) -> None:
        await self._check_unchanged(member)
        await self._check_owner_stays(member, role)
        self._put(member, replace(member, role=role))
        self._revoke_sent_by(member)

    async def remove(self, member: Member) -> None:
        await self._check_unchanged(member)
        await self._check_owner_stays(member, None)
        self._put(member, None)
        self._revoke_sent_by(member)

    async def hand_over(self, owner: Member, to: Member) -> None:
        for member in (owner, to):
            await self._check_unchanged(member)
        self._put(to, replace(to, role=StaffRole.OWNER))
        self._put(owner, replace(owner, role=StaffRole.ADMIN))

    async def invitations(self) -> Sequence[Invitation]:
        own = [each for _, each in self._own() if each.accepted_at is None and each.revoked_at is None]
        return sorted(own, key=lambda each: (each.created_at, each.id), reverse=True)

    async def invitation(self, invitation_id: InvitationId) -> Invitation:
        for _, invitation in self._own():
            if invitation.id == invitation_id:
                return invitation
        raise NotFound("invitation", invitation_id)

    async def invite(self, invitation: Invitation, token_hash: bytes) -> None:
        if invitation.email in {each.email for each in await self.all()}:
            raise Conflict("a member already", code="already_member")
        for earlier in await self.invitations():
            if earlier.email == invitation.email and earlier.expires_at <= invitation.created_at:
                await self.revoke(earlier.id)
        if invitation.email in {each.email for each in await self.invitations()}:
            raise Conflict("invited already", code="already_invited")
        self._stored.invitations[invitation.id] = (token_hash, invitation)

    async def renew(self, invitation: Invitation, token_hash: bytes) -> None:
        (await self.invitation(invitation.id)).check_unanswered()
        self._stored.invitations[invitation.id] = (token_hash, invitation)

    async def revoke(self, invitation_id: InvitationId) -> None:
        invitation = await self.invitation(invitation_id)
        invitation.check_unanswered()
        self._change(replace(invitation, revoked_at=self._clock()))

    async def find_invitation(self, token_hash: bytes) -> Invitation | None:
        return next((each for known, each in self._own() if known == token_hash), None)

    async def accept(self, token_hash: bytes, account: Account, member_id: MemberId, *, is_new: bool) -> Member:
        invitation, accounts = await self.find_invitation(token_hash), self._stored.tenants.accounts
        if invitation is None or not invitation.is_open(self._clock()):
            raise invitation_invalid()
        if is_new and account.email in accounts:
            raise Conflict("there is an account", code="email_taken")
        if account.email in {each.email for each in await self.all()}:
            raise Conflict("a member already", code="already_member")
        accounts.setdefault(account.email, account)
        self._change(replace(invitation, accepted_at=self._clock()))
        member = Member(member_id, self._tenant_id, account.id, invitation.role)
        self._stored.tenants.members.append(member)
        self._stored.joined[member_id] = self._clock()
        return member

    def _colleague(self, member: Member) -> Colleague:
        accounts = self._stored.tenants.accounts.values()
        email = next(account.email for account in accounts if account.id == member.account_id)
        opened = self._stored.tenants.tenants[self._tenant_id].created_at
        return Colleague(member, email, self._stored.joined.get(member.id, opened))

    async def _check_unchanged(self, member: Member) -> None:
        if (await self.get(member.id)).member.role is not member.role:
            raise Conflict("changed meanwhile", code="member_changed")

    async def _check_owner_stays(self, member: Member, role: StaffRole | None) -> None:
        owners = [each.member for each in await self.all() if each.member.role is StaffRole.OWNER]
        if owners == [member] and role is not StaffRole.OWNER:
            raise last_owner()

    def _put(self, member: Member, changed: Member | None) -> None:
        members = self._stored.tenants.members
        place = next(number for number, each in enumerate(members) if each.id == member.id)
        members[place : place + 1] = [] if changed is None else [changed]

    def _revoke_sent_by(self, member: Member) -> None:
        for _, each in self._own():
            if each.invited_by == member.id and each.accepted_at is None and each.revoked_at is None:
                self._change(replace(each, revoked_at=self._clock()))

    def _own(self) -> list[tuple[bytes, Invitation]]:
        return [each for each in self._stored.invitations.values() if each[1].tenant_id == self._tenant_id]

    def _change(self, invitation: Invitation) -> None:
        token_hash, _ = self._stored.invitations[invitation.id]
        self._stored.invitations[invitation.id] = (token_hash, invitation)


class MemoryThrottle:
    """Counts without ever forgetting by itself."""

    def __init__(self) -> None:
        self.counted: Counter[tuple[str, str]] = Counter()

    async def count(self, allowance: Allowance, subject: str) -> None:
        if self.counted[allowance.name, subject] >= allowance.times:
            raise LimitReached("too many", code="too_many_attempts", retry_after=60)
        self.counted[allowance.name, subject] += 1

    async def forget(self, allowance: Allowance, subject: str) -> None:
        del self.counted[allowance.name, subject]


class CollectedMail:
    """Keeps every mail; refuses them while it is `away`."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []
        self.away = False

    async def send(self, mail: Mail) -> None:
        if self.away:
            raise Unavailable("the mail service")
        self.sent.append(mail)

    def token(self, name: str) -> str:
        """The token in the link of the newest mail."""
        return self.sent[-1].text.partition(f"#{name}=")[2].split()[0]
