"""What a process remembers of a tenant for as long as it holds."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epoch

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Value]):
    era: Hashable
    until: datetime
    value: Value


class EpochCache(Generic[Value]):
    """At most `entries` values, those used last, each for at most `lifetime` and while its area is unchanged."""

    def __init__(self, area: Area, *, clock: Clock, lifetime: timedelta, entries: int = 1_000) -> None:
        self._area, self._clock, self._lifetime, self._entries = area, clock, lifetime, entries
        self._kept: OrderedDict[Hashable, _Entry[Value]] = OrderedDict()

    async def get(self, key: Hashable, epoch: Epoch | None, read: Callable[[], Awaitable[Value]]) -> Value:
        """Return the value that was kept in this epoch, or else what `read` returns now; what it raises is not kept.

        The epoch has to be older than the call. None, an unknown one: everything is forgotten and nothing is kept.
        """
        if epoch is None:
            self._kept.clear()
            return await read()
        era, now, entry = epoch.of_area(self._area), self._clock(), self._kept.get(key)
        if entry is not None and entry.era == era and now < entry.until:
            self._kept.move_to_end(key)
            return entry.value
        value = await read()
        self._kept[key] = _Entry(era, now + self._lifetime, value)
        self._kept.move_to_end(key)
        if len(self._kept) > self._entries:
            self._kept.popitem(last=False)
        return value
