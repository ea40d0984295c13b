"""What the machine itself does to a measurement: its noise, and what processes took of it."""

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

_SPINS = 300_000
_TRIES = 5
# A round is dropped when the fixed loop took this much longer than in the calmest round, or when others took more
# than this share of all cores, unless every round was like that.
NOISE_LIMIT = 1.5
FOREIGN_LIMIT = 0.1


def raise_file_limit() -> None:
    """Let this process and those it starts open as many files, and so connections, as the machine allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def spin_ms() -> float:
    """Return how long a fixed piece of work takes now, at its best of a few tries."""
    times = []
    for _ in range(_TRIES):
        begin = time.perf_counter()
        sum(range(_SPINS))
        times.append(time.perf_counter() - begin)
    return min(times) * 1000


def calm(spins: Sequence[float], foreign: Sequence[float]) -> list[int]:
    """Return the numbers of the rounds in which the machine was ours."""
    foreign_limit = max(FOREIGN_LIMIT, 1.5 * min(foreign))
    return [
        number
        for number, (spin, others) in enumerate(zip(spins, foreign, strict=True))
        if spin <= NOISE_LIMIT * min(spins) and others <= foreign_limit
    ] or [foreign.index(min(foreign))]


class Foreign:
    """What processes that are not ours take of the machine's cores, the hypervisor's share included."""

    def __init__(self) -> None:
        self._ours = Tree(psutil.Process())
        self._begin = self._figures()

    def share(self) -> float:
        """Return their share since the making of this, from 0 to 1."""
        total, busy, ours = (now - then for now, then in zip(self._figures(), self._begin, strict=True))
        return max(0.0, round((busy - ours) / total, 3)) if total else 0.0

    def _figures(self) -> tuple[float, float, float]:
        times = psutil.cpu_times()
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        return total, total - times.idle - getattr(times, "iowait", 0.0), self._ours.cpu_seconds()


@dataclass(frozen=True, slots=True)
class Tree:
    """A process with all its children."""

    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Return the processor time it has used so far, that of children which have ended included."""
        return sum(sum(each.cpu_times()[:4]) for each in self._all())

    def rss(self) -> int:
        """Return its resident memory in bytes; pages that are shared within the tree count for each."""
        return sum(each.memory_info().rss for each in self._all())

    def pss(self) -> int:
        """Return its resident memory in bytes, shared pages divided among those who share them."""
        return sum(each.memory_full_info().pss for each in self._all())

    def _all(self) -> list[psutil.Process]:
        living = []
        for process in (self.process, *self.process.children(recursive=True)):
            try:
                process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            living.append(process)
        return living


def child(*words: str) -> Tree:
    """Return this process's child whose command line holds all the words."""
    for process in psutil.Process().children(recursive=True):
        line = process.cmdline()
        if all(any(word in part for part in line) for word in words):
            return Tree(process)
    raise LookupError(f"no child process with {words}")
