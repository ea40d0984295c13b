"""What every counter of caps does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_budgets import RedisBudgets
from chatconnect.domain.budget import SHORTEST_ANSWER, Cap, Measure, Period, Whose
from chatconnect.domain.errors import LimitReached
from chatconnect.domain.identifiers import MessageId, TenantId, new_id
from chatconnect.domain.pricing import Price
from chatconnect.ports.budgets import Amounts, Budgets, Reservation, Wanted
from chatconnect.ports.traffic import Rate
from local.services import Redis, free_port
from tests.fakes.budgets import MemoryBudgets

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
PRICE = Price("openai", "gpt-5-mini", date(2026, 1, 1), 250_000, 25_000, 2_000_000)
MESSAGES = Cap(Measure.MESSAGES, Period.DAY, 2)
TOKENS = Cap(Measure.TOKENS, Period.DAY, 1_000)
MONEY = Cap(Measure.MONEY, Period.MONTH, 1_000)


@dataclass
class Company:
    """A new tenant."""

    budgets: Budgets
    id: TenantId = field(default_factory=lambda: TenantId(new_id()))

    async def reserves(
        self,
        *caps: Cap,
        prompt: int = 100,
        output: int = 100,
        price: Price | None = None,
        rate: Rate | None = None,
        by: Mapping[Whose, UUID] | None = None,
    ) -> Reservation:
        wanted = Wanted(MessageId(new_id()), prompt, output, price, NOON, asked_by=by or {})
        return await self.budgets.reserve(self.id, caps, wanted, rate)

    async def extends(
        self, reservation: Reservation, taken: Amounts, *, prompt: int = 100, output: int = 100, shortest: int = 16
    ) -> int:
        wanted = replace(reservation.wanted, prompt_tokens=prompt, max_tokens=output, shortest=shortest)
        return await self.budgets.extend(reservation, wanted, taken)

    async def settles(self, reservation: Reservation, *, tokens: int = 0, money: int = 0) -> None:
        used = {Measure.MESSAGES: reservation.wanted.messages, Measure.TOKENS: tokens, Measure.MONEY: money}
        await self.budgets.settle(reservation, used)

    async def room(self, cap: Cap) -> int:
        """How much of a cap of tokens is free."""
        free = await self.reserves(cap, prompt=0, output=10 * cap.hard)
        await self.budgets.settle(free, {})
        return free.max_tokens


OpenCompany = Callable[[], Awaitable[Company]]


async def nothing_spent(
    tenant_id: TenantId, at: datetime, of: tuple[Whose, UUID] | None = None
) -> Mapping[tuple[Measure, Period], int]:
    return {}


def unexpected(what: str, fault: BaseException) -> None:
    raise AssertionError(what) from fault


@pytest.fixture(scope="module")
async def redis(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Redis]:
    path: Path = tmp_path_factory.mktemp("redis")
    async with Redis(path, free_port()) as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
async def acme(request: pytest.FixtureRequest, redis: Redis) -> AsyncIterator[Company]:
    if request.param == "memory":
        yield Company(MemoryBudgets())
        return
    database = RedisDatabase(redis.url)
    yield Company(RedisBudgets(database, nothing_spent, on_fault=unexpected))
    await database.aclose()


async def test_a_reservation_holds_its_worst_case_until_it_is_settled(acme: Company) -> None:
    held = await acme.reserves(TOKENS, prompt=100, output=300)

    assert await acme.room(TOKENS) == 600
    await acme.settles(held, tokens=150)
    assert await acme.room(TOKENS) == 850


async def test_the_output_is_cut_to_what_is_left_and_refused_when_that_is_too_little(acme: Company) -> None:
    await acme.reserves(TOKENS, prompt=100, output=700)

    cut = await acme.reserves(TOKENS, prompt=100, output=300)

    assert cut.max_tokens == 100
    with pytest.raises(LimitReached) as caught:
        await acme.reserves(TOKENS, prompt=1, output=300)
    assert caught.value.code == "tokens_per_day_reached"


async def test_a_request_too_many_in_a_minute_sets_nothing_aside(acme: Company) -> None:
    rate = Rate("visitor:1", 1)
    await acme.reserves(TOKENS, rate=rate)

    with pytest.raises(LimitReached) as caught:
        await acme.reserves(TOKENS, rate=rate)

    assert caught.value.code == "rate_limited"
    assert await acme.room(TOKENS) == 800
    await acme.reserves(TOKENS, rate=Rate("visitor:2", 1))


async def test_the_rate_counts_without_caps_too(acme: Company) -> None:
    await acme.reserves(rate=Rate("visitor:1", 1))

    with pytest.raises(LimitReached):
        await acme.reserves(rate=Rate("visitor:1", 1))


async def test_a_further_call_is_held_beside_what_the_others_took(acme: Company) -> None:
    held = await acme.reserves(TOKENS, prompt=100, output=100)

    output = await acme.extends(held, {Measure.TOKENS: 120}, prompt=300, output=50)

    assert output == 50
    assert await acme.room(TOKENS) == 1_000 - 120 - 350
    await acme.settles(held, tokens=400)
    assert await acme.room(TOKENS) == 600


async def test_a_further_call_is_cut_to_what_the_cap_leaves(acme: Company) -> None:
    other = await acme.reserves(TOKENS, prompt=100, output=400)
    held = await acme.reserves(TOKENS, prompt=100, output=100)

    output = await acme.extends(held, {Measure.TOKENS: 150}, prompt=200, output=500)

    assert output == 1_000 - 500 - 150 - 200
    await acme.settles(other, tokens=0)
    assert await acme.room(TOKENS) == 500


async def test_a_further_call_without_room_is_refused_and_leaves_what_was_held(acme: Company) -> None:
    held = await acme.reserves(TOKENS, prompt=100, output=100)

    with pytest.raises(LimitReached) as caught:
        await acme.extends(held, {Measure.TOKENS: 150}, prompt=1_000 - 150 - SHORTEST_ANSWER + 1)

    assert caught.value.code == "tokens_per_day_reached"
    assert await acme.room(TOKENS) == 800


async def test_a_further_call_that_is_wanted_whole_is_not_cut(acme: Company) -> None:
    held = await acme.reserves(TOKENS, prompt=100, output=100)

    with pytest.raises(LimitReached):
        await acme.extends(held, {Measure.TOKENS: 200}, prompt=701, output=100, shortest=100)
    assert await acme.extends(held, {Measure.TOKENS: 200}, prompt=700, output=100, shortest=100) == 100


async def test_money_bounds_a_further_call(acme: Company) -> None:
    held = await acme.reserves(MONEY, prompt=1_000, output=100, price=PRICE)  # 450 micro-dollars

    output = await acme.extends(held, {Measure.MONEY: 400}, prompt=1_000, output=1_000)

    assert output == (1_000 - 400 - 250) // 2
    with pytest.raises(LimitReached, match="money"):
        await acme.extends(held, {Measure.MONEY: 800}, prompt=1_000, output=1_000)


async def test_a_further_call_is_no_further_message(acme: Company) -> None:
    held = await acme.reserves(MESSAGES, TOKENS)
    await acme.reserves(MESSAGES, TOKENS)

    await acme.extends(held, {Measure.TOKENS: 10})

    await acme.settles(held, tokens=10)
    with pytest.raises(LimitReached, match="messages"):
        await acme.reserves(MESSAGES, TOKENS)


async def test_what_comes_beside_an_answer_is_held_and_settled_by_itself(acme: Company) -> None:
    answer = await acme.reserves(MESSAGES, TOKENS)
    await acme.settles(answer, tokens=100)
    beside = replace(answer, wanted=replace(answer.wanted, answer_id=MessageId(new_id()), messages=0))

    await acme.extends(beside, {}, prompt=300, output=100)

    assert await acme.room(TOKENS) == 500
    await acme.settles(beside, tokens=250)
    assert await acme.room(TOKENS) == 650
    await acme.reserves(MESSAGES, TOKENS)  # the second message of two


EACH = (Whose.VISITOR, Whose.CONVERSATION, Whose.KEY)


@pytest.mark.parametrize("whose", EACH)
async def test_what_each_of_them_may_use_is_counted_apart(acme: Company, whose: Whose) -> None:
    own, ann, ben = replace(TOKENS, whose=whose), {whose: new_id()}, {whose: new_id()}
    held = await acme.reserves(TOKENS, own, prompt=100, output=300, by=ann)
    await acme.settles(held, tokens=900)

    with pytest.raises(LimitReached) as caught:
        await acme.reserves(own, by=ann)

    assert caught.value.code == f"{whose}_tokens_per_day_reached"
    assert await acme.room(TOKENS) == 100  # the tenant's own cap counts them all
    assert (await acme.reserves(own, prompt=100, output=900, by=ben)).max_tokens == 900


async def test_the_tightest_of_all_caps_cuts_the_answer(acme: Company) -> None:
    by = {whose: new_id() for whose in EACH}
    caps = [Cap(Measure.TOKENS, Period.DAY, 5_000 + 1_000 * n, whose=whose) for n, whose in enumerate(EACH)]
    tightest = Cap(Measure.MONEY, Period.DAY, 650, whose=Whose.CONVERSATION)

    held = await acme.reserves(*caps, tightest, prompt=1_000, output=1_000, price=PRICE, by=by)

    assert held.max_tokens == (650 - 250) // 2
    with pytest.raises(LimitReached, match="money"):
        await acme.reserves(*caps, tightest, prompt=1_000, output=1_000, price=PRICE, by=by)
    await acme.settles(held, tokens=1_100, money=450)
    assert (await acme.reserves(*caps, prompt=0, output=9_000, by=by)).max_tokens == 3_900


async def test_a_cap_of_those_who_do_not_ask_does_not_count(acme: Company) -> None:
    of_visitors = replace(MESSAGES, hard=1, whose=Whose.VISITOR)

    for _ in range(3):
        assert (await acme.reserves(of_visitors)).caps == ()


async def test_what_the_rate_and_the_messages_still_allow_is_told(acme: Company) -> None:
    of_visitors, by = replace(MESSAGES, hard=1, whose=Whose.VISITOR), {Whose.VISITOR: new_id()}

    held = await acme.reserves(MESSAGES, TOKENS, of_visitors, rate=Rate("visitor:1", 5), by=by)

    left = {each.name: (each.remaining, each.quota, each.window) for each in held.left}
    assert left == {
        "requests": (4, 5, 60),
        "messages_per_day": (1, 2, 86_400),
        "visitor_messages_per_day": (0, 1, 86_400),
    }
    assert all(0 < each.resets_in <= each.window for each in held.left)


async def test_two_hundred_of_three_visitors_overshoot_nobodys_cap(acme: Company) -> None:
    visitors = [new_id() for _ in range(3)]
    own, all_together = (
        Cap(Measure.MESSAGES, Period.DAY, 10, whose=Whose.VISITOR),
        Cap(Measure.MESSAGES, Period.DAY, 25),
    )

    outcomes = await asyncio.gather(
        *(acme.reserves(all_together, own, by={Whose.VISITOR: visitors[n % 3]}) for n in range(200)),
        return_exceptions=True,
    )

    passed = [each.wanted.asked_by[Whose.VISITOR] for each in outcomes if isinstance(each, Reservation)]
    assert len(passed) == 25
    assert max(passed.count(visitor) for visitor in visitors) <= 10


async def test_two_hundred_that_grow_never_overshoot(acme: Company) -> None:
    tokens, money = Cap(Measure.TOKENS, Period.DAY, 20_000), Cap(Measure.MONEY, Period.DAY, 9_000)

    async def answer() -> tuple[int, int]:
        """Take all that is allowed in up to four calls, as the worst answer does."""
        held = await acme.reserves(tokens, money, price=PRICE)
        taken, cost = 100 + held.max_tokens, PRICE.of(input_tokens=100, output_tokens=held.max_tokens)
        for prompt in (200, 300, 400):
            await asyncio.sleep(0)
            try:
                output = await acme.extends(held, {Measure.TOKENS: taken, Measure.MONEY: cost}, prompt=prompt)
            except LimitReached:
                break
            taken, cost = taken + prompt + output, cost + PRICE.of(input_tokens=prompt, output_tokens=output)
        await acme.settles(held, tokens=taken, money=cost)
        return taken, cost

    outcomes = await asyncio.gather(*(answer() for _ in range(200)), return_exceptions=True)

    taken = [outcome for outcome in outcomes if isinstance(outcome, tuple)]
    assert len(taken) + sum(isinstance(outcome, LimitReached) for outcome in outcomes) == 200
    assert sum(count for count, _ in taken) <= 20_000
    assert 8_500 < sum(cost for _, cost in taken) <= 9_000
