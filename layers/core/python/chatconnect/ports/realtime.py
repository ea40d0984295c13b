"""Messages to whoever is connected by a WebSocket at the moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatconnect.domain.identifiers import TenantId, VisitorId

Message = Mapping[str, object]
"""What is sent as JSON; its `type` says what it is."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a message is for: all of a tenant's staff, or one of its visitors."""

    tenant_id: TenantId
    visitor_id: VisitorId | None = None


class Publisher(Protocol):
    """Where messages go out."""

    async def publish(self, audience: Audience, message: Message) -> None:
        """Send to everybody of the audience who is connected, and to nobody else.

        Never raises: what does not get through is lost, and whoever missed it asks the API.
        """
        ...


class Listeners(Protocol):
    """Who is connected. A connection is of one audience, and forgotten when its time is over."""

    async def add(self, connection_id: str, audience: Audience, *, seconds: int, most: int) -> bool:
        """Let a connection hear for so many seconds from now on; False when it is another audience's.

        Raises LimitReached when `most` others of the audience are connected, Unavailable.
        """
        ...

    async def of(self, audience: Audience) -> Sequence[str]:
        """Return the audience's connections. Raises Unavailable."""
        ...

    async def gone(self, connection_id: str, audience: Audience) -> None:
        """Forget a connection that nothing can be sent to, unless it is so new that it may not be open yet."""
        ...

    async def leave(self, connection_id: str) -> None:
        """Forget a connection that has ended. Raises Unavailable."""
        ...


class Connections(Protocol):
    """The open connections themselves."""

    async def send(self, connection_id: str, text: str) -> bool:
        """Send; False when there is no such connection (any more). Raises Unavailable."""
        ...
