"""Who is asking. Made in one place, after authentication; everything else takes them as proof."""

from dataclasses import dataclass

from chatconnect.domain.errors import Forbidden
from chatconnect.domain.identifiers import AccountId, AssistantId, KeyId, MemberId, TenantId, VisitorId
from chatconnect.domain.tenant import StaffRole


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody in a widget, known by a chat token. The rate travels in the token, so a limit needs no database read."""

    tenant_id: TenantId
    assistant_id: AssistantId
    visitor_id: VisitorId
    origin: str
    requests_per_minute: int


@dataclass(frozen=True, slots=True)
class Server:
    """A tenant's own server, known by a secret key; bound to one assistant when the key is."""

    tenant_id: TenantId
    key_id: KeyId
    assistant_id: AssistantId | None
    requests_per_minute: int


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of a tenant, known by an access token."""

    tenant_id: TenantId
    account_id: AccountId
    member_id: MemberId
    role: StaffRole

    def check_may(self, needed: StaffRole) -> None:
        """Raise Forbidden with code "role_required" when the role does not cover the needed one."""
        _check_covers(self.role, needed)


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose conversations somebody may read: one visitor's, or all of the tenant's when there is no visitor.

    `role` is a member's; visitors and servers have none.
    """

    tenant_id: TenantId
    visitor_id: VisitorId | None
    role: StaffRole | None = None

    def check_may(self, needed: StaffRole) -> None:
        """Raise Forbidden with code "role_required" when it is a member whose role does not cover the needed one."""
        _check_covers(self.role, needed)


Asker = Visitor | Server
TenantSide = Staff | Server


def _check_covers(role: StaffRole | None, needed: StaffRole) -> None:
    if role is not None and not role.covers(needed):
        raise Forbidden(f"this needs the role {needed}", code="role_required", details={"role": needed.value})
