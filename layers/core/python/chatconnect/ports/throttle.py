"""Slowing down those who try out passwords, and whoever else does too much of something."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most `times` in a sliding window of `seconds`; `name` is the same for the same allowance everywhere."""

    name: str
    times: int
    seconds: int


class Throttle(Protocol):
    """Counts, for everybody together. When the shared count is away, each process goes on with a count of its own."""

    async def count(self, allowance: Allowance, subject: str) -> None:
        """Count one more for the subject. Raises LimitReached with code "too_many_attempts" instead of one too many."""
        ...

    async def forget(self, allowance: Allowance, subject: str) -> None:
        """Begin again at nothing for the subject."""
        ...
