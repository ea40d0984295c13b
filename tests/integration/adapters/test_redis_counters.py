"""Counters of caps that are lost, away or new, and what counting costs."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.domain.budget import Measure, Period, Whose
from chatconnect.domain.errors import LimitReached
from chatconnect.domain.identifiers import new_id
from chatconnect.ports.traffic import Rate
from local.services import free_port
from tests.integration.adapters.budgets import (
    MESSAGES,
    MONEY,
    PRICE,
    TOKENS,
    Company,
    acme,
    by_visitor,
    company_on,
    wanted,
)

__all__ = ["acme"]


async def test_counters_that_are_lost_go_on_from_the_running_totals(acme: Company) -> None:
    acme.spent[Measure.TOKENS, Period.DAY] = 700

    reservation = await acme.reserves(TOKENS, prompt=100, output=900)

    assert reservation.max_tokens == 200
    acme.spent.clear()
    with pytest.raises(LimitReached):
        await acme.reserves(TOKENS)


async def test_reserving_takes_one_round_trip_and_two_keys_on_one_node(
    acme: Company, redis_database: RedisDatabase
) -> None:
    await acme.reserves(MESSAGES, TOKENS, MONEY)
    before = (await redis_database.client().info("commandstats"))["cmdstat_evalsha"]["calls"]

    await acme.reserves(MESSAGES, TOKENS, MONEY)

    after = (await redis_database.client().info("commandstats"))["cmdstat_evalsha"]["calls"]
    keys = [key.decode() async for key in redis_database.client().scan_iter(match=f"*{acme.id}*")]
    assert after - before == 1
    assert sorted(keys) == [f"{{{acme.id}}}:budget", f"{{{acme.id}}}:budget:ends"]


async def test_without_redis_answers_pass_uncut_and_the_operator_is_told() -> None:
    nowhere = RedisDatabase(f"redis://127.0.0.1:{free_port()}")
    acme = company_on(nowhere)

    for _ in range(20):
        reservation = await acme.reserves(MESSAGES, TOKENS, output=900)
        await acme.settles(reservation, tokens=900)

    assert reservation.max_tokens == 900
    assert acme.faults == ["caps are not enforced: the counter is away"]
    await nowhere.aclose()


async def test_a_further_call_goes_on_when_the_counters_were_lost(acme: Company, redis_database: RedisDatabase) -> None:
    held = await acme.reserves(MESSAGES, TOKENS)
    await redis_database.client().delete(f"{{{acme.id}}}:budget", f"{{{acme.id}}}:budget:ends")
    acme.spent[Measure.TOKENS, Period.DAY] = 300

    output = await acme.budgets.extend(
        held, replace(held.wanted, prompt_tokens=400, max_tokens=500), {Measure.TOKENS: 150}
    )

    assert output == 1_000 - 300 - 150 - 400
    await acme.settles(held, tokens=500)
    assert (await acme.reserves(TOKENS, prompt=0, output=900)).max_tokens == 200


async def test_a_new_cap_begins_with_what_was_used_already(acme: Company) -> None:
    first = await acme.reserves(TOKENS)
    await acme.settles(first, tokens=300)
    acme.spent |= {(Measure.TOKENS, Period.DAY): 300, (Measure.MONEY, Period.MONTH): 990}

    with pytest.raises(LimitReached, match="money"):
        await acme.reserves(TOKENS, MONEY, price=PRICE)

    assert (await acme.reserves(TOKENS, prompt=0, output=900)).max_tokens == 700


async def test_a_cap_that_was_lifted_for_a_while_knows_what_was_used_meanwhile(acme: Company) -> None:
    await acme.settles(await acme.reserves(TOKENS, MONEY, price=PRICE), tokens=100, money=100)
    await acme.settles(await acme.reserves(TOKENS), tokens=100)  # nobody counts money now
    acme.spent |= {(Measure.TOKENS, Period.DAY): 200, (Measure.MONEY, Period.MONTH): 700}

    back = await acme.reserves(TOKENS, MONEY, prompt=0, output=1_000, price=PRICE)

    assert back.max_tokens == 150  # of the 300 micro-dollars that are left


async def test_the_rate_and_the_caps_take_one_round_trip_together(acme: Company, redis_database: RedisDatabase) -> None:
    rate = Rate("visitor:1", 100)
    await acme.budgets.reserve(acme.id, (MESSAGES, TOKENS), wanted(), rate)
    before = await commands(redis_database)

    await acme.budgets.reserve(acme.id, (MESSAGES, TOKENS), wanted(), rate)

    assert await commands(redis_database) - before == 1
    keys = sorted([key.decode() async for key in redis_database.client().scan_iter(match=f"*{acme.id}*")])
    assert keys == [f"{{{acme.id}}}:{name}" for name in ("budget", "budget:ends", "rate:visitor:1")]


async def test_nothing_is_counted_twice_when_the_totals_have_to_be_asked(acme: Company) -> None:
    rate = Rate("visitor:1", 1)

    await acme.budgets.reserve(acme.id, (TOKENS,), wanted(), rate)

    with pytest.raises(LimitReached, match="too many messages"):
        await acme.budgets.reserve(acme.id, (TOKENS,), wanted(), rate)


async def commands(redis_database: RedisDatabase) -> int:
    """How many requests Redis has had from outside; what a script does is none."""
    stats = await redis_database.client().info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("eval", "evalsha", "script"))


async def test_a_visitors_lost_counter_goes_on_from_the_visitors_own_totals(acme: Company) -> None:
    ann, own = new_id(), replace(TOKENS, whose=Whose.VISITOR)
    acme.spent_by[Whose.VISITOR, ann] = {(Measure.TOKENS, Period.DAY): 600}

    held = await acme.budgets.reserve(
        acme.id, (TOKENS, own), replace(wanted(), max_tokens=900, asked_by=by_visitor(ann))
    )

    assert held.max_tokens == 300


@pytest.mark.parametrize("whose", [Whose.CONVERSATION, Whose.KEY])
async def test_a_new_conversation_and_a_key_need_no_totals_and_one_round_trip(
    acme: Company, redis_database: RedisDatabase, whose: Whose
) -> None:
    own = replace(MESSAGES, whose=whose)
    acme.spent_by = Unread()
    await acme.reserves(TOKENS)
    before = await commands(redis_database)

    first = replace(wanted(), asked_by={whose: new_id()}, opens=True)
    await acme.budgets.reserve(acme.id, (TOKENS, own), first)

    assert await commands(redis_database) - before == 1


class Unread(dict[tuple[Whose, UUID], dict[tuple[Measure, Period], int]]):
    """Totals that nobody is to read."""

    def get(self, *_: object) -> Any:
        raise AssertionError("nobody needs these totals")
