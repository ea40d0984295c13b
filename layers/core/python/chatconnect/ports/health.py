"""What tells how well the parts are."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

Check = Callable[[], Awaitable[None]]
"""Returns when the dependency answers; raises Unavailable when not."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """Messages that wait, and that are being worked on; both approximate.

    `oldest_seconds`: how long ago the oldest of them was sent; None when nobody knows.
    """

    waiting: int
    working: int
    oldest_seconds: int | None = None


class Queue(Protocol):
    """A queue to look at."""

    async def state(self) -> QueueState:
        """Return how full the queue is. Raises Unavailable."""
        ...
