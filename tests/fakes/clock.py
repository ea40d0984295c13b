"""A clock that moves when it is told to."""

from datetime import UTC, datetime, timedelta


class SetClock:
    """Shows noon of a day in March until it is moved on."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
