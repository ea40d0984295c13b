"""Live messages: who may hear them, and sending them to whoever is connected."""

import asyncio
import json
import time

from chatconnect.domain.errors import Caught, Forbidden
from chatconnect.ports.faults import OnFault
from chatconnect.ports.realtime import Audience, Connections, Listeners, Message

# So many of one audience may be connected at a time.
MOST_STAFF, MOST_OF_A_VISITOR = 200, 20
# Whoever publishes does something that matters more: it waits this long at most, and then not again for a while.
_PATIENCE_SECONDS = 2.0
_REST_SECONDS = 5.0


class RealtimeService:
    """Joins connections to their audience and publishes to them."""

    def __init__(self, *, listeners: Listeners, connections: Connections, on_fault: OnFault) -> None:
        self._listeners, self._connections, self._on_fault = listeners, connections, on_fault
        self._resting_until = 0.0

    async def join(self, connection_id: str, audience: Audience, *, seconds: int) -> None:
        """Let a connection hear what its audience is told, for so many seconds; again to let it hear for longer.

        Raises Forbidden with code "connection_taken" when it is another audience's, LimitReached with code
        "too_many_connections", Unavailable.
        """
        most = MOST_OF_A_VISITOR if audience.visitor_id else MOST_STAFF
        if not await self._listeners.add(connection_id, audience, seconds=seconds, most=most):
            raise Forbidden("this connection is somebody else's; please open another", code="connection_taken")

    async def leave(self, connection_id: str) -> None:
        """Forget a connection that has ended. Raises Unavailable."""
        await self._listeners.leave(connection_id)

    async def publish(self, audience: Audience, message: Message) -> None:
        """Send to everybody of the audience who is connected; what does not get through is logged and lost."""
        if time.monotonic() < self._resting_until:
            return
        faults: list[BaseException] = []
        with Caught(faults.append):
            async with asyncio.timeout(_PATIENCE_SECONDS):
                connections = await self._listeners.of(audience)
                text = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
                sent = (self._send(connection_id, audience, text) for connection_id in connections)
                faults += [fault for fault in await asyncio.gather(*sent, return_exceptions=True) if fault]
        if faults:
            self._resting_until = time.monotonic() + _REST_SECONDS
            self._on_fault("live message not sent", faults[0])

    async def _send(self, connection_id: str, audience: Audience, text: str) -> None:
        if not await self._connections.send(connection_id, text):
            await self._listeners.gone(connection_id, audience)
