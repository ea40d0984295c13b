"""Ends the answers whose makers are gone: a process that was killed could not even say that it failed."""

from datetime import timedelta

from chatconnect.ports.clock import Clock
from chatconnect.ports.conversations import ConversationsOf
from chatconnect.ports.tenants import Directory

GIVEN_UP_AFTER = timedelta(hours=1)
"""Far longer than any answer takes to be made, or to be written from the queue of those that had to wait."""


class LostAnswersService:
    """Goes through the tenants, one after the other."""

    def __init__(self, *, directory: Directory, conversations_of: ConversationsOf, clock: Clock) -> None:
        self._directory, self._conversations_of, self._clock = directory, conversations_of, clock

    async def close_all(self) -> int:
        """Mark every answer failed that should have ended long ago; return how many there were. Raises Unavailable."""
        closed, before = 0, self._clock() - GIVEN_UP_AFTER
        async for tenant_id in self._directory.tenant_ids():
            closed += await self._conversations_of(tenant_id).close_lost(before)
        return closed
