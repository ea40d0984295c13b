"""What the services need from the fast shared memory: rates and journals."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatconnect.domain.events import Frame
from chatconnect.domain.identifiers import MessageId, TenantId


@dataclass(frozen=True, slots=True)
class Rate:
    """How many requests in a minute one visitor or key (`subject`) may make."""

    subject: str
    per_minute: int


class RateLimits(Protocol):
    """Counts requests in any minute."""

    async def check(self, tenant_id: TenantId, rate: Rate) -> None:
        """Count one request. Raises LimitReached with the seconds to wait; lets it pass when the counter is away."""
        ...


class Journal(Protocol):
    """One tenant's answers as they were streamed, kept for minutes so that a dropped stream can go on."""

    async def append(self, message_id: MessageId, frames: Sequence[Frame]) -> bool:
        """Keep frames, whose numbers rise by one, if there are any; say whether somebody asked to cancel the answer.

        To be called every second or so while the answer is made: those who follow it go by that. When the journal is
        away nothing is kept, and nobody asked.
        """
        ...

    def follow(self, message_id: MessageId, after: int) -> AsyncGenerator[Frame, None]:
        """Yield the frames with a number above `after`, first the kept ones, then new ones as they come, to the last.

        The last one comes also when its number is not above `after`, and KEEP_ALIVE now and then while nothing comes.
        Raises NotFound when nothing is kept under this id, or not all of it, Unavailable when the journal is away, or
        with code "answer_interrupted" when nobody has been making the answer for ten seconds.
        """
        ...

    async def request_cancel(self, message_id: MessageId) -> None:
        """Ask whoever generates this answer to stop. Raises Unavailable."""
        ...


JournalOf = Callable[[TenantId], Journal]
