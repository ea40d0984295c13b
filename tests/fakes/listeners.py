"""Connections in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from chatconnect.domain.errors import Unavailable
from chatconnect.ports.realtime import Audience


@dataclass
class MemoryListeners:
    """Who is connected, for as long as anybody says."""

    audiences: dict[str, Audience] = field(default_factory=dict)
    away: bool = False

    async def add(self, connection_id: str, audience: Audience, *, seconds: int, most: int) -> bool:
        return self.audiences.setdefault(connection_id, audience) == audience

    async def of(self, audience: Audience) -> Sequence[str]:
        if self.away:
            raise Unavailable("the list of connections")
        return [connection_id for connection_id, own in self.audiences.items() if own == audience]

    async def gone(self, connection_id: str, audience: Audience) -> None:
        del self.audiences[connection_id]

    async def leave(self, connection_id: str) -> None:
        self.audiences.pop(connection_id, None)


@dataclass
class MemoryConnections:
    """What was sent; to those in `closed` nothing can be, and one that is `broken` fails."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)

    async def send(self, connection_id: str, text: str) -> bool:
        if connection_id in self.broken:
            raise Unavailable("the connections")
        if connection_id not in self.closed:
            self.sent.append((connection_id, text))
        return connection_id not in self.closed
