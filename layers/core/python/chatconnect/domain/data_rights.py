"""What people may ask of their data: an archive of it, or its end; and how long it is kept at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import DataRequestId, MemberId, TenantId, VisitorId

WAITING_PERIOD = timedelta(hours=72)
"""How long after the request a tenant is erased; until then an owner can call it off."""
SETTLING = timedelta(minutes=1)
"""How long a tenant is closed before it is erased, so that what was under way has ended."""
ARCHIVES = "exports/"
"""What the keys of archives begin with, in the bucket of the uploads."""
ARCHIVE_KEPT = timedelta(days=7)
LINK_SECONDS = 900
LEASE = timedelta(minutes=2)
"""How long a run has a request for itself; it renews that with every step."""
MAX_DAYS = 3_650
# An answer, or a turn from the queue of those that had to wait, may be written after its visitor was erased. The queue
# keeps a message for 4 days, and for 14 more when it failed too often.
_LOOKED_AT_AGAIN = (timedelta(minutes=10), timedelta(days=1), timedelta(days=5), timedelta(days=20))


class RequestKind(StrEnum):
    """What is asked for."""

    EXPORT = "export"
    ERASE = "erase"


class RequestStatus(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"  # an erasure that can still be called off
    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"
    EXPIRED = "expired"  # an export whose archive is gone


@dataclass(frozen=True, slots=True)
class DataRequest:
    """An export or an erasure, of one visitor or (None) of the whole tenant.

    `progress` is where the next run goes on. `next_at` is when the job looks at it next, and while a run has it, until
    when. `receipt` says what was done, in figures; `signature` is the server's.
    """

    id: DataRequestId
    tenant_id: TenantId
    kind: RequestKind
    visitor_id: VisitorId | None
    requested_by: MemberId | None
    requested_at: datetime
    status: RequestStatus = RequestStatus.OPEN
    progress: Mapping[str, Any] = field(default_factory=dict)
    receipt: Mapping[str, Any] | None = None
    signature: str | None = None
    finished_at: datetime | None = None
    expires_at: datetime | None = None
    next_at: datetime | None = None

    @property
    def archive_key(self) -> str:
        """Where the archive of an export lies in the bucket."""
        return f"{ARCHIVES}{self.tenant_id}/{self.id}.zip"


def looked_at_again(finished_at: datetime, now: datetime) -> datetime | None:
    """Return when to look next for what came late for a visitor who was erased; None: not any more."""
    return next((finished_at + after for after in _LOOKED_AT_AGAIN if finished_at + after > now), None)


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days a tenant keeps conversations after their last message, and its audit log; None: for ever."""

    conversation_days: int | None = None
    audit_days: int | None = None

    def __post_init__(self) -> None:
        for name in ("conversation_days", "audit_days"):
            days = getattr(self, name)
            if days is not None and not 1 <= days <= MAX_DAYS:
                raise Invalid(f"data is kept for 1 to {MAX_DAYS:,} days, or for ever", details={"field": name})
