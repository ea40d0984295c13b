"""What tells how well the parts are."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

Check = Callable[[], Awaitable[None]]
"""Returns when the dependency answers; raises Unavailable when not."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """Messages that wait, and that are being worked on; both approximate."""

    waiting: int
    working: int


class Queue(Protocol):
    """A queue to look at."""

    async def state(self) -> QueueState:
        """Return how full the queue is. Raises Unavailable."""
        ...
