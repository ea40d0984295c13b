"""Coming back to an answer: finished, in the making, lost, or somebody else's."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import orjson
import pytest

from chatconnect.domain.conversation import MessageStatus
from chatconnect.domain.errors import NotFound, Unavailable
from chatconnect.domain.events import Frame
from chatconnect.domain.identifiers import AssistantId, new_id
from tests.fakes.models import ScriptedModel
from tests.unit.services.conversing import a_question, a_world, events, names, text_of, told
from tests.waiting import until


@pytest.mark.parametrize("after", [0, 1, 3, 5, 6, 99])
async def test_coming_back_to_a_finished_answer_gives_exactly_the_rest(after: int) -> None:
    world = await a_world("a", "b", "c", "d")
    visitor = world.visitor()
    heard = await told(world.chat(), visitor, a_question())

    rest = await events(await world.chat().resume(visitor, world.answers()[0].id, after))

    assert rest == (heard[after:] or heard[-1:])


async def test_coming_back_while_it_is_being_made_gives_the_kept_and_then_the_new() -> None:
    go_on = asyncio.Event()
    world = await a_world("a", go_on, "b", "c")
    chat, visitor = world.chat(), world.visitor()
    frames = await chat.ask(visitor, a_question())
    first = [await anext(frames), await anext(frames)]
    await frames.aclose()
    await until(lambda: world.journal.batches)

    resuming = asyncio.create_task(events(await world.chat().resume(visitor, world.answers()[0].id, 1)))
    go_on.set()
    rest = await resuming

    assert [frame.name for frame in first] == ["start", "token"]
    assert text_of(rest) == "abc"
    assert orjson.loads(first[1].data) == rest[0][1]
    assert len(world.model.prompts) == 1
    await chat.drain()


async def test_an_answer_that_is_no_longer_journalled_comes_whole_from_the_database() -> None:
    world = await a_world("It costs 49 euros [1].")
    await world.knows("The pro plan costs 49 euros.")
    visitor = world.visitor()
    heard = await told(world.chat(), visitor, a_question())
    world.journal.frames.clear()

    kept = await events(await world.chat().resume(visitor, world.answers()[0].id, 0))

    assert names(kept) == ["start", "citation", "token", "done"]
    assert text_of(kept) == text_of(heard)
    assert kept[-1] == heard[-1]


async def test_an_answer_whose_maker_is_gone_is_named_and_said_to_be_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(*_: object) -> AsyncGenerator[Frame, None]:
        raise NotFound("answer")

    go_on = asyncio.Event()
    world = await a_world(go_on, "too late")
    chat, visitor, question = world.chat(), world.visitor(), a_question(idempotency_key="once")
    await anext(await chat.ask(visitor, question))
    answer = world.answers()[0]
    monkeypatch.setattr("tests.fakes.traffic.MemoryJournal.follow", unknown)
    survivor = world.chat()

    for again in (await survivor.ask(visitor, question), await survivor.resume(visitor, answer.id, 0)):
        named = await anext(again)
        assert (named.number, named.name, orjson.loads(named.data)["message_id"]) == (1, "start", str(answer.id))
        with pytest.raises(Unavailable) as interrupted:
            await anext(again)
        assert interrupted.value.code == "answer_interrupted"
    go_on.set()
    await chat.drain()


@pytest.mark.parametrize("fault", [NotFound("answer"), Unavailable("the cache")])
async def test_what_was_shown_already_is_never_sent_twice(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> AsyncGenerator[Frame, None]:
        raise fault

    world = await a_world("a", "b", "c")
    visitor = world.visitor()
    await told(world.chat(), visitor, a_question())
    monkeypatch.setattr("tests.fakes.traffic.MemoryJournal.follow", away)
    chat, answer_id = world.chat(), world.answers()[0].id

    whole = await events(await chat.resume(visitor, answer_id, 0))
    with pytest.raises(Unavailable) as refused:
        await events(await chat.resume(visitor, answer_id, 3))

    assert text_of(whole) == "abc"
    assert refused.value.code == "answer_interrupted"


async def test_another_visitor_can_neither_come_back_to_an_answer_nor_stop_it() -> None:
    go_on = asyncio.Event()
    world, other = await a_world("a", go_on, "b"), await a_world()
    chat, visitor = world.chat(), world.visitor()
    hearing = asyncio.create_task(events(await chat.ask(visitor, a_question())))
    await until(world.answers)
    answer_id = world.answers()[0].id

    for stranger in (world.visitor(), other.visitor(), other.server()):
        with pytest.raises(NotFound):
            await chat.resume(stranger, answer_id, 0)
        with pytest.raises(NotFound):
            await chat.cancel(stranger, answer_id)

    go_on.set()
    assert text_of(await hearing) == "ab"
    assert world.journal.cancelled == set()
    await chat.drain()


async def test_a_key_of_another_assistant_can_neither_come_back_to_an_answer_nor_stop_it() -> None:
    go_on = asyncio.Event()
    world = await a_world("a", go_on, "b")
    chat, server = world.chat(), world.server()
    bound = replace(server, assistant_id=AssistantId(new_id()))
    hearing = asyncio.create_task(events(await chat.ask(server, a_question())))
    await until(world.answers)
    answer_id = world.answers()[0].id

    for anywhere in (chat, world.chat()):
        with pytest.raises(NotFound):
            await anywhere.resume(bound, answer_id, 0)
        with pytest.raises(NotFound):
            await anywhere.cancel(bound, answer_id)

    go_on.set()
    assert text_of(await hearing) == "ab"
    assert world.journal.cancelled == set()
    await chat.drain()


async def test_a_question_is_no_answer_to_come_back_to() -> None:
    world = await a_world("Hello.")
    chat, visitor = world.chat(), world.visitor()
    [(_, started), *_] = await told(chat, visitor, a_question())
    question = next(m.id for m in world.conversations.messages.values() if str(m.id) == started["user_message_id"])

    with pytest.raises(NotFound):
        await chat.resume(visitor, question, 0)


async def test_before_the_process_ends_the_answers_under_way_come_to_their_end() -> None:
    world = await a_world(model=ScriptedModel("a", 0.03, "b"))
    chat = world.chat()
    frames = await chat.ask(world.visitor(), a_question())

    await chat.drain()

    [stored] = world.answers()
    assert (stored.text, stored.status) == ("ab", MessageStatus.COMPLETE)
    assert text_of(await events(frames)) == "ab"
