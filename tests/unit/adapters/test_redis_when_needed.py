"""Redis as the functions that seldom need it have it: made late, once, and closed last."""

from chatconnect import assembly
from chatconnect.settings import Settings


async def closing_what_may_still_announce_something() -> None:
    """Stand for what uses Redis until it is closed itself."""


def test_redis_is_made_once_and_closed_after_whatever_uses_it() -> None:
    closers: list[assembly.Close] = [closing_what_may_still_announce_something]

    redis = assembly.redis_when_needed(Settings(), closers)
    before = list(closers)
    database = redis()

    assert redis() is database
    assert before == [closing_what_may_still_announce_something]
    assert closers == [database.aclose, closing_what_may_still_announce_something]  # the first is closed last
