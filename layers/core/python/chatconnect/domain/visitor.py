"""Visitors as their tenant knows them, and the blocking of those who are not welcome."""

from dataclasses import dataclass
from datetime import datetime

from chatconnect.domain.errors import Forbidden, Invalid
from chatconnect.domain.identifiers import MemberId, VisitorId
from chatconnect.domain.moments import in_utc
from chatconnect.domain.text import cleaned

MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Block:
    """Keeps a visitor from writing. `until` None: until somebody unblocks them; `blocked_by` None: by a server."""

    reason: str
    blocked_at: datetime
    blocked_by: MemberId | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", cleaned(self.reason))
        if len(self.reason) > MAX_REASON:
            raise Invalid(f"a reason has at most {MAX_REASON} characters", details={"field": "reason"})
        if self.until is not None:
            object.__setattr__(self, "until", in_utc(self.until, "until"))

    def holds(self, at: datetime) -> bool:
        """Whether it is in force at a moment."""
        return self.until is None or at < self.until


@dataclass(frozen=True, slots=True)
class KnownVisitor:
    """A visitor who has written, or proven who they are. `external_id` is the tenant's own id of them.

    `merged_into` is the visitor whom this one, anonymous until then, turned out to be.
    """

    id: VisitorId
    first_seen_at: datetime
    last_seen_at: datetime
    external_id: str | None = None
    name: str | None = None
    email: str | None = None
    block: Block | None = None
    merged_into: VisitorId | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody knows who it is; then whoever has the id may go on as this visitor."""
        return self.external_id is None and self.merged_into is None


@dataclass(frozen=True, slots=True)
class Recognised:
    """A visitor who has proven who they are, and whether the conversations of the id that they came with are theirs."""

    visitor: KnownVisitor
    returning: bool


def visitor_blocked() -> Forbidden:
    """Return what a blocked visitor is told: not why, and not by whom."""
    return Forbidden("you cannot write here any more", code="visitor_blocked")
