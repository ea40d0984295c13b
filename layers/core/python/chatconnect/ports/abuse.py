"""What is remembered of visitors' behaviour: for minutes, to act on it, and for good, to look at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chatconnect.domain.abuse import Hold, Sighting, Signal, SignalKind
from chatconnect.domain.identifiers import ConversationId, MessageId, TenantId, VisitorId


@dataclass(frozen=True, slots=True)
class Noticed:
    """What is known of a visitor at the moment of a message.

    `wait` is how many seconds they still have to wait. `sightings` are the last ones, oldest first, the new one last;
    none when they are blocked or have to wait, or when nothing can be remembered just now.
    """

    blocked: bool = False
    wait: float = 0.0
    sightings: tuple[Sighting, ...] = ()


class Watch(Protocol):
    """The short memory that all processes share. Without it everybody passes but who is blocked."""

    async def notice(self, tenant_id: TenantId, visitor_id: VisitorId, sighting: Sighting) -> Noticed:
        """Remember a sighting and return what is known, in one round trip; of who waits, nothing is kept.

        When the memory is away, the database says who is blocked; when that is away, too, nobody is.
        """
        ...

    async def hold(self, tenant_id: TenantId, visitor_id: VisitorId, how_long: Hold) -> float:
        """Let a visitor wait and return how many seconds; they grow with each time. 0 when the memory is away.

        Whoever waits already does not wait longer for it.
        """
        ...

    async def blocks_changed(self, tenant_id: TenantId) -> None:
        """Let every process learn anew who is blocked, from its next question on; to be called after the change.

        When the memory is away it stays with what it has for at most five minutes after it is back.
        """
        ...


@dataclass(frozen=True, slots=True)
class Occasion:
    """When and where signals were seen. A question that was refused has no conversation and no message."""

    at: datetime
    conversation_id: ConversationId | None = None
    message_id: MessageId | None = None
    throttled: bool = False


@dataclass(frozen=True, slots=True)
class RecordedSignal:
    """All of one kind that one visitor (None: the tenant's servers) gave in an hour; the ids are those of the last.

    `score` is the highest there was.
    """

    id: int
    visitor_id: VisitorId | None
    kind: SignalKind
    score: int
    count: int
    reasons: tuple[str, ...]
    throttled: bool
    conversation_id: ConversationId | None
    message_id: MessageId | None
    first_seen_at: datetime
    last_seen_at: datetime


class Signals(Protocol):
    """One tenant's signals."""

    async def record(self, visitor_id: VisitorId | None, signals: Sequence[Signal], occasion: Occasion) -> None:
        """Add to what is recorded of the hour, all or nothing. Raises Unavailable."""
        ...

    async def list_newest(
        self,
        *,
        visitor_id: VisitorId | None = None,
        kind: SignalKind | None = None,
        throttled: bool | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> Sequence[RecordedSignal]:
        """Return signals by when the first of the hour was seen, newest first; `before` is the id of a signal."""
        ...


SignalsOf = Callable[[TenantId], Signals]
