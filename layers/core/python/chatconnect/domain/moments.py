"""Moments that somebody names."""

from datetime import UTC, datetime

from chatconnect.domain.errors import Invalid

LAST = datetime.max.replace(tzinfo=UTC)


def in_utc(moment: datetime, field: str) -> datetime:
    """Return a moment in UTC. Raises Invalid for one without a time zone, and for one after the calendar's end there.

    A database would keep the latter, and nobody could read it again.
    """
    if moment.tzinfo is None:
        raise Invalid("a moment needs its time zone", details={"field": field})
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Invalid("this moment is too far away", details={"field": field}) from None
