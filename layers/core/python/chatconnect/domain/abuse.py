"""Signs that a visitor is no honest one: repetition, automation, probing. Rules are data: abuse.json and probes.json.

A message is judged by what it adds itself. Somebody who has tried something and now asks an honest question gets their
answer, whatever was noted before.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any

from chatconnect.domain.errors import LimitReached
from chatconnect.domain.fingerprint import Fingerprint, fingerprint, number_of
from chatconnect.domain.identifiers import VisitorId
from chatconnect.domain.probes import kinds_of_probes, probes_in
from chatconnect.domain.text import comparable

MOST_SIGHTINGS = 32
"""How many of a visitor's last messages are remembered: more than any rule counts."""


class SignalKind(StrEnum):
    """What a visitor seems to be up to."""

    REPEATED = "repeated_messages"
    AUTOMATED = "automated_client"
    PROBING = "probing"
    INJECTION = "injection"


class Level(StrEnum):
    """What follows from it: nothing, a record, or a record and a pause."""

    NONE = "none"
    WATCHED = "watched"
    THROTTLED = "throttled"


@dataclass(frozen=True, slots=True)
class Signal:
    """One kind of sign, its points, and the stable names of the reasons for it."""

    kind: SignalKind
    score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one message came to."""

    level: Level = Level.NONE
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is remembered of one message, for minutes: nothing that it could be read from.

    `at` is in seconds on the clock of whatever remembers. `request` stands for the client's own name for the request,
    0 without one. `missed`: no message, but a try to reach something that does not exist.
    """

    at: float = 0.0
    text: Fingerprint | None = None
    reasons: tuple[str, ...] = ()
    odd_agent: bool = False
    request: int = 0
    missed: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """How long a throttled visitor has to wait, in seconds: `first`, then twice as long each time, up to `longest`."""

    first: float
    longest: float
    forgotten_after: float


def sighting_of(text: str | None, visitor_id: VisitorId, *, agent: str | None, request: str | None) -> Sighting:
    """Return what is remembered of a message; `text` None: it repeats a question, or asks for another answer."""
    salt = visitor_id.bytes
    said = None if text is None else comparable(text)
    return Sighting(
        text=None if said is None else fingerprint(said, salt),
        reasons=() if said is None else probes_in(said),
        odd_agent=is_odd_agent(agent),
        request=number_of(request, salt) if request else 0,
    )


def is_odd_agent(agent: str | None) -> bool:
    """Whether a User-Agent header is one that no visitor's browser sends."""
    name = (agent or "").lower()
    return not name or any(odd in name for odd in _rules()["agent"]["names"])


def judged(sightings: Sequence[Sighting]) -> Verdict:
    """Return what the last of a visitor's sightings (oldest first) comes to.

    A request that is sent again under the same name counts once.
    """
    if not sightings:
        return Verdict()
    before, newest = _distinct(sightings[:-1]), sightings[-1]
    if newest.request and any(each.request == newest.request for each in before):
        return Verdict()
    return _verdict([*_repeated(before, newest), *_automated(before, newest), *_probing(before, newest)])


def judged_alone(text: str) -> Verdict:
    """Return what a text comes to of which nobody knows who wrote it: it is never slowed down."""
    verdict = _verdict(_probing([], Sighting(reasons=probes_in(comparable(text)))))
    return Verdict(min(verdict.level, Level.WATCHED, key=list(Level).index), verdict.signals)


def hold() -> Hold:
    """Return how long a throttled visitor has to wait."""
    rule = _rules()["hold"]
    return Hold(rule["first"], rule["longest"], rule["forgotten_after"])


def slow_down(seconds: float) -> LimitReached:
    """Return the refusal of a throttled visitor's message."""
    return LimitReached("this is going too fast; please wait a little", code="slow_down", retry_after=max(1.0, seconds))


def _verdict(signals: Sequence[Signal]) -> Verdict:
    total, levels = sum(signal.score for signal in signals), _rules()["levels"]
    if total >= levels["throttled"]:
        return Verdict(Level.THROTTLED, tuple(signals))
    return Verdict(Level.WATCHED, tuple(signals)) if total >= levels["watched"] else Verdict()


def _distinct(sightings: Sequence[Sighting]) -> list[Sighting]:
    """Return the sightings without requests that were sent before under the same name."""
    kept, known = [], set()
    for each in sightings:
        if each.request not in known:
            kept.append(each)
        if each.request:
            known.add(each.request)
    return kept


def _repeated(before: Sequence[Sighting], newest: Sighting) -> list[Signal]:
    text, rule = newest.text, _rules()["repeated"]
    if text is None:
        return []
    earlier = [each.text for each in _since(before, newest, rule) if each.text is not None]
    count = 1 + sum(text.resembles(other, rule["similarity"]) for other in earlier)
    score = _points(rule["points_when_short" if text.short else "points"], count)
    return [Signal(SignalKind.REPEATED, score, ("same_text",))] if score else []


def _automated(before: Sequence[Sighting], newest: Sighting) -> list[Signal]:
    if newest.missed:
        return []
    arrivals = [each.at for each in before if not each.missed] + [newest.at]
    pauses = [later - earlier for earlier, later in pairwise(arrivals)]
    fast, regular = _points(_rules()["fast"]["points"], _fast(pauses)), _regular(pauses)
    reasons = [name for name, points in (("fast", fast), ("regular", regular)) if points]
    score = max(fast, regular)
    if newest.odd_agent:
        score += _rules()["agent"]["points"]
        reasons.append("odd_agent")
    return [Signal(SignalKind.AUTOMATED, score, tuple(reasons))] if score else []


def _fast(pauses: Sequence[float]) -> int:
    """Return how many messages came in one rush, the newest included."""
    count = 1
    for pause in reversed(pauses):
        if pause >= _rules()["fast"]["gap"]:
            break
        count += 1
    return count


def _regular(pauses: Sequence[float]) -> int:
    rule, score = _rules()["regular"], 0
    for count, points in rule["points"]:
        last = pauses[-count:]
        mean = sum(last) / max(1, len(last))
        if len(last) < count or not _rules()["fast"]["gap"] <= mean <= rule["longest_pause"]:
            break
        if sum((pause - mean) ** 2 for pause in last) / count <= (rule["variation"] * mean) ** 2:
            score = points
    return score


def _probing(before: Sequence[Sighting], newest: Sighting) -> list[Signal]:
    if newest.missed:
        rule = _rules()["missed"]
        score = _points(rule["points"], 1 + sum(each.missed for each in _since(before, newest, rule)))
        return [Signal(SignalKind.PROBING, score, ("no_such_id",))] if score else []
    signals = []
    for kind in (SignalKind.INJECTION, SignalKind.PROBING):
        if reasons := _reasons(newest, kind):
            rule = _rules()[kind.value]
            count = 1 + sum(bool(_reasons(each, kind)) for each in _since(before, newest, rule))
            signals.append(Signal(kind, _points(rule["points"], count), reasons))
    return signals


def _reasons(sighting: Sighting, kind: SignalKind) -> tuple[str, ...]:
    return tuple(reason for reason in sighting.reasons if kinds_of_probes().get(reason) == kind)


def _since(before: Sequence[Sighting], newest: Sighting, rule: dict[str, Any]) -> list[Sighting]:
    return [each for each in before if newest.at - each.at <= rule["within"]]


def _points(steps: Sequence[Sequence[int]], count: int) -> int:
    return max((points for needed, points in steps if count >= needed), default=0)


@cache
def _rules() -> dict[str, Any]:
    rules: dict[str, Any] = json.loads(files(__package__).joinpath("abuse.json").read_text("utf-8"))
    return rules
