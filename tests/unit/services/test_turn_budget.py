"""Every call of a model in a turn is within the tenant's caps: further rounds, queries and summaries."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from chatconnect.domain.assistant import Fallback
from chatconnect.domain.budget import Measure
from chatconnect.domain.conversation import MessageStatus
from chatconnect.domain.errors import LimitReached, NotFound, ProviderFailed
from chatconnect.domain.identifiers import ConversationId
from chatconnect.domain.pricing import PriceTable
from chatconnect.domain.tenant import Plan
from chatconnect.ports.models import Finished, ToolCall
from tests.factories import a_tool
from tests.fakes import tenants
from tests.fakes.models import ScriptedModel, Step
from tests.unit.services.conversing import World, a_question, a_world, names, text_of, told
from tests.unit.services.test_tool_rounds import RoundsModel

UNLIMITED = Plan("free", 100, "openai", "gpt-5-mini")
CALL = ToolCall("call_1", "orders", '{"order": "A-1"}')
FIRST_BOUND = 1_200 + 100 + 650  # a passage, what frames it, and one tool
LONG = "word " * 2_500


class MeteredRounds(RoundsModel):
    """Plays one script per request, each of which ends with its own figures."""

    def __init__(self, *rounds: tuple[Sequence[Step], Finished]) -> None:
        super().__init__(*(steps for steps, _ in rounds))
        self.ends = [end for _, end in rounds]

    async def stream(self, *arguments: Any) -> Any:
        self.end = self.ends.pop(0) if len(self.ends) > 1 else self.ends[0]
        async for delta in super().stream(*arguments):
            yield delta


def took(read: int, said: int) -> Finished:
    return Finished("stop", read, said)


async def a_world_with_a_tool(*rounds: tuple[Sequence[Step], Finished], **config: Any) -> World:
    world = await a_world(model=MeteredRounds(*rounds), tools=("orders",), max_tokens=200, **config)
    world.configured(
        **{"tools": ("orders",), "max_tokens": 200, "provider": "openai", "model": "gpt-5-mini", "condense": "off"}
        | {"retrieval": replace(world.new.assistant.config.retrieval, limit=1)}
        | config
    )
    tool = a_tool(world.tenant_id, name="orders")
    world.tools[world.tenant_id, tool.id] = tool
    world.endpoints.answers["orders"] = "It left on Monday."
    return world


def planned(monkeypatch: pytest.MonkeyPatch, **limits: Any) -> None:
    monkeypatch.setitem(tenants.PLANS, "free", replace(UNLIMITED, **limits))


def tokens(world: World) -> int:
    return world.budgets.used[world.tenant_id, Measure.TOKENS]


def peak(world: World, measure: Measure = Measure.TOKENS) -> int:
    return world.budgets.peaks[world.tenant_id, measure]


# Rounds


async def test_the_first_call_needs_no_more_than_the_admission(monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, tokens_per_day=100_000)
    world = await a_world_with_a_tool((["Hello."], took(500, 10)))

    await told(world.chat(), world.visitor(), a_question())

    assert world.budgets.extensions == []
    assert tokens(world) == 510


async def test_each_further_round_is_set_aside_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, tokens_per_day=100_000)
    world = await a_world_with_a_tool(([CALL], took(600, 20)), ([CALL], took(800, 20)), (["Monday."], took(900, 10)))

    await told(world.chat(), world.visitor(), a_question())

    second, third = world.budgets.extensions
    assert (second.max_tokens, third.max_tokens) == (200, 200)
    assert 600 < second.prompt_tokens < third.prompt_tokens
    assert tokens(world) == 600 + 20 + 800 + 20 + 900 + 10


async def test_a_further_round_is_measured_as_the_provider_counted_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planned(monkeypatch, tokens_per_day=100_000)
    dense = await a_world_with_a_tool(([CALL], took(5_000, 20)), (["Monday."], took(6_000, 10)))

    await told(dense.chat(), dense.visitor(), a_question())

    [second] = dense.budgets.extensions
    assert second.prompt_tokens > 5_000


async def test_a_round_that_is_cut_to_what_is_left_has_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, tokens_per_day=FIRST_BOUND + 350)
    world = await a_world_with_a_tool(([CALL], took(450, 20)), (["Monday."], took(1_700, 10)))
    world.endpoints.answers["orders"] = "word " * 1_250

    heard = await told(world.chat(), world.visitor(), a_question())

    first, second = world.model.options
    assert (first.may_call_tools, second.may_call_tools) == (True, False)
    assert 16 <= second.max_tokens < first.max_tokens
    assert (text_of(heard), heard[-1][0]) == ("Monday.", "done")
    assert peak(world) <= FIRST_BOUND + 350


async def test_without_room_for_a_further_round_the_answer_ends_with_what_was_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planned(monkeypatch, tokens_per_day=FIRST_BOUND + 350)
    world = await a_world_with_a_tool((["Let me look.", CALL], took(600, 20)), (["never"], took(1, 1)))
    world.endpoints.answers["orders"] = LONG

    heard = await told(world.chat(), world.visitor(), a_question())

    assert text_of(heard) == "Let me look."
    assert (heard[-1][0], heard[-1][1]["finish_reason"]) == ("done", "length")
    [answer] = world.answers(MessageStatus.COMPLETE)
    assert (answer.usage.input_tokens, answer.usage.output_tokens, tokens(world)) == (600, 20, 620)
    assert len(world.model.prompts) == 1


async def test_without_room_and_with_nothing_said_the_cap_is_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, tokens_per_day=FIRST_BOUND + 350)
    world = await a_world_with_a_tool(([CALL], took(600, 20)), (["never"], took(1, 1)))
    world.endpoints.answers["orders"] = LONG

    heard = await told(world.chat(), world.visitor(), a_question())

    assert (heard[-1][0], heard[-1][1]["code"]) == ("error", "tokens_per_day_reached")
    [answer] = world.answers(MessageStatus.FAILED)
    assert (answer.error_code, tokens(world)) == ("tokens_per_day_reached", 620)
    assert not world.budgets.held


async def test_tools_that_take_more_than_was_meant_for_them_are_set_aside_before_the_first_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planned(monkeypatch, tokens_per_day=100_000)
    world = await a_world_with_a_tool((["Hello."], took(3_000, 10)))
    [(place, tool)] = world.tools.items()
    world.tools[place] = replace(tool, description="word " * 190)

    await told(world.chat(), world.visitor(), a_question())
    assert world.budgets.extensions == []
    world.tools[place] = replace(tool, parameters={**tool.parameters, "description": "word " * 900})
    await told(world.chat(), world.visitor(), a_question())

    [more] = world.budgets.extensions
    assert more.prompt_tokens > FIRST_BOUND + 500
    assert peak(world) < 2 * more.prompt_tokens + 3_010  # in place of the first, not beside it


async def test_the_dearer_of_two_models_is_what_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, microusd_per_day=10**9)
    plain = await a_world("Hello.")
    both = await a_world("Hello.", fallback=Fallback("anthropic", "claude-sonnet-4-6"))
    sonnet = PriceTable.published().find("anthropic", "claude-sonnet-4-6", date(2026, 3, 14))
    assert sonnet is not None

    for world in (plain, both):
        await told(world.chat(), world.visitor(), a_question())

    assert peak(both, Measure.MONEY) > 5 * peak(plain, Measure.MONEY)
    assert peak(both, Measure.MONEY) > 6_000 * sonnet.dearest_input // 1_000_000


# Queries and summaries


async def talked(world: World, *questions: str) -> None:
    chat, visitor, place = world.chat(), world.visitor(), None
    for text in questions:
        await told(chat, visitor, a_question(text, conversation_id=place))
        world.clock.advance(1)
        place = ConversationId(next(iter(world.conversations.conversations))[1])


async def test_a_query_is_set_aside_beside_the_answer_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, tokens_per_day=100_000)
    world = await a_world("Yes.", condense="auto")
    world.side = ScriptedModel("price of the pro plan", end=took(60, 5))

    await talked(world, "What is in the pro plan?", "And how much?")

    [query] = world.budgets.extensions
    assert (query.max_tokens, query.shortest) == (120, 120)
    assert tokens(world) == sum(each.usage.input_tokens + each.usage.output_tokens for each in world.answers())
    assert world.answers()[-1].usage.input_tokens == 1_060


async def test_a_query_without_room_is_made_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, tokens_per_day=10**6)
    world = await a_world("Yes.", condense="auto")
    await talked(world, "What is in the pro plan?")
    in_use = tokens(world)

    planned(monkeypatch, tokens_per_day=in_use + 8_000)
    world.configured(condense="auto", provider="openai", model="gpt-5-mini", max_tokens=5_000)
    chat, visitor = world.chat(), world.visitor()
    [conversation] = world.conversations.conversations.values()
    assert conversation.visitor_id
    await told(
        chat,
        replace(visitor, visitor_id=conversation.visitor_id),
        a_question("And how much?", conversation_id=conversation.id),
    )

    queries = [context.query for context in world.conversations.contexts.values()]
    assert queries[-1] == "And how much? pro plan"
    assert world.side.prompts == []
    assert peak(world) <= in_use + 8_000


async def test_a_summary_is_set_aside_and_counted_with_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, tokens_per_day=100_000, messages_per_day=3)
    world = await a_world("Yes.", history_messages=2)
    world.side = ScriptedModel("In short.", end=took(70, 8))

    await talked(world, "One?", "Two?", "Three?")

    assert world.side.prompts
    assert tokens(world) == sum(each.usage.input_tokens + each.usage.output_tokens for each in world.answers())
    assert world.budgets.used[world.tenant_id, Measure.MESSAGES] == 3
    assert not world.budgets.held


async def test_a_summary_without_room_is_made_of_what_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, tokens_per_day=10**6)
    world = await a_world("Yes.", history_messages=2)
    await talked(world, "My order is 4711.")

    world.configured(
        history_messages=2,
        provider="openai",
        model="gpt-5-mini",
        condense="off",
        max_tokens=16,
        retrieval=replace(world.new.assistant.config.retrieval, limit=1),
    )
    [conversation] = world.conversations.conversations.values()
    assert conversation.visitor_id
    visitor = replace(world.visitor(), visitor_id=conversation.visitor_id)
    planned(monkeypatch, tokens_per_day=tokens(world) + 3_200)
    world.model.end = took(3_180, 10)
    heard = await told(world.chat(), visitor, a_question("Where is it?", conversation_id=conversation.id))

    assert heard[-1][0] == "done"
    assert world.side.prompts == []
    [*_, summary] = world.conversations.summaries.values()
    assert "Visitor: My order is 4711." in summary.text
    assert not world.budgets.held


# What comes to nothing


async def test_a_request_that_comes_to_nothing_counts_against_the_rate_all_the_same() -> None:
    world = await a_world("Hello.")
    chat, probing = world.chat(), world.visitor(rate=2)

    for _ in range(2):
        with pytest.raises(NotFound):
            await chat.ask(probing, a_question(conversation_id=ConversationId(world.tenant_id)))
    with pytest.raises(LimitReached):
        await chat.ask(probing, a_question(conversation_id=ConversationId(world.tenant_id)))


async def test_an_answer_that_fails_leaves_nothing_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, tokens_per_day=100_000)
    world = await a_world_with_a_tool((["One moment.", CALL], took(600, 20)), ([ProviderFailed()], took(1, 1)))

    heard = await told(world.chat(), world.visitor(), a_question())

    assert names(heard)[-1] == "error"
    assert not world.budgets.held
    assert tokens(world) == 620


# What was measured


async def test_the_steps_of_a_turn_are_timed_and_kept_with_its_answer() -> None:
    world = await a_world(0.02, "Hello.", condense="auto")
    world.side = ScriptedModel(0.02, "price of the pro plan")

    await talked(world, "What is in the pro plan?", "And how much?")

    timings = world.answers()[-1].timings
    steps = {"epoch", "place", "admit", "moderate", "begin", "condense", "embed", "search", "retrieve", "compose"}
    assert set(timings) == steps | {"first_token", "generate"}
    assert 15 < timings["condense"] < 2_000
    assert 15 < timings["first_token"] <= timings["generate"] < 2_000
    assert "record" in world.recorded[-1].answer.timings
