"""Caps on a real Redis: what is reserved, settled and given back, and that nobody overshoots."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from typing import Any
from uuid import UUID

import pytest
from redis.crc import key_slot

from chatconnect.adapters.redis import RedisDatabase, RedisRateLimits
from chatconnect.adapters.redis_abuse import RedisWatch
from chatconnect.adapters.redis_budgets import RedisBudgets
from chatconnect.adapters.redis_wire import Command
from chatconnect.domain.abuse import hold, sighting_of
from chatconnect.domain.budget import SHORTEST_ANSWER, Cap, Measure, Period, Whose
from chatconnect.domain.errors import LimitReached
from chatconnect.domain.identifiers import MessageId, TenantId, VisitorId, new_id
from chatconnect.domain.pricing import Price
from chatconnect.ports.budgets import Reservation, Wanted
from chatconnect.ports.traffic import Rate
from local.services import Redis, free_port
from tests.fakes.visitors import MemoryVisitors, StoredVisitors

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
PRICE = Price("openai", "gpt-5-mini", date(2026, 1, 1), 250_000, 25_000, 2_000_000)
MESSAGES = Cap(Measure.MESSAGES, Period.MINUTE, 10)
TOKENS = Cap(Measure.TOKENS, Period.DAY, 1_000)
MONEY = Cap(Measure.MONEY, Period.MONTH, 1_000)


@dataclass
class Company:
    """A new tenant and its caps.

    `spent` is what the running totals say, `spent_by` of those who ask; `faults` is what the operator is told.
    """

    budgets: RedisBudgets
    spent: dict[tuple[Measure, Period], int]
    spent_by: dict[tuple[Whose, UUID], dict[tuple[Measure, Period], int]]
    faults: list[str]
    id: TenantId = field(default_factory=lambda: TenantId(new_id()))

    async def reserves(
        self, *caps: Cap, prompt: int = 100, output: int = 100, price: Price | None = None, at: datetime = NOON
    ) -> Reservation:
        wanted = Wanted(MessageId(new_id()), prompt, output, price, at)
        return await self.budgets.reserve(self.id, caps, wanted)

    async def settles(self, reservation: Reservation, *, tokens: int = 0, money: int = 0) -> None:
        used = {Measure.MESSAGES: 1, Measure.TOKENS: tokens, Measure.MONEY: money}
        await self.budgets.settle(reservation, used)


def company_on(database: RedisDatabase, *, lifetime: int = 300) -> Company:
    spent: dict[tuple[Measure, Period], int] = {}
    spent_by: dict[tuple[Whose, UUID], dict[tuple[Measure, Period], int]] = {}
    faults: list[str] = []

    async def spent_so_far(
        tenant_id: TenantId, at: datetime, of: tuple[Whose, UUID] | None = None
    ) -> Mapping[tuple[Measure, Period], int]:
        return spent_by.get(of, {}) if of else spent

    budgets = RedisBudgets(
        database, spent_so_far, on_fault=lambda what, _: faults.append(what), lifetime_seconds=lifetime
    )
    return Company(budgets, spent, spent_by, faults)


@pytest.fixture
async def database(redis: Redis) -> AsyncIterator[RedisDatabase]:
    made = RedisDatabase(redis.url)
    yield made
    await made.aclose()


@pytest.fixture
def acme(database: RedisDatabase) -> Company:
    return company_on(database)


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


async def test_a_process_that_dies_holds_its_reservation_for_its_lifetime_only(database: RedisDatabase) -> None:
    acme, dying = company_on(database), company_on(database, lifetime=1)
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


async def test_tenants_are_counted_apart(acme: Company, database: RedisDatabase) -> None:
    globex = company_on(database)
    await acme.reserves(TOKENS, prompt=100, output=900)

    assert (await globex.reserves(TOKENS, prompt=100, output=900)).max_tokens == 900


async def test_counters_that_are_lost_go_on_from_the_running_totals(acme: Company) -> None:
    acme.spent[Measure.TOKENS, Period.DAY] = 700

    reservation = await acme.reserves(TOKENS, prompt=100, output=900)

    assert reservation.max_tokens == 200
    acme.spent.clear()
    with pytest.raises(LimitReached):
        await acme.reserves(TOKENS)


async def test_reserving_takes_one_round_trip_and_two_keys_on_one_node(acme: Company, database: RedisDatabase) -> None:
    await acme.reserves(MESSAGES, TOKENS, MONEY)
    before = (await database.client().info("commandstats"))["cmdstat_evalsha"]["calls"]

    await acme.reserves(MESSAGES, TOKENS, MONEY)

    after = (await database.client().info("commandstats"))["cmdstat_evalsha"]["calls"]
    keys = [key.decode() async for key in database.client().scan_iter(match=f"*{acme.id}*")]
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


async def test_a_further_call_goes_on_when_the_counters_were_lost(acme: Company, database: RedisDatabase) -> None:
    held = await acme.reserves(MESSAGES, TOKENS)
    await database.client().delete(f"{{{acme.id}}}:budget", f"{{{acme.id}}}:budget:ends")
    acme.spent[Measure.TOKENS, Period.DAY] = 300

    output = await acme.budgets.extend(
        held, replace(held.wanted, prompt_tokens=400, max_tokens=500), {Measure.TOKENS: 150}
    )

    assert output == 1_000 - 300 - 150 - 400
    await acme.settles(held, tokens=500)
    assert (await acme.reserves(TOKENS, prompt=0, output=900)).max_tokens == 200


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


async def test_the_rate_and_the_caps_take_one_round_trip_together(acme: Company, database: RedisDatabase) -> None:
    rate = Rate("visitor:1", 100)
    await acme.budgets.reserve(acme.id, (MESSAGES, TOKENS), wanted(), rate)
    before = await commands(database)

    await acme.budgets.reserve(acme.id, (MESSAGES, TOKENS), wanted(), rate)

    assert await commands(database) - before == 1
    keys = sorted([key.decode() async for key in database.client().scan_iter(match=f"*{acme.id}*")])
    assert keys == [f"{{{acme.id}}}:{name}" for name in ("budget", "budget:ends", "rate:visitor:1")]


async def test_nothing_is_counted_twice_when_the_totals_have_to_be_asked(acme: Company) -> None:
    rate = Rate("visitor:1", 1)

    await acme.budgets.reserve(acme.id, (TOKENS,), wanted(), rate)

    with pytest.raises(LimitReached, match="too many messages"):
        await acme.budgets.reserve(acme.id, (TOKENS,), wanted(), rate)


def wanted() -> Wanted:
    return Wanted(MessageId(new_id()), 100, 100, None, NOON)


async def commands(database: RedisDatabase) -> int:
    """How many requests Redis has had from outside; what a script does is none."""
    stats = await database.client().info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("eval", "evalsha", "script"))


async def test_a_visitors_lost_counter_goes_on_from_the_visitors_own_totals(acme: Company) -> None:
    ann, own = new_id(), replace(TOKENS, whose=Whose.VISITOR)
    acme.spent_by[Whose.VISITOR, ann] = {(Measure.TOKENS, Period.DAY): 600}

    held = await acme.budgets.reserve(
        acme.id, (TOKENS, own), replace(wanted(), max_tokens=900, asked_by=by_visitor(ann))
    )

    assert held.max_tokens == 300


async def test_a_new_conversation_needs_no_totals_and_one_round_trip(acme: Company, database: RedisDatabase) -> None:
    own = replace(MESSAGES, whose=Whose.CONVERSATION)
    acme.spent_by = Unread()
    await acme.reserves(TOKENS)
    before = await commands(database)

    first = replace(wanted(), asked_by={Whose.CONVERSATION: new_id()}, opens=True)
    await acme.budgets.reserve(acme.id, (TOKENS, own), first)

    assert await commands(database) - before == 1


async def test_all_keys_of_every_script_lie_in_one_slot(redis: Redis) -> None:
    database = RecordingDatabase(redis.url)
    acme, asked_by = company_on(database), dict[Whose, UUID]()
    asked_by |= {whose: new_id() for whose in Whose if whose is not Whose.TENANT}
    caps = [replace(TOKENS, whose=whose) for whose in Whose]
    held = await acme.budgets.reserve(acme.id, caps, replace(wanted(), asked_by=asked_by), Rate("key:1", 5))
    await acme.budgets.extend(held, held.wanted, {Measure.TOKENS: 1})
    await acme.settles(held, tokens=10)
    await RedisRateLimits(database).check(acme.id, Rate("visitor:1", 5))

    watch = RedisWatch(
        lambda: database, lambda _: MemoryVisitors(StoredVisitors(), acme.id), on_fault=lambda what, _: None
    )
    visitor_id = VisitorId(new_id())
    await watch.notice(acme.id, visitor_id, sighting_of("Hello?", visitor_id, agent=None, request=None))
    await watch.hold(acme.id, visitor_id, hold())

    scripts = [command for command in database.asked if command[0] in ("EVAL", "EVALSHA")]
    [*keys] = await database.ask(*(("COMMAND", "GETKEYS", *command) for command in scripts))

    texts = {command[1] for command in scripts if command[0] == "EVALSHA"}
    assert (
        len(texts) == len([each for each in files("chatconnect.adapters").iterdir() if each.name.endswith(".lua")]) - 1
    )
    assert all(len({key_slot(key) for key in each}) == 1 for each in keys)
    assert all(each[0].startswith(f"{{{acme.id}}}:".encode()) for each in keys)
    await database.aclose()


class RecordingDatabase(RedisDatabase):
    """Remembers what it was asked."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.asked: list[Command] = []

    async def ask(self, *commands: Command) -> list[Any]:
        self.asked += commands
        return await super().ask(*commands)


class Unread(dict[tuple[Whose, UUID], dict[tuple[Measure, Period], int]]):
    """Totals that nobody is to read."""

    def get(self, *_: object) -> Any:
        raise AssertionError("nobody needs these totals")


def by_visitor(visitor_id: UUID) -> dict[Whose, UUID]:
    return {Whose.VISITOR: visitor_id}
