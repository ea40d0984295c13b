"""How long the steps of a turn take."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


class Timings:
    """Adds up what is spent on each step, for one turn; steps that run side by side count in full each."""

    __slots__ = ("_seconds",)

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what is done inside, also when it fails."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, time.perf_counter() - begin)

    def add(self, name: str, seconds: float) -> None:
        """Note that a step took so long."""
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds

    def milliseconds(self) -> Mapping[str, float]:
        """Return each step's milliseconds, to a tenth, in the order in which the steps were over."""
        return {name: round(seconds * 1_000, 1) for name, seconds in self._seconds.items()}
