"""Where sessions, members, invitations and password resets are kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chatconnect.domain.identifiers import AccountId, InvitationId, MemberId, SessionId, TenantId
from chatconnect.domain.invitation import Colleague, Invitation
from chatconnect.domain.principals import SignedIn
from chatconnect.domain.secret import Secret
from chatconnect.domain.session import RefreshToken, Session
from chatconnect.domain.tenant import Account, Member, StaffRole
from chatconnect.ports.tenants import NewTenant


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody in their session, as things are now; `suspended` is the tenant."""

    signed_in: SignedIn
    suspended: bool


class Sessions(Protocol):
    """All sessions of the deployment. Tokens are known by their hash, 32 bytes."""

    async def begin(self, session: Session, token_hash: bytes, expires_at: datetime) -> None:
        """Store a new session with its first refresh token; what is over of the account's is forgotten."""
        ...

    async def find_token(self, token_hash: bytes) -> RefreshToken | None:
        """Return the refresh token with its session; none when the account is disabled."""
        ...

    async def exchange(
        self, token_hash: bytes, salt: bytes, successor_hash: bytes, expires_at: datetime, session: Session
    ) -> bool:
        """Use a token up at `session.last_used_at` and store its successor and the session as it is now.

        False, and nothing is changed, when somebody else was first.
        """
        ...

    async def standing(self, tenant_id: TenantId, account_id: AccountId, session_id: SessionId) -> Standing | None:
        """Return the account's place in the tenant, in one statement.

        None when the account is no member or disabled, or the session is over.
        """
        ...

    async def move(self, session_id: SessionId, tenant_id: TenantId) -> None:
        """Note that the session's member works in another tenant now."""
        ...

    async def of_account(self, account_id: AccountId) -> Sequence[Session]:
        """Return the account's open sessions, the one used last first."""
        ...

    async def end(self, account_id: AccountId, session_id: SessionId) -> bool:
        """End one session of the account; False when it has no such open one."""
        ...

    async def end_all(self, account_id: AccountId, *, but: SessionId | None = None) -> None:
        """End all sessions of the account, or all but one."""
        ...


class Accounts(Protocol):
    """People who can log in, of all tenants."""

    async def find_by_email(self, email: str) -> Account | None:
        """Return the account with this checked address, disabled or not."""
        ...

    async def get(self, account_id: AccountId) -> Account:
        """Return the account, disabled or not. Raises NotFound."""
        ...

    async def memberships(self, account_id: AccountId) -> Sequence[Member]:
        """Return the account's places, oldest first."""
        ...

    async def open_tenant(self, new: NewTenant) -> None:
        """Store a new tenant with all it starts with, all or nothing. Raises Conflict with code "email_taken"."""
        ...

    async def set_password(self, account_id: AccountId, password_hash: Secret, *, keep: SessionId | None) -> None:
        """Store a new password; resets that were asked for and all sessions but `keep` are over, all or nothing."""
        ...

    async def allow_reset(self, account_id: AccountId, token_hash: bytes, expires_at: datetime) -> None:
        """Remember who may set a new password; an earlier permission ends."""
        ...

    async def use_reset(self, token_hash: bytes) -> AccountId | None:
        """Use a permission up and return whose it was; none when there is none in force. Only one caller gets it."""
        ...

    async def set_disabled(self, account_id: AccountId, *, disabled: bool) -> None:
        """Keep somebody out, which ends their sessions, or let them in again. Raises NotFound."""
        ...


class Members(Protocol):
    """One tenant's members and invitations. Changes to members happen one after the other."""

    async def all(self) -> Sequence[Colleague]:
        """Return all members, owners first, then by the time they joined."""
        ...

    async def get(self, member_id: MemberId) -> Colleague:
        """Return one member. Raises NotFound."""
        ...

    async def change_role(self, member: Member, role: StaffRole) -> None:
        """Give a member another role; the open invitations they sent are revoked.

        Raises NotFound, Conflict with code "last_owner", or "member_changed" when the role is not `member.role` any
        more.
        """
        ...

    async def remove(self, member: Member) -> None:
        """Take a member's place away; the open invitations they sent are revoked. Raises what `change_role` raises."""
        ...

    async def hand_over(self, owner: Member, to: Member) -> None:
        """Make `to` an owner and `owner` an admin, both or neither. Raises NotFound, Conflict ("member_changed")."""
        ...

    async def invitations(self) -> Sequence[Invitation]:
        """Return the invitations that were neither accepted nor revoked, newest first."""
        ...

    async def invitation(self, invitation_id: InvitationId) -> Invitation:
        """Return one invitation. Raises NotFound."""
        ...

    async def invite(self, invitation: Invitation, token_hash: bytes) -> None:
        """Store a new invitation; an expired one to the same address is revoked.

        Raises Conflict with code "already_member", "already_invited" or "too_many_members" (of its plan).
        """
        ...

    async def renew(self, invitation: Invitation, token_hash: bytes) -> None:
        """Give an invitation a new token and its new end. Raises Conflict with code "invitation_closed"."""
        ...

    async def revoke(self, invitation_id: InvitationId) -> None:
        """End an invitation. Raises NotFound, Conflict with code "invitation_closed"."""
        ...

    async def find_invitation(self, token_hash: bytes) -> Invitation | None:
        """Return the invitation with this token, open or not."""
        ...

    async def accept(self, token_hash: bytes, account: Account, member_id: MemberId, *, is_new: bool) -> Member:
        """Give the account the place that it is invited to, and store the account when it is new; all or nothing.

        Raises Unauthenticated ("invitation_invalid") when the invitation is not open any more, Conflict
        ("already_member", "email_taken", "too_many_members").
        """
        ...


MembersOf = Callable[[TenantId], Members]
