"""One question, one answer: what is shown, what is recorded, and exactly one last event whatever goes wrong."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from chatconnect.domain.conversation import MessageStatus
from chatconnect.domain.errors import ChatConnectError, ProviderBusy, ProviderFailed, Unavailable
from chatconnect.domain.events import Frame
from chatconnect.domain.identifiers import MessageId
from tests.fakes.models import FINISHED, ScriptedModel
from tests.unit.services.conversing import Event, World, a_question, a_world, events, names, text_of, told
from tests.waiting import until

COST = -(-(800 * 250_000 + 200 * 25_000 + 100 * 2_000_000) // 1_000_000)  # 800 fresh, 200 cached, 100 out: gpt-5-mini


async def test_an_answer_streams_with_its_citations_and_is_stored_as_it_was_shown() -> None:
    world = await a_world("It costs", " 49 euros [", "1].")
    version_id = await world.knows("The pro plan costs 49 euros.")

    heard = await told(world.chat(), world.visitor(), a_question())

    assert names(heard) == ["start", "token", "token", "citation", "token", "token", "done"]
    assert text_of(heard) == "It costs 49 euros [1]."
    [(_, started)], [(_, done)] = heard[:1], heard[-1:]
    assert started["trace_id"] == "trace"
    assert [citation["quote"] for citation in done["citations"]] == ["The pro plan costs 49 euros."]
    stored = world.message(MessageId(world.recorded[0].answer.id))
    assert (stored.text, stored.status, stored.finish_reason) == (
        "It costs 49 euros [1].",
        MessageStatus.COMPLETE,
        "stop",
    )
    assert [citation.version_id for citation in stored.citations] == [version_id]
    assert str(stored.id) == started["message_id"]


async def test_zeros_that_no_database_takes_are_left_out_of_an_answer() -> None:
    world = await a_world("It is\0 free", "\0", ".")

    heard = await told(world.chat(), world.visitor(), a_question())

    assert (text_of(heard), world.recorded[0].answer.text) == ("It is free.", "It is free.")


@pytest.mark.parametrize("said", [(), (" ", "\n"), ("[99]",)])
@pytest.mark.parametrize("reason", ["stop", "length"])
async def test_an_answer_without_a_word_is_an_error_that_costs_what_it_took(said: tuple[str, ...], reason: str) -> None:
    world = await a_world(model=ScriptedModel(*said, end=replace(FINISHED, reason=reason)))

    heard = await told(world.chat(), world.visitor(), a_question())

    [answer] = world.answers()
    assert (names(heard)[-1], heard[-1][1]["code"], heard[-1][1]["retryable"]) == ("error", "answer_empty", True)
    assert (answer.error_code, answer.usage.cost_microusd) == ("answer_empty", COST)


async def test_what_a_vendors_filter_keeps_silent_about_is_answered_in_the_words_of_refusal() -> None:
    world = await a_world(model=ScriptedModel(end=replace(FINISHED, reason="filtered")))

    heard = await told(world.chat(), world.visitor(), a_question())

    assert text_of(heard) == "I cannot help with that."
    assert heard[-1][1]["finish_reason"] == "filtered"


async def test_what_the_answer_took_is_shown_and_recorded() -> None:
    world = await a_world("Hello.")

    heard = await told(world.chat(), world.visitor(), a_question())

    usage, [stored] = heard[-1][1]["usage"], world.answers()
    assert (usage["input_tokens"], usage["output_tokens"], usage["cached_tokens"]) == (1_000, 100, 200)
    assert usage["cost_microusd"] == stored.usage.cost_microusd == COST
    assert 0 <= usage["first_token_ms"] <= usage["total_ms"]
    assert replace(world.recorded[0].answer, timings=stored.timings) == stored


async def test_a_model_without_a_known_price_costs_nothing() -> None:
    world = await a_world("Hello.", model=None)
    world.configured(provider="openai", model="my-own")

    heard = await told(world.chat(), world.visitor(), a_question())

    assert heard[-1][1]["usage"]["cost_microusd"] == 0


async def test_the_model_gets_the_passages_the_question_and_its_bounds() -> None:
    world = await a_world("Hello.", temperature=0.7, max_tokens=123, refusal="No idea.")
    await world.knows("The pro plan costs 49 euros.")

    await told(world.chat(), world.visitor(), a_question("How much is the pro plan?"))

    [prompt], [options], [endpoint] = world.model.prompts, world.model.options, world.models.endpoints
    assert "The pro plan costs 49 euros." in prompt.system
    assert "Acme" in prompt.system
    assert [passage.chunk.text for passage in prompt.passages] == ["The pro plan costs 49 euros."]
    assert [(message.role, message.text) for message in prompt.messages] == [("user", "How much is the pro plan?")]
    assert (prompt.refusal, options.max_tokens, options.temperature) == ("No idea.", 123, 0.7)
    assert (endpoint.provider, endpoint.model) == ("openai", "gpt-5-mini")


async def test_a_citation_of_nothing_never_reaches_the_visitor() -> None:
    world = await a_world("It costs 49 euros [7].")

    heard = await told(world.chat(), world.visitor(), a_question())

    assert text_of(heard) == "It costs 49 euros."
    assert heard[-1][1]["citations"] == []


FAULTS = [
    (ProviderFailed(), "provider_failed", True),
    (ProviderBusy(7), "provider_busy", True),
    (ChatConnectError("no"), "internal", False),
    (RuntimeError("the visitor said: hello"), "internal", False),
    (TimeoutError(), "answer_timeout", True),
]


@pytest.mark.parametrize(("fault", "code", "retryable"), FAULTS)
async def test_a_model_that_fails_before_its_first_piece_ends_in_one_error(
    fault: Exception, code: str, retryable: bool
) -> None:
    world = await a_world(fault)

    heard = await told(world.chat(), world.visitor(), a_question())

    assert names(heard) == ["start", "error"]
    assert (heard[-1][1]["code"], heard[-1][1]["retryable"]) == (code, retryable)
    assert "visitor said" not in heard[-1][1]["detail"]
    [stored] = world.answers()
    assert (stored.status, stored.error_code, stored.text) == (MessageStatus.FAILED, code, "")
    assert world.model.closed == 1


@pytest.mark.parametrize(("fault", "code", "retryable"), FAULTS)
async def test_a_model_that_fails_mid_way_leaves_the_part_that_was_shown(
    fault: Exception, code: str, retryable: bool
) -> None:
    world = await a_world("It costs", " 49", fault)

    heard = await told(world.chat(), world.visitor(), a_question())

    assert names(heard) == ["start", "token", "token", "error"]
    [stored] = world.answers()
    assert (stored.status, stored.error_code, stored.text) == (MessageStatus.PARTIAL, code, text_of(heard))
    assert len(world.recorded) == 1


async def test_a_model_that_just_stops_is_an_error_not_an_answer() -> None:
    world = await a_world(model=ScriptedModel("It costs", end=None))

    heard = await told(world.chat(), world.visitor(), a_question())

    assert heard[-1][1]["code"] == "provider_failed"


async def test_a_cut_off_answer_says_so() -> None:
    world = await a_world(model=ScriptedModel("It costs", end=FINISHED.__class__("length", 1, 2)))

    heard = await told(world.chat(), world.visitor(), a_question())

    assert heard[-1][1]["finish_reason"] == "length"


async def test_without_the_search_there_is_an_error_and_no_ungrounded_answer() -> None:
    world = await a_world("I make something up.")
    world.search_faults["search"] = Unavailable("the search")

    heard = await told(world.chat(), world.visitor(), a_question())

    assert names(heard) == ["start", "error"]
    assert (heard[-1][1]["code"], heard[-1][1]["retryable"]) == ("unavailable", True)
    assert world.model.prompts == []
    [stored] = world.answers()
    assert stored.status is MessageStatus.FAILED


@pytest.mark.parametrize("fault", [Unavailable("the database"), RuntimeError("a bug")])
async def test_a_turn_that_cannot_be_stored_waits_in_the_queue_and_the_visitor_has_the_answer(fault: Exception) -> None:
    world = await a_world("Hello.")
    world.conversation_faults |= {"begin": fault, "complete": fault}

    heard = await told(world.chat(), world.visitor(), a_question())

    assert (text_of(heard), heard[-1][0]) == ("Hello.", "done")
    [turn] = world.waiting.turns
    assert (turn.answer.text, turn.answer.status) == ("Hello.", MessageStatus.COMPLETE)
    assert turn.opens
    assert [each.answer.id for each in world.recorded] == [turn.answer.id]


async def test_a_beginning_that_was_not_stored_is_made_good_at_the_end() -> None:
    world = await a_world("Hello.")
    world.conversation_faults["begin"] = Unavailable("the database")

    await told(world.chat(), world.visitor(), a_question())

    [stored] = world.answers(MessageStatus.COMPLETE)
    assert stored.text == "Hello."
    assert world.waiting.turns == []


@pytest.mark.parametrize("fault", [Unavailable("the queue"), RuntimeError("a bug")])
async def test_with_the_database_and_the_queue_away_the_stream_still_ends_and_the_loss_is_told(
    fault: Exception,
) -> None:
    world = await a_world("Hello.")
    world.conversation_faults |= {"begin": Unavailable("the database"), "complete": Unavailable("the database")}
    world.queue_faults["put"] = fault

    heard = await told(world.chat(), world.visitor(), a_question())

    assert (text_of(heard), heard[-1][0]) == ("Hello.", "done")
    assert fault in world.faults


async def test_an_answer_that_takes_too_long_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatconnect.services.generation.LONGEST_ANSWER_SECONDS", 0.5)
    world = await a_world("It ", 60.0)

    heard = await told(world.chat(), world.visitor(), a_question())

    assert names(heard) == ["start", "token", "error"]
    assert heard[-1][1]["code"] == "answer_timeout"
    assert world.model.closed == 1


# Stopping


async def stopped(world: World, *, after: str) -> list[Event]:
    """Ask, cancel when an event of that name has been heard, and hear the rest."""
    chat, visitor = world.chat(), world.visitor()
    begun: set[str] = set()

    async def noted(frames: AsyncGenerator[Frame, None]) -> AsyncGenerator[Frame, None]:
        async for frame in frames:
            begun.add(frame.name)
            yield frame

    hearing = asyncio.create_task(events(noted(await chat.ask(visitor, a_question()))))
    await until(lambda: after in begun and world.answers())
    await chat.cancel(visitor, world.answers()[0].id)
    heard = await hearing
    await chat.drain()
    return heard


async def test_an_answer_stopped_before_its_first_piece_is_partial_and_recorded_once() -> None:
    world = await a_world(5.0, "never")

    heard = await stopped(world, after="start")

    assert names(heard) == ["start", "done"]
    assert heard[-1][1]["finish_reason"] == "cancelled"
    [stored] = world.answers()
    assert (stored.status, stored.finish_reason, stored.text) == (MessageStatus.PARTIAL, "cancelled", "")
    assert len(world.recorded) == 1


async def test_an_answer_stopped_while_it_streams_keeps_what_was_shown() -> None:
    world = await a_world("It costs", 5.0, " 49 euros")

    heard = await stopped(world, after="token")

    assert text_of(heard) == "It costs"
    [stored] = world.answers()
    assert (stored.text, stored.status) == ("It costs", MessageStatus.PARTIAL)
    assert len(world.recorded) == 1
    assert world.model.closed == 1


async def test_stopping_twice_or_after_the_end_changes_nothing() -> None:
    world = await a_world("Hello.")
    chat, visitor = world.chat(), world.visitor()
    await told(chat, visitor, a_question())

    for _ in range(2):
        await chat.cancel(visitor, world.answers()[0].id)

    [stored] = world.answers()
    assert (stored.text, stored.status) == ("Hello.", MessageStatus.COMPLETE)
    assert len(world.recorded) == 1


async def test_an_answer_can_be_stopped_from_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatconnect.services.answering._FLUSH_SECONDS", 0.01)
    world = await a_world("It costs", 5.0, " 49 euros")
    chat, visitor = world.chat(), world.visitor()
    hearing = asyncio.create_task(events(await chat.ask(visitor, a_question())))
    await until(world.answers)

    await world.chat().cancel(visitor, world.answers()[0].id)

    heard = await hearing
    assert heard[-1][1]["finish_reason"] == "cancelled"
    await chat.drain()
