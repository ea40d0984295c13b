"""Caps on a real Redis: what is reserved, settled and given back, and that nobody overshoots."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.domain.budget import SHORTEST_ANSWER, Cap, Measure, Period
from chatconnect.domain.errors import LimitReached
from chatconnect.domain.identifiers import MessageId, new_id
from tests.integration.adapters.budgets import (
    MESSAGES,
    MONEY,
    NOON,
    PRICE,
    TOKENS,
    Company,
    acme,
    company_on,
)

__all__ = ["acme"]


async def test_two_hundred_at_once_never_overshoot_a_cap_of_messages(acme: Company) -> None:
    outcomes = await asyncio.gather(*(acme.reserves(MESSAGES) for _ in range(200)), return_exceptions=True)

    refused = [outcome for outcome in outcomes if isinstance(outcome, LimitReached)]
    assert len(outcomes) - len(refused) == 10
    assert {error.code for error in refused} == {"messages_per_minute_reached"}


async def test_two_hundred_at_once_never_overshoot_tokens_or_money(acme: Company) -> None:
    tokens, money = Cap(Measure.TOKENS, Period.DAY, 5_000), Cap(Measure.MONEY, Period.DAY, 2_000)

    async def answer() -> tuple[int, int]:
        """Take all that is allowed, as the worst answer does."""
        reservation = await acme.reserves(tokens, money, price=PRICE)
        await asyncio.sleep(0.005)
        taken = 100 + reservation.max_tokens
        cost = PRICE.of(input_tokens=100, output_tokens=reservation.max_tokens)
        await acme.settles(reservation, tokens=taken, money=cost)
        return taken, cost

    outcomes = await asyncio.gather(*(answer() for _ in range(200)), return_exceptions=True)

    taken = [outcome for outcome in outcomes if isinstance(outcome, tuple)]
    assert len(taken) + sum(isinstance(outcome, LimitReached) for outcome in outcomes) == 200
    assert 1_700 < sum(cost for _, cost in taken) <= 2_000
    assert sum(count for count, _ in taken) <= 5_000


async def test_an_answer_is_cut_to_what_the_cap_leaves(acme: Company) -> None:
    first = await acme.reserves(TOKENS, prompt=100, output=750)

    second = await acme.reserves(TOKENS, prompt=100, output=750)

    assert (first.max_tokens, second.max_tokens) == (750, 50)


async def test_an_answer_that_would_be_too_short_is_refused(acme: Company) -> None:
    await acme.reserves(TOKENS, prompt=100, output=800 - SHORTEST_ANSWER + 1)

    with pytest.raises(LimitReached) as caught:
        await acme.reserves(TOKENS, prompt=100, output=750)

    assert (caught.value.code, caught.value.retry_after) == ("tokens_per_day_reached", 12 * 3600)


async def test_money_bounds_the_answer_by_its_price(acme: Company) -> None:
    cheap = await acme.reserves(MONEY, prompt=1_000, output=10_000, price=PRICE)

    assert cheap.max_tokens == 375  # 1,000 micro-dollars but 250 for the prompt, at 2 for each token
    with pytest.raises(LimitReached, match="money"):
        await acme.reserves(MONEY, price=PRICE)
    free = await acme.reserves(MONEY, output=10_000)
    assert free.max_tokens == 10_000


async def test_what_was_not_used_can_be_used_by_the_next(acme: Company) -> None:
    first = await acme.reserves(TOKENS, prompt=100, output=900)
    with pytest.raises(LimitReached):
        await acme.reserves(TOKENS)

    await acme.settles(first, tokens=150)

    assert (await acme.reserves(TOKENS, prompt=100, output=900)).max_tokens == 750


async def test_what_was_used_beyond_the_reservation_counts_too(acme: Company) -> None:
    first = await acme.reserves(TOKENS, prompt=100, output=100)

    await acme.settles(first, tokens=600)

    assert (await acme.reserves(TOKENS, prompt=100, output=900)).max_tokens == 300


async def test_a_process_that_dies_holds_its_reservation_for_its_lifetime_only(redis_database: RedisDatabase) -> None:
    acme, dying = company_on(redis_database), company_on(redis_database, lifetime=1)
    dying.id = acme.id
    lost = await dying.reserves(MESSAGES, TOKENS, prompt=100, output=900)
    with pytest.raises(LimitReached):
        await acme.reserves(TOKENS)

    await asyncio.sleep(2)

    assert (await acme.reserves(MESSAGES, TOKENS, prompt=100, output=500)).max_tokens == 500
    await acme.settles(lost, tokens=300)  # it was only slow: what it used counts after all
    assert (await acme.reserves(TOKENS, prompt=50, output=500)).max_tokens == 50


async def test_from_four_fifths_on_there_is_a_warning(acme: Company) -> None:
    for _ in range(8):
        assert (await acme.reserves(MESSAGES)).warnings == ()

    ninth = await acme.reserves(MESSAGES)

    assert [cap.name for cap in ninth.warnings] == ["messages_per_minute"]


async def test_the_next_period_begins_with_nothing(acme: Company) -> None:
    late = await acme.reserves(TOKENS, prompt=100, output=900, at=NOON)
    tomorrow = NOON + timedelta(days=1)

    assert (await acme.reserves(TOKENS, prompt=100, output=600, at=tomorrow)).max_tokens == 600
    await acme.settles(late, tokens=900)  # belongs to the day before

    assert (await acme.reserves(TOKENS, prompt=100, output=600, at=tomorrow)).max_tokens == 200


async def test_a_server_whose_clock_is_behind_counts_in_the_period_that_has_begun(acme: Company) -> None:
    await acme.reserves(TOKENS, prompt=100, output=800, at=NOON + timedelta(days=1))

    with pytest.raises(LimitReached):
        await acme.reserves(TOKENS, at=NOON)


async def test_tenants_are_counted_apart(acme: Company, redis_database: RedisDatabase) -> None:
    globex = company_on(redis_database)
    await acme.reserves(TOKENS, prompt=100, output=900)

    assert (await globex.reserves(TOKENS, prompt=100, output=900)).max_tokens == 900


async def test_a_further_call_counts_in_the_period_in_which_the_answer_began(acme: Company) -> None:
    late = await acme.reserves(TOKENS, prompt=100, output=100, at=NOON)
    tomorrow = NOON + timedelta(days=1)
    await acme.reserves(TOKENS, prompt=100, output=500, at=tomorrow)

    output = await acme.budgets.extend(late, replace(late.wanted, max_tokens=5_000), {Measure.TOKENS: 200})
    beside = replace(late, wanted=replace(late.wanted, answer_id=MessageId(new_id()), messages=0))
    await acme.budgets.extend(beside, beside.wanted, {})
    await acme.settles(late, tokens=5_000)
    await acme.settles(beside, tokens=5_000)

    assert output == 5_000  # nobody counts any more in the day that is over
    assert (await acme.reserves(TOKENS, prompt=0, output=900, at=tomorrow)).max_tokens == 400
