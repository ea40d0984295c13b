"""Rows that statements of every kind return: an id, or a count."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class IdRow:
    """An id alone."""

    id: UUID


@dataclass(frozen=True, slots=True)
class CountRow:
    """A count alone."""

    rows: int
