"""Rates and journals on a real Redis, and what becomes of them when it goes away."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from chatconnect.adapters.redis import RedisDatabase, RedisJournal
from chatconnect.adapters.redis_rates import RedisRateLimits
from chatconnect.domain.errors import LimitReached, NotFound, Unavailable
from chatconnect.domain.events import KEEP_ALIVE, Frame
from chatconnect.domain.identifiers import MessageId, TenantId, new_id
from chatconnect.ports.traffic import Rate
from local.services import Redis, free_port

ACME = TenantId(new_id())
DONE = Frame(4, "done", b"{}")


@pytest.fixture
async def nowhere() -> AsyncIterator[RedisDatabase]:
    """A Redis that is not there."""
    made = RedisDatabase(f"redis://127.0.0.1:{free_port()}")
    yield made
    await made.aclose()


@pytest.fixture
def journal(redis_database: RedisDatabase) -> RedisJournal:
    return RedisJournal(redis_database, ACME)


def a_message() -> MessageId:
    return MessageId(new_id())


def tokens(first: int, last: int) -> list[Frame]:
    return [Frame(number, "token", b'{"text":"%d"}' % number) for number in range(first, last + 1)]


async def followed(journal: RedisJournal, message: MessageId, after: int) -> list[Frame]:
    return [frame async for frame in journal.follow(message, after)]


async def test_a_limit_lets_so_many_pass_and_says_how_long_to_wait(redis_database: RedisDatabase) -> None:
    rates = RedisRateLimits(redis_database)
    for _ in range(3):
        await rates.check(ACME, Rate("visitor:limited", 3))

    with pytest.raises(LimitReached) as caught:
        await rates.check(ACME, Rate("visitor:limited", 3))

    assert caught.value.retry_after is not None
    assert 1 <= caught.value.retry_after <= 60.001  # when the window has begun to slide


async def test_a_limit_is_not_overshot_by_requests_at_once(redis_database: RedisDatabase) -> None:
    rates = RedisRateLimits(redis_database)

    outcomes = await asyncio.gather(
        *(rates.check(ACME, Rate("visitor:eager", 10)) for _ in range(50)), return_exceptions=True
    )

    assert sum(outcome is None for outcome in outcomes) == 10


async def test_tenants_and_visitors_are_counted_apart(redis_database: RedisDatabase) -> None:
    rates = RedisRateLimits(redis_database)
    await rates.check(ACME, Rate("visitor:one", 1))

    await rates.check(ACME, Rate("visitor:two", 1))
    await rates.check(TenantId(new_id()), Rate("visitor:one", 1))


async def test_without_redis_requests_pass_at_once(nowhere: RedisDatabase) -> None:
    rates = RedisRateLimits(nowhere)
    begin = time.monotonic()

    for _ in range(20):
        await rates.check(ACME, Rate("visitor:any", 1))

    assert time.monotonic() - begin < 2


async def test_a_finished_answer_is_replayed_after_a_number(journal: RedisJournal) -> None:
    message = a_message()
    await journal.append(message, [*tokens(1, 3), DONE])

    assert await followed(journal, message, after=0) == [*tokens(1, 3), DONE]
    assert await followed(journal, message, after=2) == [*tokens(3, 3), DONE]


@pytest.mark.parametrize("after", [4, 9])
async def test_whoever_has_all_of_an_answer_is_told_again_how_it_ended(journal: RedisJournal, after: int) -> None:
    message = a_message()
    await journal.append(message, [*tokens(1, 3), DONE])

    assert await followed(journal, message, after) == [DONE]


async def test_an_answer_of_which_the_beginning_was_lost_is_not_given_without_it(journal: RedisJournal) -> None:
    message = a_message()
    await journal.append(message, [*tokens(2, 3), DONE])

    assert await followed(journal, message, after=1) == [*tokens(2, 3), DONE]
    with pytest.raises(NotFound):
        await followed(journal, message, after=0)


async def test_a_model_may_be_silent_for_as_long_as_somebody_makes_the_answer(redis_database: RedisDatabase) -> None:
    journal, message = RedisJournal(redis_database, ACME, silence_seconds=1.0, keep_alive_seconds=1.5), a_message()
    await journal.append(message, tokens(1, 3))

    async def think() -> None:
        for _ in range(44):
            await asyncio.sleep(0.05)
            await journal.append(message, [])
        await journal.append(message, [DONE])

    frames, _ = await asyncio.gather(followed(journal, message, after=2), think())

    assert [frame for frame in frames if frame is not KEEP_ALIVE] == [*tokens(3, 3), DONE]
    assert KEEP_ALIVE in frames


async def test_an_answer_that_nobody_makes_any_more_is_interrupted(redis_database: RedisDatabase) -> None:
    journal, message = RedisJournal(redis_database, ACME, silence_seconds=0.1), a_message()
    await journal.append(message, tokens(1, 3))

    with pytest.raises(Unavailable) as interrupted:
        await followed(journal, message, after=3)

    assert interrupted.value.code == "answer_interrupted"


async def test_an_answer_under_way_is_followed_to_its_end(journal: RedisJournal) -> None:
    message = a_message()
    await journal.append(message, tokens(1, 2))

    async def go_on() -> None:
        await asyncio.sleep(0.2)
        await journal.append(message, [*tokens(3, 3), DONE])

    frames, _ = await asyncio.gather(followed(journal, message, after=1), go_on())

    assert frames == [*tokens(2, 3), DONE]


async def test_an_answer_that_nobody_keeps_is_not_found(journal: RedisJournal) -> None:
    with pytest.raises(NotFound):
        await followed(journal, a_message(), after=0)


async def test_another_tenant_does_not_find_the_answer(journal: RedisJournal, redis_database: RedisDatabase) -> None:
    message = a_message()
    await journal.append(message, [DONE])

    with pytest.raises(NotFound):
        await followed(RedisJournal(redis_database, TenantId(new_id())), message, after=0)


async def test_a_wish_to_cancel_reaches_whoever_generates(journal: RedisJournal) -> None:
    message, other = a_message(), a_message()

    await journal.request_cancel(message)

    assert await journal.append(message, [])
    assert not await journal.append(other, tokens(1, 1))


async def test_without_redis_writing_is_quiet_and_following_says_so(nowhere: RedisDatabase) -> None:
    journal = RedisJournal(nowhere, ACME)

    await journal.append(a_message(), [DONE])

    assert not await journal.append(a_message(), [])
    with pytest.raises(Unavailable):
        await followed(journal, a_message(), after=0)


async def test_redis_is_used_again_soon_after_it_came_back(redis: Redis, redis_database: RedisDatabase) -> None:
    journal, message = RedisJournal(redis_database, ACME), a_message()
    await redis.stop()
    try:
        await journal.append(message, tokens(1, 1))
    finally:
        await redis.start()
    await asyncio.sleep(3.2)

    await journal.append(message, [DONE])

    assert await followed(journal, message, after=3) == [DONE]
