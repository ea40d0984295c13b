"""Answers that are given again: to whom, from what, and until when."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from chatconnect.domain.assistant import Fallback
from chatconnect.domain.budget import Measure
from chatconnect.domain.conversation import MessageStatus
from chatconnect.domain.errors import ProviderFailed, Unavailable
from chatconnect.domain.identifiers import MessageId
from chatconnect.domain.moderation import Moderation, ModerationMode, ModerationResult
from chatconnect.domain.response_format import FormatKind, ResponseFormat
from chatconnect.domain.tenant import Plan
from chatconnect.ports.models import Finished, ModelEndpoint, ToolCall
from chatconnect.services.chat import ChatService
from tests.fakes import tenants
from tests.fakes.documents import MemoryDocuments
from tests.fakes.models import OneModel, ScriptedModel, Step
from tests.unit.services.conversing import Event, World, a_question, a_world, names, text_of, told

QUESTION = "What does the pro plan cost?"
PASSAGE = "The pro plan costs 49 euros."
UNLIMITED = Plan("free", 100, "openai", "gpt-5-mini")


async def a_caching_world(*script: Step, **config: Any) -> World:
    """A company that knows a price, and whose assistant may give answers again."""
    world = await a_world(*(script or ("It costs ", "49 euros. [1]")), **{"answer_cache": True} | config)
    await world.knows(PASSAGE)
    return world


async def asked(chat: ChatService, world: World, text: str = QUESTION, **about: Any) -> list[Event]:
    return await told(chat, world.visitor(), a_question(text, **about))


def answer_id(heard: list[Event]) -> MessageId:
    return MessageId(UUID(heard[0][1]["message_id"]))


def is_given_again(heard: list[Event]) -> bool:
    return bool(heard[-1][1]["usage"]["from_cache"])


async def test_the_same_question_gets_the_same_answer_without_a_model() -> None:
    world = await a_caching_world()
    chat = world.chat()
    first = await asked(chat, world)

    second = await asked(chat, world, f"  {QUESTION.upper()}\n")

    assert not is_given_again(first)
    assert is_given_again(second)
    assert len(world.model.prompts) == 1
    assert text_of(second) == text_of(first) == "It costs 49 euros. [1]"
    assert second[-1][1]["citations"] == first[-1][1]["citations"] != []
    assert names(second) == ["start", "citation", "token", "done"]
    assert second[-1][1]["finish_reason"] == "stop"
    assert world.lookups == [("answer", False), ("answer", True)]


async def test_an_answer_that_is_given_again_is_a_turn_of_its_own_that_costs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(tenants.PLANS, "free", replace(UNLIMITED, messages_per_day=10, tokens_per_day=100_000))
    world = await a_caching_world()
    chat = world.chat()
    first = await asked(chat, world)
    used = world.budgets.used[world.tenant_id, Measure.TOKENS]

    second = await asked(chat, world)

    ids = [heard[0][1][name] for heard in (first, second) for name in ("message_id", "user_message_id")]
    assert len(set(ids)) == 4
    [answer] = [each for each in world.answers() if each.usage.from_cache]
    assert (answer.status, answer.finish_reason, answer.model) == (MessageStatus.COMPLETE, "stop", "gpt-5-mini")
    assert (answer.text, len(answer.citations)) == ("It costs 49 euros. [1]", 1)
    usage = answer.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cost_microusd) == (0, 0, 0, 0)
    assert usage.first_token_ms is not None
    assert usage.total_ms is not None
    assert world.budgets.used[world.tenant_id, Measure.TOKENS] == used
    assert world.budgets.used[world.tenant_id, Measure.MESSAGES] == 2
    assert not world.budgets.held


async def test_nobody_looks_for_an_answer_unless_the_assistant_allows_it() -> None:
    world = await a_caching_world(answer_cache=False)
    chat = world.chat()
    await asked(chat, world)

    await asked(chat, world)

    assert len(world.model.prompts) == 2
    assert (world.given.asked, world.given.kept, world.lookups) == (0, {}, [])


async def test_only_a_first_question_is_answered_again() -> None:
    world = await a_caching_world()
    chat, visitor = world.chat(), world.visitor()
    first = await told(chat, visitor, a_question(QUESTION))
    conversation_id = world.message(answer_id(first)).conversation_id

    later = await told(chat, visitor, a_question(QUESTION, conversation_id=conversation_id))
    another = await told(chat, visitor, a_question("", regenerate=answer_id(first)))

    assert not is_given_again(later)
    assert not is_given_again(another)
    assert (len(world.model.prompts), world.given.asked, len(world.given.kept)) == (3, 1, 1)


async def test_what_a_later_question_was_told_is_never_kept() -> None:
    world = await a_caching_world()
    chat, visitor = world.chat(), world.visitor()
    first = await told(chat, visitor, a_question("Hello?"))
    conversation_id = world.message(answer_id(first)).conversation_id
    await told(chat, visitor, a_question(QUESTION, conversation_id=conversation_id))

    heard = await asked(chat, world)

    assert not is_given_again(heard)


@pytest.mark.parametrize(
    "changes",
    [
        {"system_prompt": "Answer in rhymes."},
        {"temperature": 0.9},
        {"response_format": ResponseFormat(FormatKind.JSON)},
    ],
)
async def test_another_configuration_gives_another_answer(changes: dict[str, Any]) -> None:
    world = await a_caching_world('{"price": 49}')
    chat = world.chat()
    await asked(chat, world)
    world.configured(**{"provider": "openai", "model": "gpt-5-mini", "condense": "off", "answer_cache": True} | changes)

    heard = await asked(chat, world)

    assert not is_given_again(heard)


async def test_new_knowledge_gives_another_answer() -> None:
    world = await a_caching_world()
    chat = world.chat()
    await asked(chat, world)
    await world.knows("The pro plan costs 59 euros from May on.")

    heard = await asked(chat, world)

    assert not is_given_again(heard)


async def test_what_an_answer_stands_on_has_to_stand_even_when_nobody_heard_of_its_end() -> None:
    world = await a_world("It costs 49 euros. [1]", answer_cache=True)
    version_id = await world.knows(PASSAGE)
    chat = world.chat()
    await asked(chat, world)
    [chunk] = world.chunks.of(version_id)
    await MemoryDocuments(world.documents, world.tenant_id).delete_all([chunk.document_id])  # and no new epoch begins

    heard = await asked(chat, world)

    assert not is_given_again(heard)


async def test_without_redis_every_question_is_answered_anew() -> None:
    world = await a_caching_world()
    chat = world.chat()
    await asked(chat, world)
    world.epochs.away = True

    heard = await asked(chat, world)

    assert not is_given_again(heard)
    assert len(world.given.kept) == 1


async def test_an_answer_that_was_begun_before_a_change_is_not_kept_for_after_it() -> None:
    going_on = asyncio.Event()
    world = await a_caching_world("It costs ", going_on, "49 euros. [1]")
    chat = world.chat()
    frames = await chat.ask(world.visitor(), a_question(QUESTION))
    await anext(frames)
    await world.knows("The pro plan costs 59 euros from May on.")
    going_on.set()
    [_ async for _ in frames]
    await chat.drain()

    heard = await asked(chat, world)

    assert not is_given_again(heard)


@pytest.mark.parametrize(
    "model",
    [
        ScriptedModel("It costs", ProviderFailed()),
        ScriptedModel("It costs", end=Finished("length", 10, 5)),
        ScriptedModel("", end=Finished("filtered", 10, 5)),
    ],
)
async def test_what_is_not_whole_is_not_given_again(model: ScriptedModel) -> None:
    world = await a_world(model=model, answer_cache=True)
    chat = world.chat()
    await asked(chat, world)

    heard = await told(chat, world.visitor(), a_question(QUESTION))

    assert heard[-1][0] == "error" or not is_given_again(heard)
    assert world.given.kept == {}


async def test_what_a_tool_had_part_in_is_not_given_again() -> None:
    call = ToolCall("1", "search_knowledge", '{"query": "pro plan"}')
    world = await a_caching_world(call, "It costs 49 euros. [1]", tools=("search_knowledge",), tool_rounds=2)
    chat = world.chat()
    heard = await asked(chat, world)

    assert "tool" in names(heard)
    assert world.given.kept == {}


class OwnModelDown(OneModel):
    """The fallback answers, and the assistant's own model never does."""

    def at(self, endpoint: ModelEndpoint) -> ScriptedModel:
        return self.model if endpoint.provider == "anthropic" else ScriptedModel(ProviderFailed())


async def test_what_a_fallback_said_is_not_given_again() -> None:
    world = await a_caching_world(fallback=Fallback("anthropic", "claude-haiku-4-5"))
    world.models = OwnModelDown(ScriptedModel("It costs 49 euros."))

    heard = await asked(world.chat(), world)

    assert text_of(heard) == "It costs 49 euros."
    assert world.given.kept == {}


RULES = Moderation(ModerationMode.RULES, forbidden_phrases=("blockword",))


async def test_what_is_refused_is_not_given_again() -> None:
    world = await a_caching_world("It is a blockword.", moderation=RULES)
    chat = world.chat()
    heard = await asked(chat, world)

    assert heard[-1][1]["finish_reason"] == "refused"
    assert world.given.kept == {}


async def test_a_question_is_moderated_whether_it_was_answered_before_or_not() -> None:
    world = await a_caching_world(moderation=Moderation(ModerationMode.PROVIDER))
    chat = world.chat()
    await asked(chat, world)
    world.moderator.asked.clear()

    second = await asked(chat, world)
    world.moderator.fault = Unavailable("moderation")
    third = await asked(chat, world)

    assert is_given_again(second)
    assert world.moderator.asked == [QUESTION, QUESTION]
    assert world.message(answer_id(second)).moderation == ModerationResult()
    assert third[-1] == ("error", third[-1][1])
    assert third[-1][1]["code"] == "moderation_unavailable"
    assert text_of(third) == ""


async def test_a_repeated_request_is_the_same_turn_and_no_new_one() -> None:
    world = await a_caching_world()
    chat, visitor = world.chat(), world.visitor()
    await asked(chat, world)
    once = await told(chat, visitor, a_question(QUESTION, idempotency_key="once"))

    again = await told(chat, visitor, a_question(QUESTION, idempotency_key="once"))

    assert again[0][1]["message_id"] == once[0][1]["message_id"]
    assert is_given_again(once)
    assert is_given_again(again)
    assert len([each for each in world.answers() if each.usage.from_cache]) == 1
