"""What staff note about a document, and which documents a search is for."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chatconnect.domain.errors import Invalid
from chatconnect.domain.text import cleaned

MetadataValue = str | int | float | bool
Metadata = Mapping[str, MetadataValue]
Bound = str | int | float

MAX_ENTRIES = 32
MAX_KEY = 64
MAX_VALUE = 500
MAX_CONDITIONS = 10
MAX_CHOICES = 100
# Beyond it, neighbouring whole numbers are one and the same to most of those who read JSON.
_LARGEST_NUMBER = 2**53


def checked_metadata(metadata: Metadata) -> Metadata:
    """Return the metadata when it can be stored. Raises Invalid with code "invalid_metadata"."""
    if len(metadata) > MAX_ENTRIES:
        raise _invalid(f"a document has at most {MAX_ENTRIES} entries of metadata", "metadata")
    for key, value in metadata.items():
        _check_key(key)
        _check_value(key, value)
    return metadata


@dataclass(frozen=True, slots=True)
class Condition:
    """What a document's metadata must hold under a key: one of `any_of`, or a value between bounds.

    Bounds are all numbers or all texts, and hold for values of their kind alone; texts compare as dates in ISO 8601 do.
    """

    key: str
    any_of: tuple[MetadataValue, ...] | None = None
    gt: Bound | None = None
    gte: Bound | None = None
    lt: Bound | None = None
    lte: Bound | None = None

    def __post_init__(self) -> None:
        _check_key(self.key)
        bounds, field = [bound for _, bound in self._bounds], f"filters.metadata.{self.key}"
        for value in (*(self.any_of or ()), *bounds):
            _check_value(self.key, value)
        if (self.any_of is None) == (not bounds):
            raise _invalid("a filter names values or bounds", field)
        if self.any_of is not None and len(self.any_of) > MAX_CHOICES:
            raise _invalid(f"a filter names at most {MAX_CHOICES} values", field)
        kinds = set(map(_kind, bounds))
        if bool in kinds or len(kinds) > 1:
            raise _invalid("bounds are all numbers or all texts", field)

    def holds_for(self, metadata: Metadata) -> bool:
        """Whether the metadata is as it must be."""
        if self.key not in metadata:
            return False
        value = metadata[self.key]
        if self.any_of is not None:
            return any(_kind(value) is _kind(each) and value == each for each in self.any_of)
        return all(_kind(value) is _kind(bound) and compare(value, bound) for compare, bound in self._bounds)

    @property
    def _bounds(self) -> list[tuple[Callable[[MetadataValue, Bound], bool], Bound]]:
        every = ((operator.gt, self.gt), (operator.ge, self.gte), (operator.lt, self.lt), (operator.le, self.lte))
        return [(compare, bound) for compare, bound in every if bound is not None]


@dataclass(frozen=True, slots=True)
class DocumentFilters:
    """The documents of which all conditions hold, and that were added from `since` on and before `before`."""

    conditions: tuple[Condition, ...] = ()
    since: datetime | None = None
    before: datetime | None = None

    def __post_init__(self) -> None:
        if len(self.conditions) > MAX_CONDITIONS:
            raise _invalid(f"at most {MAX_CONDITIONS} entries of metadata can be filtered by", "filters.metadata")

    def mean(self, metadata: Metadata, created_at: datetime) -> bool:
        """Whether a document with this metadata, added then, is meant."""
        in_time = (self.since is None or created_at >= self.since) and (self.before is None or created_at < self.before)
        return in_time and all(condition.holds_for(metadata) for condition in self.conditions)


def _kind(value: MetadataValue) -> type:
    """Return the kind of a value in JSON, where true is not 1 but 1.0 is."""
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


def _check_key(key: str) -> None:
    if not 1 <= len(key) <= MAX_KEY or cleaned(key) != key:
        raise _invalid(f"a key has 1 to {MAX_KEY} visible characters", "metadata")


def _check_value(key: str, value: MetadataValue) -> None:
    if isinstance(value, str) and (len(value) > MAX_VALUE or cleaned(value) != value.strip()):
        raise _invalid(f"a text has at most {MAX_VALUE} characters and no control characters", f"metadata.{key}")
    if isinstance(value, int | float) and not abs(value) <= _LARGEST_NUMBER:  # NaN is neither above nor below
        raise _invalid("a number lies between -2^53 and 2^53", f"metadata.{key}")


def _invalid(message: str, field: str) -> Invalid:
    return Invalid(message, code="invalid_metadata", details={"field": field})
