"""What the services need from the fast shared memory: rates and journals."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from chatconnect.domain.events import Frame
from chatconnect.domain.identifiers import MessageId, TenantId


class RateLimits(Protocol):
    """Counts requests per minute."""

    async def check(self, tenant_id: TenantId, subject: str, per_minute: int) -> None:
        """Count one request. Raises LimitReached with the seconds to wait; lets it pass when the counter is away."""
        ...


class Journal(Protocol):
    """One tenant's answers as they were streamed, kept for minutes so that a dropped stream can go on."""

    async def append(self, message_id: MessageId, frames: Sequence[Frame]) -> None:
        """Keep frames; their numbers rise by one. Quietly does nothing when the journal is away."""
        ...

    def follow(self, message_id: MessageId, after: int) -> AsyncIterator[Frame]:
        """Yield the frames with a number above `after`, first the kept ones, then new ones as they come, to the last.

        Waits at most 20 s for a next one. Raises NotFound when nothing is kept under this id, Unavailable when the
        journal is away.
        """
        ...

    async def request_cancel(self, message_id: MessageId) -> None:
        """Ask whoever generates this answer to stop. Raises Unavailable."""
        ...

    async def cancel_requested(self, message_id: MessageId) -> bool:
        """Say whether somebody asked; False when the journal is away."""
        ...


JournalOf = Callable[[TenantId], Journal]
