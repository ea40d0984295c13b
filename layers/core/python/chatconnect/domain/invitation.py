"""Invitations into a tenant, and who may give which role to whom."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Malformed
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chatconnect.domain.errors import Conflict, Unauthenticated
from chatconnect.domain.identifiers import InvitationId, MemberId, TenantId
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import Member, StaffRole

VALID_FOR = timedelta(days=7)
_PREFIX = "inv_"
_RANDOM_BYTES = 32
_TENANT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Invitation:
    """An offer of a place in a tenant to whoever reads the mail that went to an address."""

    id: InvitationId
    tenant_id: TenantId
    email: str
    role: StaffRole
    invited_by: MemberId | None
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None
    revoked_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether it can be accepted."""
        return self.accepted_at is None and self.revoked_at is None and now < self.expires_at

    def check_unanswered(self) -> None:
        """Raise Conflict with code "invitation_closed" when it was accepted or revoked."""
        if self.accepted_at is not None or self.revoked_at is not None:
            raise invitation_closed()


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member as the others in the tenant see them."""

    member: Member
    email: str
    joined_at: datetime


def make_invitation_token(tenant_id: TenantId) -> Secret:
    """Return a new token: it says which tenant it claims to be from, and is then looked up there by its hash."""
    text = urlsafe_b64encode(tenant_id.bytes + secrets.token_bytes(_RANDOM_BYTES)).decode()
    return Secret(_PREFIX + text)


def tenant_of_invitation(token: Secret) -> TenantId:
    """Return the tenant that the token claims to be from. Raises Unauthenticated with code "invitation_invalid"."""
    text = token.reveal()
    try:
        content = urlsafe_b64decode(text.removeprefix(_PREFIX).encode("ascii"))
    except (Malformed, ValueError) as error:
        raise invitation_invalid() from error
    if not text.startswith(_PREFIX) or len(content) != _TENANT_BYTES + _RANDOM_BYTES:
        raise invitation_invalid()
    return TenantId(UUID(bytes=content[:_TENANT_BYTES]))


def invitation_invalid() -> Unauthenticated:
    """Return the refusal of a token that no open invitation has."""
    return Unauthenticated("this invitation is not valid any more; please ask for another", code="invitation_invalid")


def invitation_closed() -> Conflict:
    """Return the refusal to change an invitation that somebody has answered or taken back."""
    return Conflict("this invitation was accepted or revoked", code="invitation_closed")


def check_may_give(own: StaffRole, role: StaffRole) -> None:
    """Raise Forbidden with code "role_required" unless somebody of the role `own` may make others what `role` is.

    Owners and admins may, up to what they are themselves.
    """
    own.check_covers(StaffRole.OWNER if role is StaffRole.OWNER else StaffRole.ADMIN)


def last_owner() -> Conflict:
    """Return the refusal to leave a tenant without an owner."""
    return Conflict("a company keeps at least one owner; make somebody else an owner first", code="last_owner")
