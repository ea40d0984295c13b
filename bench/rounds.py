"""Rounds of load on several servers in turn (A B C A B C), so that a noisy neighbour harms all of them alike."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.load import Result, load
from bench.machine import Foreign, Tree, calm, spin_ms
from bench.provider import scripted

_MIB = 1024 * 1024
_SAMPLE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of load: so many listeners, who begin spread over some seconds, each with so many turns.

    The provider says the first token of an answer after `first_ms`, then one every `gap_ms`.
    """

    streams: int
    turns: int
    tokens: int = 24
    gap_ms: int = 0
    first_ms: int = 0
    spread: float = 0.0

    @property
    def model(self) -> str:
        """The model that answers like this."""
        return scripted(self.tokens, self.gap_ms, self.first_ms)


async def _nothing(_: Load) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Contender:
    """A server to be measured.

    `request` gives the bytes of a listener's next request, `end` is what an answer's last event holds, `prepare` makes
    the server ask the model of a load.
    """

    name: str
    port: int
    server: Tree
    request: Callable[[Load], bytes]
    end: bytes
    prepare: Callable[[Load], Awaitable[None]] = _nothing

    async def run(self, what: Load) -> "Round":
        """Load it once, and say so: a run takes long."""
        print(
            f"  {self.name}: {what.streams} x {what.turns} turns of {what.tokens} tokens", file=sys.stderr, flush=True
        )
        busy = self.server.cpu_seconds()
        result = await load(
            self.port,
            lambda _: self.request(what),
            streams=what.streams,
            turns=what.turns,
            tokens=what.tokens,
            end=self.end,
            spread=what.spread,
        )
        return Round(result, self.server.cpu_seconds() - busy)


@dataclass(frozen=True, slots=True)
class Round:
    """What one load on one server came to."""

    result: Result
    cpu_seconds: float

    @property
    def added_p50(self) -> float | None:
        """The added time to first token in milliseconds."""
        return self.result.added()[50]

    @property
    def cpu_ms(self) -> float | None:
        """Processor time of the server and its children per whole turn, in milliseconds: a failed turn is no gain."""
        whole = len(self.result.whole)
        return self.cpu_seconds / whole * 1000 if whole else None

    @property
    def turns_per_second(self) -> float:
        """How many turns were whole, per second."""
        return len(self.result.whole) / self.result.seconds


Figure = Callable[[Round], float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """All rounds of one kind of load; figures are of the calm ones."""

    rounds: Sequence[Mapping[str, Round]]
    spins: Sequence[float]
    foreign: Sequence[float]

    @property
    def kept(self) -> list[Mapping[str, Round]]:
        """The rounds in which the machine was ours."""
        return [self.rounds[number] for number in calm(self.spins, self.foreign)]

    def median(self, name: str, figure: Figure) -> float | None:
        """Return the median of a server's figure over the rounds."""
        return _median(figure(each[name]) for each in self.kept)

    def ratio(self, name: str, other: str, figure: Figure) -> float | None:
        """Return the median of the rounds' own ratios of two servers' figures."""
        return _median(_over(figure(each[name]), figure(each[other])) for each in self.kept)

    def report(self) -> dict[str, Any]:
        """Return what is to be known of the rounds themselves, and each server's figures."""
        failed = {
            name: [fault for each in self.rounds for fault in each[name].result.failures()] for name in self.names
        }
        return {
            "rounds": len(self.rounds),
            "rounds_kept": len(self.kept),
            "spin_ms": [round(spin, 1) for spin in self.spins],
            "foreign_cpu_share": list(self.foreign),
            "failure_count": sum(map(len, failed.values())),
            "failures": {
                name: {"count": len(faults), "first": faults[:3]} for name, faults in failed.items() if faults
            },
        } | {name: self._figures(name) for name in self.names}

    @property
    def names(self) -> list[str]:
        """The servers' names."""
        return list(self.rounds[0])

    def _figures(self, name: str) -> dict[str, float | None]:
        """Pool the turns of the rounds, and show how far the rounds' own medians lie apart."""
        results = [each[name].result for each in self.kept]
        pooled = Result(
            sum(result.seconds for result in results),
            [exchange for result in results for exchange in result.exchanges],
            results[0].tokens,
            max(result.most_open for result in results),
        )
        medians = [added for each in self.kept if (added := each[name].added_p50) is not None]
        return pooled.figures() | {
            "lowest_round_p50_ms": min(medians, default=None),
            "highest_round_p50_ms": max(medians, default=None),
            "cpu_ms_per_turn": _rounded(self.median(name, lambda each: each.cpu_ms)),
        }


async def interleaved(contenders: Sequence[Contender], what: Load, rounds: int, *, warm_up: int = 1) -> Series:
    """Put one kind of load on all servers in turn, round by round."""
    for contender in contenders:
        await contender.prepare(what)
        for _ in range(warm_up):
            await contender.run(what)
    measured, spins, foreign = [], [], []
    for _ in range(rounds):
        others, before = Foreign(), spin_ms()
        measured.append({contender.name: await contender.run(what) for contender in contenders})
        spins.append(max(before, spin_ms()))
        foreign.append(others.share())
    return Series(measured, spins, foreign)


async def held_open(contender: Contender, what: Load) -> tuple[Round, dict[str, float]]:
    """Load a server once and return with the figures what an open stream takes of its memory, in KiB.

    Memory is what it had more of than before when the most streams were open, so it is to be measured before anything
    else has made the server grow. PSS counts a page that several of its processes share once.
    """
    await contender.prepare(what)
    rss, pss = contender.server.rss(), contender.server.pss()
    most_rss = most_pss = 0

    async def watch() -> None:
        nonlocal most_rss, most_pss
        while True:
            most_rss, most_pss = max(most_rss, contender.server.rss()), max(most_pss, contender.server.pss())
            await asyncio.sleep(_SAMPLE_SECONDS)

    watching = asyncio.create_task(watch())
    try:
        measured = await contender.run(what)
    finally:
        watching.cancel()
    streams = max(1, measured.result.most_open)
    return measured, {
        "rss_mib_before": round(rss / _MIB, 1),
        "rss_kib_per_stream": round((most_rss - rss) / streams / 1024, 1),
        "pss_kib_per_stream": round((most_pss - pss) / streams / 1024, 1),
    }


def _over(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def _median(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
