"""How long the steps of a turn take."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple


class Span(NamedTuple):
    """A step once done, from when to when, in seconds of `time.perf_counter()`."""

    name: str
    begin: float
    end: float


class Timings:
    """Adds up what is spent on each step, for one turn; steps that run side by side count in full each."""

    __slots__ = ("_spans",)

    def __init__(self) -> None:
        self._spans: list[Span] = []

    @property
    def spans(self) -> Sequence[Span]:
        """The steps, in the order in which they were over."""
        return self._spans

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure what is done inside, also when it fails."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.add(name, begin, time.perf_counter())

    def add(self, name: str, begin: float, end: float) -> None:
        """Note that a step took from one moment to another."""
        self._spans.append(Span(name, begin, end))

    def milliseconds(self) -> Mapping[str, float]:
        """Return each step's milliseconds, to a tenth, in the order in which the steps were first over."""
        seconds: dict[str, float] = {}
        for name, begin, end in self._spans:
            seconds[name] = seconds.get(name, 0.0) + end - begin
        return {name: round(spent * 1_000, 1) for name, spent in seconds.items()}
