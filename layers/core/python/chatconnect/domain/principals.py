"""Who is asking. Made in one place, after authentication; everything else takes them as proof."""

from dataclasses import dataclass

from chatconnect.domain.errors import Forbidden
from chatconnect.domain.identifiers import AccountId, AssistantId, KeyId, MemberId, SessionId, TenantId, VisitorId
from chatconnect.domain.keys import ALL_SCOPES, Scope
from chatconnect.domain.tenant import StaffRole


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody in a widget, known by a chat token. The rate travels in the token, so a limit needs no database read.

    `external_id` is the tenant's own id of a visitor whose identity was proven for this token, `key_id` the publishable
    key that it was given for: the token ends with it.
    """

    tenant_id: TenantId
    assistant_id: AssistantId
    visitor_id: VisitorId
    origin: str
    requests_per_minute: int
    external_id: str | None = None
    key_id: KeyId | None = None

    def check_website(self, origin: str) -> None:
        """Raise Forbidden with code "origin_not_allowed" on another website than the one that the token is for."""
        if origin.lower() != self.origin.lower():
            raise Forbidden("this token belongs to another website", code="origin_not_allowed")


@dataclass(frozen=True, slots=True)
class Server:
    """A tenant's own server, known by a secret key; bound to one assistant when the key is."""

    tenant_id: TenantId
    key_id: KeyId
    assistant_id: AssistantId | None
    requests_per_minute: int
    scopes: frozenset[Scope] = ALL_SCOPES

    def check_may(self, needed: frozenset[Scope]) -> None:
        """Raise Forbidden with code "scope_required" when its key lacks one of the scopes."""
        lacking = sorted(needed - self.scopes)
        if lacking:
            message = f"this key lacks the scope {lacking[0]}"
            raise Forbidden(message, code="scope_required", details={"scopes": lacking})


@dataclass(frozen=True, slots=True)
class Staff:
    """A member of a tenant, known by an access token."""

    tenant_id: TenantId
    account_id: AccountId
    member_id: MemberId
    role: StaffRole

    def check_may(self, needed: StaffRole) -> None:
        """Raise Forbidden with code "role_required" when the role does not cover the needed one."""
        self.role.check_covers(needed)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person in their session; `staff` is the place in which they work now."""

    staff: Staff
    session_id: SessionId
    email: str
    is_operator: bool = False

    def check_operator(self) -> None:
        """Raise Forbidden with code "operator_required" when the person does not run the platform."""
        if not self.is_operator:
            raise Forbidden("this is for the platform's operators", code="operator_required")


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
        if self.role is not None:
            self.role.check_covers(needed)


Asker = Visitor | Server
TenantSide = Staff | Server
