"""What a tenant and those who ask it may use up in a stretch of time, and where such a stretch begins and ends."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import product

from chatconnect.domain.errors import Invalid, LimitReached

SOFT_PERCENT = 80
HIGHEST_CAP = 2**50
"""What the counters count exactly."""
SHORTEST_ANSWER = 16
"""Tokens. Less is not worth the prompt's price: an answer that would be cut shorter is not begun."""


class Measure(StrEnum):
    """What is counted: messages, tokens (input and output), millionths of a US dollar."""

    MESSAGES = "messages"
    TOKENS = "tokens"
    MONEY = "money"


class Period(StrEnum):
    """For how long; in UTC, from the full minute, hour, day or month on."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"

    def start(self, at: datetime) -> datetime:
        """Return when the stretch around `at` (in UTC) began."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        match self:
            case Period.MINUTE:
                return at.replace(second=0, microsecond=0)
            case Period.HOUR:
                return hour
            case Period.DAY:
                return hour.replace(hour=0)
            case Period.MONTH:
                return hour.replace(hour=0, day=1)

    def end(self, at: datetime) -> datetime:
        """Return when the stretch around `at` (in UTC) ends."""
        start = self.start(at)
        match self:
            case Period.MINUTE:
                return start + timedelta(minutes=1)
            case Period.HOUR:
                return start + timedelta(hours=1)
            case Period.DAY:
                return start + timedelta(days=1)
            case Period.MONTH:
                return (start + timedelta(days=31)).replace(day=1)


class Whose(StrEnum):
    """Whose use is counted together: all of a tenant's, or that of each of its visitors, conversations, secret keys."""

    TENANT = "tenant"
    KEY = "key"
    VISITOR = "visitor"
    CONVERSATION = "conversation"


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `hard` of a measure in a period; from `warns_from` on whoever asks is warned, None: from 80% of it.

    It holds for the tenant, or for each visitor, conversation or key alike.
    """

    measure: Measure
    period: Period
    hard: int
    warns_from: int | None = None
    whose: Whose = Whose.TENANT

    def __post_init__(self) -> None:
        if not 1 <= self.hard <= HIGHEST_CAP:
            raise Invalid(f"a cap lies between 1 and {HIGHEST_CAP:,}", details={"field": "hard"})
        if self.warns_from is not None and not 1 <= self.warns_from <= self.hard:
            raise Invalid("a warning comes between 1 and the cap", details={"field": "soft"})

    @property
    def soft(self) -> int:
        """From how much on there is a warning."""
        return max(1, self.hard * SOFT_PERCENT // 100) if self.warns_from is None else self.warns_from

    @property
    def name(self) -> str:
        """The stem of its codes: "tokens_per_day", or "visitor_tokens_per_day" where each visitor has its own."""
        stem = f"{self.measure}_per_{self.period}"
        return stem if self.whose is Whose.TENANT else f"{self.whose}_{stem}"

    def left(self, remaining: int, at: datetime) -> "Left":
        """Return what is left of it at a moment (in UTC)."""
        end, start = self.period.end(at), self.period.start(at)
        return Left(self.name, self.hard, (end - start).total_seconds(), remaining, (end - at).total_seconds())

    def reached(self, at: datetime) -> LimitReached:
        """Return the refusal, with code "tokens_per_day_reached", to be waited out until the period ends."""
        return LimitReached(
            f"the {self.measure} allowed per {self.period} are used up",
            code=f"{self.name}_reached",
            retry_after=waiting_seconds(f"{self.name}_reached", at),
            details={"limit": self.name, "quota": self.hard},
        )


@dataclass(frozen=True, slots=True)
class Left:
    """What a limit still allows: `remaining` of its `quota` per `window`, all of it again in `resets_in`. Seconds."""

    name: str
    quota: int
    window: float
    remaining: int
    resets_in: float


_PLACES = tuple(product(Whose, Measure, Period))
"""The order of caps: what holds for all first, the shortest period first."""


def lowest(caps: Iterable[Cap]) -> tuple[Cap, ...]:
    """Return of several caps of one measure and period the lowest, each warning as early as any of them does."""
    found: dict[tuple[Whose, Measure, Period], Cap] = {}
    for cap in caps:
        place = (cap.whose, cap.measure, cap.period)
        other = found.setdefault(place, cap)
        if other is not cap:
            hard = min(cap.hard, other.hard)
            asked = [min(hard, each.warns_from) for each in (cap, other) if each.warns_from is not None]
            found[place] = replace(cap, hard=hard, warns_from=min(asked, default=None))
    return tuple(found[place] for place in _PLACES if place in found)


def waiting_seconds(code: str, at: datetime) -> float | None:
    """Return how long to wait, at `at` (in UTC), when a code says so ("tokens_per_day_reached", say); else None."""
    _, _, period = code.removesuffix("_reached").rpartition("_per_")
    if not code.endswith("_reached") or period not in list(Period):
        return None
    return max(1.0, (Period(period).end(at) - at).total_seconds())
