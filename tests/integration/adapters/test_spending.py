"""Whole turns with tools, condensing and summaries, hundreds at once, on a real Redis and a real Postgres.

No cap is overshot, and afterwards counters, running totals and messages say the same.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.usage import PostgresUsage
from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_budgets import RedisBudgets
from chatconnect.adapters.redis_rates import RedisRateLimits
from chatconnect.domain.conversation import Conversation
from chatconnect.domain.errors import LimitReached
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.principals import Visitor
from chatconnect.domain.tenant import Plan
from chatconnect.ports.budgets import Budgets
from chatconnect.ports.conversations import Conversations
from chatconnect.ports.models import Delta, Finished, GenerationOptions, Prompt, TextDelta, ToolCall
from chatconnect.ports.traffic import RateLimits
from chatconnect.services.metering import prompt_tokens
from local.services import Redis
from tests.factories import NOON, a_conversation, a_tenant, a_tool, a_turn, answered
from tests.fakes import tenants
from tests.fakes.models import OneModel, ScriptedModel, words
from tests.fakes.tenants import MemoryAccounts
from tests.postgres import conninfo
from tests.unit.services.conversing import Event, World, a_question, events

TURNS = 200
FOLLOW_UP = "And what about it?"


class GreedyModel(ScriptedModel):
    """Takes what it may: calls tools while it may, and says as much as it may, with the tokens that it reports."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self.cut = self.calls = 0

    async def stream(self, prompt: Prompt, options: GenerationOptions) -> AsyncGenerator[Delta]:
        self.calls += 1
        read = prompt_tokens(prompt, words)
        await asyncio.sleep(self._random.uniform(0, 0.01))
        if prompt.tools and options.may_call_tools and options.max_tokens > 4 and self._random.random() < 0.7:
            yield ToolCall("call_1", "orders", '{"order": "A 1"}')
            yield Finished("stop", read, 4)
            return
        said = options.max_tokens if self._random.random() < 0.5 else self._random.randint(1, options.max_tokens)
        for _ in range(4):
            yield TextDelta("word " * (said // 4))
            await asyncio.sleep(0)
        yield TextDelta("word " * (said - said // 4 * 4) or " ")
        yield Finished("length" if said == options.max_tokens else "stop", read, said)


@dataclass
class RealWorld(World):
    """A world whose conversations are in Postgres and whose caps are in Redis."""

    database: PostgresDatabase | None = None
    redis: RedisDatabase | None = None

    def _budgets(self) -> Budgets:
        assert self.database
        assert self.redis
        return RedisBudgets(self.redis, PostgresUsage(self.database), on_fault=self._unexpected)

    def _rates(self) -> RateLimits:
        assert self.redis
        return RedisRateLimits(self.redis)

    def _conversations_of(self, tenant_id: TenantId) -> Conversations:
        assert self.database
        return PostgresConversations(self.database, tenant_id)

    def _unexpected(self, what: str, fault: BaseException) -> None:
        self.faults.append(fault)


@pytest.fixture
async def redis_database(redis: Redis) -> AsyncIterator[RedisDatabase]:
    made = RedisDatabase(redis.url)
    await made.ask(("PING",))  # connected before hundreds of turns keep this process busy
    yield made
    await made.aclose()


@pytest.fixture
async def patient_database(app_url: str) -> AsyncIterator[PostgresDatabase]:
    """As many connections as several processes have: nobody is to wait for one in vain."""
    made = PostgresDatabase(conninfo(app_url), pool_size=24, statement_timeout=30, connection_wait=30)
    yield made
    await made.aclose()


@pytest.fixture
async def world(patient_database: PostgresDatabase, redis_database: RedisDatabase) -> RealWorld:
    model, side = GreedyModel(4), GreedyModel(7)
    made = RealWorld(
        a_tenant("Acme"), model, OneModel(model), side=side, database=patient_database, redis=redis_database
    )
    await MemoryAccounts(made.tenants).open_tenant(made.new)
    await PostgresAccounts(patient_database).open_tenant(made.new)
    tool = a_tool(made.tenant_id, name="orders")
    made.tools[made.tenant_id, tool.id] = tool
    made.endpoints.answers["orders"] = "It left on Monday. " * 100
    config = made.new.assistant.config
    made.configured(
        provider="openai",
        model="gpt-5-mini",
        max_tokens=300,
        history_messages=2,
        tools=("orders",),
        retrieval=replace(config.retrieval, limit=1),
    )
    return made


async def talked_about(world: RealWorld) -> Conversation:
    """A conversation with two turns, so that a question in it follows something, and something falls out."""
    conversation = a_conversation(world.tenant_id, world.new.assistant.id)
    store = world._conversations_of(world.tenant_id)
    parent = None
    for at, text in ((0, "What does the pro plan cost?"), (10, "Does it include support?")):
        turn = a_turn(conversation, at=at, opens=at == 0)
        turn = replace(turn, question=replace(turn.question, text=text, parent_id=parent))
        await store.complete(answered(turn, text="It costs 49 euros."))
        parent = turn.answer.id
    return conversation


@dataclass
class Outcomes:
    """What became of the questions."""

    heard: list[list[Event]] = field(default_factory=list)
    refused: list[LimitReached] = field(default_factory=list)


async def asked_at_once(world: RealWorld, conversations: Sequence[Conversation]) -> Outcomes:
    chat, outcomes = world.chat(), Outcomes()

    async def ask(conversation: Conversation) -> None:
        assert conversation.visitor_id is not None
        visitor = Visitor(
            world.tenant_id, world.new.assistant.id, conversation.visitor_id, "https://acme.example", 1_000
        )
        try:
            frames = await chat.ask(visitor, a_question(FOLLOW_UP, conversation_id=conversation.id))
        except LimitReached as refused:
            outcomes.refused.append(refused)
        else:
            outcomes.heard.append(await events(frames))

    await asyncio.gather(*(ask(conversation) for conversation in conversations))
    await chat.drain()
    return outcomes


@pytest.mark.parametrize(
    ("caps", "binding"),
    [
        ({"tokens_per_day": 400_000, "microusd_per_month": 10**9}, "tokens_per_day"),
        ({"tokens_per_day": 10**9, "microusd_per_day": 150_000}, "microusd_per_day"),
    ],
)
async def test_two_hundred_turns_at_once_overshoot_no_cap_and_are_counted_exactly(
    caps: dict[str, int], binding: str, world: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.clock.now = NOON
    conversations = await asyncio.gather(*(talked_about(world) for _ in range(TURNS)))
    already = await in_messages(world)
    taken = already["money" if binding.startswith("micro") else "tokens"]
    limits: dict[str, Any] = caps | {binding: caps[binding] + taken}
    cap, wider = limits[binding], limits[binding] + caps[binding] // 2

    async def asked_under(cap: int, conversations: Sequence[Conversation]) -> tuple[Outcomes, int]:
        """What became of the questions, and what is used by then."""
        plan = Plan("free", 100, "openai", "gpt-5-mini", **limits | {binding: cap})
        monkeypatch.setitem(tenants.PLANS, "free", plan)
        outcomes = await asked_at_once(world, conversations)
        for turn in world.waiting.turns:  # what a worker does, should the database have been too busy
            await world._conversations_of(world.tenant_id).complete(turn)
        return outcomes, (await in_messages(world))["money" if binding.startswith("micro") else "tokens"]

    outcomes, used = await asked_under(cap, conversations)
    again, used_again = await asked_under(wider, conversations[: TURNS // 2])

    messages, redis_counts = await in_messages(world), await in_redis(world)
    assert world.faults == []
    assert taken + (cap - taken) // 4 < used <= cap
    assert used < used_again <= wider
    assert messages == await in_totals(world)
    assert redis_counts == {name: messages[name] for name in redis_counts}
    assert len(outcomes.heard) + len(outcomes.refused) == TURNS
    assert again.heard
    assert {each.code.replace("money", "microusd") for each in (*outcomes.refused, *again.refused)} == {
        f"{binding}_reached"
    }
    assert isinstance(world.side, GreedyModel)
    assert world.side.calls > 0
    assert isinstance(world.model, GreedyModel)
    assert world.model.calls > len(outcomes.heard)
    assert await held(world) == []


async def in_messages(world: RealWorld) -> dict[str, int]:
    return await one_row(
        world,
        "SELECT count(*), sum(input_tokens + output_tokens), sum(cost_microusd) FROM messages"
        " WHERE role = 'assistant' AND status <> 'pending'",
    )


async def in_totals(world: RealWorld) -> dict[str, int]:
    return await one_row(
        world,
        "SELECT sum(answers), sum(input_tokens + output_tokens), sum(cost_microusd) FROM usage_totals"
        " WHERE subject = 'tenant' AND period = 'month'",
    )


async def one_row(world: RealWorld, statement: str) -> dict[str, int]:
    assert world.database
    async with world.database.transaction(world.tenant_id) as connection:
        row = await (await connection.execute(statement)).fetchone()
    assert row is not None
    return {name: int(figure) for name, figure in zip(("messages", "tokens", "money"), row, strict=True)}


async def in_redis(world: RealWorld) -> dict[str, int]:
    return {
        name.partition("_per_")[0]: int(figure)
        for name, figure in (await budget(world)).items()
        if "_per_" in name and not name.endswith(":start")
    }


async def held(world: RealWorld) -> list[str]:
    """The reservations that are still open."""
    return [name for name in await budget(world) if name.startswith("open:")]


async def budget(world: RealWorld) -> dict[str, bytes]:
    """All that Redis keeps of the caps, but for names of caps."""
    assert world.redis
    kept: Any = await world.redis.client().hgetall(f"{{{world.tenant_id}}}:budget")
    return {name.decode(): figure for name, figure in kept.items() if name != b"caps"}
