"""How much of a file has been read."""

from collections.abc import Callable

OnRead = Callable[[int, int], None]
"""Told how much has been read, of how much, in whatever is counted."""

# It is told in so many steps: each short, however long the whole may take.
_STEPS = 200


def unread(_done: int, _total: int) -> None:
    """Nobody wants to know."""


class Reading:
    """Tells how far it is, not at every place that is reached."""

    def __init__(self, on_read: OnRead, total: int) -> None:
        self._on_read, self._total = on_read, total
        self._place = self._next = 0
        self.reached(0)

    def reached(self, place: int) -> None:
        """Take the place up to which the file has been read."""
        self._place = place
        if place >= self._next:
            self._next = place + 1 + self._total // _STEPS
            self._on_read(min(place, self._total), self._total)

    def went_on(self, by: int) -> None:
        """Take how much has been read since the place that was reached last."""
        self.reached(self._place + by)
