"""What every throttle does; and that Redis's goes on by itself when Redis is away."""

import asyncio
from secrets import token_hex

import pytest

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_throttle import ProcessCounts, RedisThrottle
from chatconnect.domain.errors import LimitReached
from chatconnect.ports.throttle import Allowance, Throttle
from local.services import free_port
from tests.fakes.people import MemoryThrottle

TWICE = Allowance("twice", 2, 900)
OTHER = Allowance("other", 2, 900)


@pytest.fixture(params=["memory", "redis", "redis away"])
def throttle(request: pytest.FixtureRequest) -> Throttle:
    if request.param == "memory":
        return MemoryThrottle()
    if request.param == "redis":
        database: RedisDatabase = request.getfixturevalue("redis_database")
    else:
        database = RedisDatabase(f"redis://127.0.0.1:{free_port()}")
    return RedisThrottle(lambda: database, on_fault=lambda *_: None)


async def outcomes(throttle: Throttle, allowance: Allowance, subject: str, times: int) -> list[bool]:
    """Whether each of so many attempts at once is let through."""
    attempts = [throttle.count(allowance, subject) for _ in range(times)]
    return [fault is None for fault in await asyncio.gather(*attempts, return_exceptions=True)]


async def test_of_many_attempts_at_once_as_many_pass_as_are_allowed(throttle: Throttle) -> None:
    assert (await outcomes(throttle, TWICE, token_hex(8), 7)).count(True) == 2


async def test_a_refusal_says_when_to_come_back(throttle: Throttle) -> None:
    subject = token_hex(8)
    await outcomes(throttle, TWICE, subject, 2)

    with pytest.raises(LimitReached) as refused:
        await throttle.count(TWICE, subject)

    assert refused.value.code == "too_many_attempts"
    assert refused.value.retry_after is not None
    assert 0 < refused.value.retry_after <= 2 * TWICE.seconds


async def test_subjects_and_allowances_are_counted_apart(throttle: Throttle) -> None:
    first, second = token_hex(8), token_hex(8)
    await outcomes(throttle, TWICE, first, 2)

    assert await outcomes(throttle, TWICE, second, 2) == [True, True]
    assert await outcomes(throttle, OTHER, first, 2) == [True, True]


async def test_what_is_forgotten_begins_anew(throttle: Throttle) -> None:
    subject = token_hex(8)
    await outcomes(throttle, TWICE, subject, 2)

    await throttle.forget(TWICE, subject)

    assert await outcomes(throttle, TWICE, subject, 3) == [True, True, False]


async def test_nobodys_address_stands_in_redis(redis_database: RedisDatabase) -> None:
    throttle = RedisThrottle(lambda: redis_database, on_fault=lambda *_: None)

    await throttle.count(TWICE, "ada@acme.example")

    assert [key async for key in redis_database.client().scan_iter("*ada@*")] == []


def test_a_process_alone_counts_in_a_sliding_window_and_remembers_so_many() -> None:
    now = 0.0
    counts = ProcessCounts(lambda: now)

    waits = []
    for moment in (0.0, 400.0, 800.0, 901.0, 902.0, 1_301.0):
        now = moment
        waits.append(counts.count(TWICE, "ada"))
    for number in range(10_000):
        counts.count(TWICE, f"{number}")

    assert waits == [0, 0, 100, 0, 398, 0]
    assert [counts.count(TWICE, "ada") for _ in range(2)] == [0, 0]
