"""Answers for which a model calls tools first."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from chatconnect.domain.context import ToolUse
from chatconnect.domain.errors import ProviderFailed, Unavailable
from chatconnect.domain.identifiers import ConversationId
from chatconnect.domain.tool import SEARCH_KNOWLEDGE
from chatconnect.ports.models import GenerationOptions, Prompt, ToolCall
from chatconnect.services.conversations import ConversationService
from tests.factories import a_tool
from tests.fakes.chunks import MemoryChunks
from tests.fakes.models import ScriptedModel, Step
from tests.fakes.tools import MemoryHttpTools
from tests.unit.services.conversing import Event, World, a_question, a_world, text_of, told

ORDER = {"order": "A-1"}


class RoundsModel(ScriptedModel):
    """Plays one script per request; the last is repeated."""

    def __init__(self, *rounds: Sequence[Step]) -> None:
        super().__init__()
        self.rounds = list(rounds)

    async def stream(self, prompt: Prompt, options: GenerationOptions) -> Any:
        self.script = tuple(self.rounds.pop(0) if len(self.rounds) > 1 else self.rounds[0])
        async for delta in super().stream(prompt, options):
            yield delta


def call(name: str = "orders", arguments: Any = ORDER, number: int = 1) -> ToolCall:
    return ToolCall(f"call_{number}", name, arguments if isinstance(arguments, str) else json.dumps(arguments))


async def a_world_with_tools(*rounds: Sequence[Step], **config: Any) -> World:
    world = await a_world(model=RoundsModel(*rounds), tools=("orders", SEARCH_KNOWLEDGE), **config)
    tool = a_tool(world.tenant_id, name="orders")
    world.tools[world.tenant_id, tool.id] = tool
    world.endpoints.answers["orders"] = "It left on Monday."
    return world


def moves(heard: list[Event]) -> list[tuple[str, str]]:
    return [(data["name"], data["state"]) for name, data in heard if name == "tool"]


async def test_a_tools_result_goes_to_the_model_and_its_answer_to_the_visitor() -> None:
    world = await a_world_with_tools(["Let me look.", call()], ["It left on Monday."])

    heard = await told(world.chat(), world.visitor(), a_question("Where is order A-1?"))

    assert moves(heard) == [("orders", "called"), ("orders", "done")]
    assert text_of(heard) == "Let me look.\n\nIt left on Monday."
    assert world.endpoints.calls == [("orders", ORDER)]
    asked, given = world.model.prompts[1].messages[-2:]
    assert (asked.role, asked.text, asked.calls) == ("assistant", "Let me look.", (call(),))
    assert [(each.call_id, each.text, each.failed) for each in given.results] == [
        ("call_1", "It left on Monday.", False)
    ]
    assert [tool.name for tool in world.model.prompts[0].tools] == [SEARCH_KNOWLEDGE, "orders"]


async def test_the_tools_are_looked_up_while_the_passages_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    world, meeting = await a_world_with_tools(["It left on Monday."]), asyncio.Barrier(2)
    for store, method in ((MemoryHttpTools, "enabled"), (MemoryChunks, "search")):
        monkeypatch.setattr(store, method, meeting_others(getattr(store, method), meeting))

    heard = await told(world.chat(), world.visitor(), a_question("Where is order A-1?"))

    assert text_of(heard) == "It left on Monday."
    assert world.model.prompts[0].tools[-1].name == "orders"


def meeting_others(method: Any, meeting: asyncio.Barrier) -> Any:
    """The method, which goes on when another one is under way, too."""

    async def met(*arguments: Any, **named: Any) -> Any:
        async with asyncio.timeout(30):
            await meeting.wait()
        return await method(*arguments, **named)

    return met


async def test_what_the_tools_did_is_kept_with_the_answer_for_the_companys_own_side() -> None:
    world = await a_world_with_tools(["Let me look.", call(), call(arguments="{", number=2)], ["It left on Monday."])
    world.endpoints.answers["orders"] = "left on Monday"
    visitor = world.visitor()

    heard = await told(world.chat(), visitor, a_question())

    conversation_id = ConversationId(UUID(heard[0][1]["conversation_id"]))
    conversations = ConversationService(conversations_of=world._conversations_of, clock=world.clock)
    inside = await conversations.read(world.tenant_id, conversation_id, None)
    outside = await conversations.read(world.tenant_id, conversation_id, visitor.visitor_id)
    [[round_]] = inside.rounds.values()
    assert [str(each) for each in inside.rounds] == [heard[0][1]["message_id"]]
    assert round_.said == "Let me look."
    assert round_.uses[0] == ToolUse("orders", json.dumps(ORDER), "left on Monday")
    assert round_.uses[1].failed
    assert outside.rounds == {}


async def test_the_tokens_of_all_rounds_count() -> None:
    world = await a_world_with_tools([call()], [call()], ["Monday."])

    heard = await told(world.chat(), world.visitor(), a_question())

    usage = heard[-1][1]["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["cached_tokens"]) == (3_000, 300, 600)
    assert world.answers()[0].usage.cost_microusd == usage["cost_microusd"] > 0


async def test_an_assistant_without_tools_tells_the_model_of_none() -> None:
    world = await a_world_with_tools(["Monday."])
    world.configured(tools=())

    await told(world.chat(), world.visitor(), a_question())

    assert world.model.prompts[0].tools == ()


async def test_calls_of_one_round_run_side_by_side_and_their_results_keep_the_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await a_world_with_tools([call(number=1), call(number=2)], ["Monday."])
    both = asyncio.Barrier(2)

    async def slow(_tool: object, arguments: object) -> str:
        async with asyncio.timeout(30):
            await both.wait()
        return "there"

    monkeypatch.setattr(world.endpoints, "call", slow)
    heard = await told(world.chat(), world.visitor(), a_question())

    assert moves(heard) == [("orders", "called")] * 2 + [("orders", "done")] * 2
    assert [each.call_id for each in world.model.prompts[1].messages[-1].results] == ["call_1", "call_2"]


MISTAKES = [
    (call(arguments="{not json"), "not JSON"),
    (call(arguments=["A-1"]), "expected object"),
    (call(arguments={}), "order is missing"),
    (call(arguments={"order": 7}), "expected string"),
    (call(arguments={"order": "A-1", "admin": True}), "admin is not known"),
    (call(arguments='{"order": "A-1", "\\ud800": 1}'), "? is not known"),
    (call("delete_everything"), "no such tool"),
    (call(SEARCH_KNOWLEDGE, {"query": ""}), "minLength"),
]


@pytest.mark.parametrize(("mistake", "told_to_model"), MISTAKES)
async def test_a_models_mistake_is_told_to_it_and_it_may_do_better(mistake: ToolCall, told_to_model: str) -> None:
    world = await a_world_with_tools([mistake], ["I could not look it up."])

    heard = await told(world.chat(), world.visitor(), a_question())

    [result] = world.model.prompts[1].messages[-1].results
    assert result.failed
    assert told_to_model in result.text
    assert [state for _, state in moves(heard)] == ["called", "failed"]
    assert "delete_everything" not in str(heard)
    assert (text_of(heard), heard[-1][0]) == ("I could not look it up.", "done")
    assert world.endpoints.calls == []


async def test_a_tool_that_fails_is_told_to_the_model_and_not_to_the_visitor() -> None:
    world = await a_world_with_tools([call()], ["The order system does not answer."])
    world.endpoints.answers.clear()

    heard = await told(world.chat(), world.visitor(), a_question())

    [result] = world.model.prompts[1].messages[-1].results
    assert (result.failed, "status 500" in result.text) == (True, True)
    assert "status 500" not in str(heard)
    assert heard[-1][0] == "done"


async def test_a_bug_in_a_tool_is_reported_to_us_and_not_spelled_out_to_the_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await a_world_with_tools([call()], ["Sorry."])
    bug = RuntimeError("password is hunter2")

    async def broken(*_: object) -> str:
        raise bug

    monkeypatch.setattr(world.endpoints, "call", broken)
    heard = await told(world.chat(), world.visitor(), a_question())

    assert "hunter2" not in world.model.prompts[1].messages[-1].results[0].text
    assert world.faults == [bug]
    assert heard[-1][0] == "done"


async def test_a_tool_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatconnect.services.tool_rounds.TOOL_SECONDS", 0.01)
    world = await a_world_with_tools([call()], ["Sorry."])
    given_up = asyncio.Event()

    async def endless(*_: object) -> str:
        try:
            await asyncio.sleep(60)
        finally:
            given_up.set()
        return ""

    monkeypatch.setattr(world.endpoints, "call", endless)
    heard = await told(world.chat(), world.visitor(), a_question())

    assert moves(heard)[-1] == ("orders", "failed")
    assert given_up.is_set()


async def test_a_long_result_is_shortened_for_the_model() -> None:
    world = await a_world_with_tools([call()], ["Long."])
    world.endpoints.answers["orders"] = "x" * 60_000

    await told(world.chat(), world.visitor(), a_question())

    assert len(world.model.prompts[1].messages[-1].results[0].text) < 17_000


async def test_a_model_that_never_stops_calling_has_to_answer_in_the_last_round() -> None:
    world = await a_world_with_tools([call()], [call()], ["Enough."], tool_rounds=3)

    heard = await told(world.chat(), world.visitor(), a_question())

    assert [options.may_call_tools for options in world.model.options] == [True, True, False]
    assert text_of(heard) == "Enough."


async def test_a_model_that_calls_although_it_may_not_and_says_nothing_has_failed() -> None:
    world = await a_world_with_tools([call()], tool_rounds=2)

    heard = await told(world.chat(), world.visitor(), a_question())

    assert heard[-1][1]["code"] == "provider_failed"
    assert len(world.endpoints.calls) == 1


async def test_no_more_than_eight_calls_are_made_at_once() -> None:
    world = await a_world_with_tools([call(number=number) for number in range(20)], ["Done."])

    await told(world.chat(), world.visitor(), a_question())

    assert len(world.endpoints.calls) == 8
    assert len(world.model.prompts[1].messages[-1].results) == 20


async def test_a_provider_that_fails_in_a_later_round_leaves_the_cost_of_the_earlier() -> None:
    world = await a_world_with_tools(["One moment.", call()], [ProviderFailed()])

    heard = await told(world.chat(), world.visitor(), a_question())

    assert heard[-1][1]["code"] == "provider_failed"
    [answer] = world.answers()
    assert (answer.text, answer.usage.input_tokens) == ("One moment.", 1_000)


async def test_an_answer_that_is_stopped_stops_its_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await a_world_with_tools([call()], ["never"])
    called, left = asyncio.Event(), asyncio.Event()

    async def endless(*_: object) -> str:
        called.set()
        try:
            await asyncio.sleep(60)
        finally:
            left.set()
        return ""

    monkeypatch.setattr(world.endpoints, "call", endless)
    chat, visitor = world.chat(), world.visitor()
    hearing = asyncio.create_task(told(chat, visitor, a_question()))
    await called.wait()
    await chat.cancel(visitor, next(iter(world.answers())).id)

    heard = await hearing
    assert heard[-1][1]["finish_reason"] == "cancelled"
    assert left.is_set()


async def test_without_the_list_of_tools_there_is_an_error() -> None:
    world = await a_world_with_tools(["never"])

    world.tool_faults["enabled"] = Unavailable("the database")
    heard = await told(world.chat(), world.visitor(), a_question())

    assert heard[-1][1]["code"] == "unavailable"


async def test_a_tool_of_another_tenant_or_one_that_is_off_is_none() -> None:
    world, other = await a_world_with_tools(["Hello."]), await a_world()
    [own] = world.tools.values()
    foreign = a_tool(other.tenant_id, name="foreign")
    off = a_tool(world.tenant_id, name="off", enabled=False)
    world.tools |= {(other.tenant_id, foreign.id): foreign, (world.tenant_id, off.id): off}
    world.configured(tools=(own.name, "foreign", "off"))

    await told(world.chat(), world.visitor(), a_question())

    assert [tool.name for tool in world.model.prompts[0].tools] == ["orders"]


# The search as a tool


async def test_what_the_search_finds_can_be_cited() -> None:
    world = await a_world_with_tools(
        [call(SEARCH_KNOWLEDGE, {"query": "zzz qqq xyzzy"})], ["It is deep [2], and costs 49 [1]."],
    )  # fmt: skip
    await world.knows("The pro plan costs 49 euros.")
    await world.knows("zzz qqq xyzzy")

    heard = await told(world.chat(), world.visitor(), a_question("The pro plan costs euros"))

    assert len(world.model.prompts[0].passages) == 1
    assert 'number="2"' in world.model.prompts[1].messages[-1].results[0].text
    assert [citation["quote"] for citation in heard[-1][1]["citations"]] == [
        "zzz qqq xyzzy",
        "The pro plan costs 49 euros.",
    ]


async def test_a_passage_that_is_found_again_keeps_its_number() -> None:
    world = await a_world_with_tools([call(SEARCH_KNOWLEDGE, {"query": "The pro plan costs euros"})], ["49 [1] [2]."])
    await world.knows("The pro plan costs 49 euros.")

    heard = await told(world.chat(), world.visitor(), a_question("The pro plan costs euros"))

    assert 'number="1"' in world.model.prompts[1].messages[-1].results[0].text
    assert len(heard[-1][1]["citations"]) == 1


async def test_a_search_that_finds_nothing_says_so_to_the_model() -> None:
    world = await a_world_with_tools([call(SEARCH_KNOWLEDGE, {"query": "anything"})], ["No idea."])

    await told(world.chat(), world.visitor(), a_question())

    [result] = world.model.prompts[1].messages[-1].results
    assert (result.failed, result.text) == (False, "No passage of the company's documents matches this query.")
