"""What a tenant may use up in a stretch of time, and where such a stretch begins and ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chatconnect.domain.errors import LimitReached

SOFT_PERCENT = 80
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


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `hard` of a measure in a period; from 80% of it on (`soft`) whoever asks is warned."""

    measure: Measure
    period: Period
    hard: int

    @property
    def soft(self) -> int:
        """From how much on there is a warning."""
        return max(1, self.hard * SOFT_PERCENT // 100)

    @property
    def name(self) -> str:
        """The stem of its codes: "tokens_per_day"."""
        return f"{self.measure}_per_{self.period}"

    def reached(self, at: datetime) -> LimitReached:
        """Return the refusal, with code "tokens_per_day_reached", to be waited out until the period ends."""
        return LimitReached(
            f"the {self.measure} allowed per {self.period} are used up",
            code=f"{self.name}_reached",
            retry_after=max(1.0, (self.period.end(at) - at).total_seconds()),
            details={"limit": self.name},
        )
