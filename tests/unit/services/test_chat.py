"""Accepting questions, history, repeats, and coming back to an answer."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import orjson
import pytest

from chatconnect.domain.conversation import MessageStatus, State
from chatconnect.domain.errors import ChatConnectError, Conflict, Invalid, LimitReached, NotFound, Unavailable
from chatconnect.domain.events import Frame
from chatconnect.domain.identifiers import AssistantId, ConversationId, MessageId, new_id
from chatconnect.services.placement import Question
from tests.fakes import tenants
from tests.fakes.models import ScriptedModel
from tests.unit.services.conversing import World, a_question, a_world, events, names, text_of, told, until


def conversation_id(world: World) -> ConversationId:
    [(_, identifier)] = world.conversations.conversations
    return identifier


# What is accepted


@pytest.mark.parametrize(
    ("question", "refusal", "code"),
    [
        (a_question(""), Invalid, "empty_message"),
        (a_question("a" * 2_001), Invalid, "message_too_long"),
        (a_question(metadata={"k": "v" * 501}), Invalid, "invalid_request"),
        (a_question(idempotency_key=""), Invalid, "invalid_request"),
        (a_question(idempotency_key="k" * 201), Invalid, "invalid_request"),
        (a_question(parent_id=MessageId(new_id())), Invalid, "invalid_request"),
        (a_question(conversation_id=ConversationId(new_id())), NotFound, "not_found"),
    ],
)
async def test_a_question_that_cannot_be_answered_is_refused_and_leaves_nothing(
    question: Question, refusal: type[ChatConnectError], code: str
) -> None:
    world = await a_world("Hello.")

    with pytest.raises(refusal) as refused:
        await world.chat().ask(world.visitor(), question)

    assert refused.value.code == code
    assert world.conversations.messages == {}
    assert world.model.prompts == []


async def test_more_questions_than_the_rate_allows_are_refused_for_one_visitor_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(tenants.PLANS, "free", replace(tenants.PLANS["free"], requests_per_minute=1))
    world = await a_world("Hello.")
    chat, busy = world.chat(), world.visitor()
    await told(chat, busy, a_question())

    with pytest.raises(LimitReached):
        await chat.ask(busy, a_question())

    assert (await told(chat, world.visitor(), a_question()))[-1][0] == "done"


async def test_what_a_visitor_types_is_stored_cleaned_with_what_the_site_said() -> None:
    world = await a_world("Hello.")
    visitor = world.visitor()

    await told(world.chat(), visitor, a_question(" Hi\x00 ", metadata={"page": "/prices"}))

    [question] = [m for m in world.conversations.messages.values() if m.provider is None]
    [conversation] = world.conversations.conversations.values()
    assert question.text == "Hi"
    assert (conversation.metadata, conversation.visitor_id) == ({"page": "/prices"}, visitor.visitor_id)


@pytest.mark.parametrize("state", [State.ARCHIVED, State.PAUSED])
async def test_a_conversation_that_takes_no_messages_refuses_them(state: State) -> None:
    world = await a_world("Hello.")
    chat, visitor = world.chat(), world.visitor()
    await told(chat, visitor, a_question())
    place = (world.tenant_id, conversation_id(world))
    world.conversations.conversations[place] = replace(world.conversations.conversations[place], state=state)

    with pytest.raises(Conflict):
        await chat.ask(visitor, a_question(conversation_id=conversation_id(world)))


async def test_without_the_database_a_question_is_refused_honestly() -> None:
    world = await a_world("Hello.")
    world.tenant_faults |= {"assistant": Unavailable("the database")}

    with pytest.raises(Unavailable):
        await world.chat().ask(world.visitor(), a_question())


async def test_a_key_for_one_assistant_does_not_find_anothers_conversation() -> None:
    world = await a_world("Hello.")
    chat = world.chat()
    await told(chat, world.server(), a_question())
    own, other = (replace(world.server(), assistant_id=id_) for id_ in (world.new.assistant.id, AssistantId(new_id())))

    await told(chat, own, a_question(conversation_id=conversation_id(world)))
    for question in (
        a_question(conversation_id=conversation_id(world)),
        a_question(conversation_id=conversation_id(world), at_root=True),
        a_question("", regenerate=next(iter(world.conversations.messages))),
    ):
        with pytest.raises(NotFound):
            await chat.ask(other, question)


async def test_another_visitor_and_another_tenant_do_not_find_the_conversation() -> None:
    world, other = await a_world("Hello."), await a_world("Hello.")
    chat, visitor = world.chat(), world.visitor()
    await told(chat, visitor, a_question())

    for stranger in (world.visitor(), other.visitor(), other.server()):
        with pytest.raises(NotFound):
            await chat.ask(stranger, a_question(conversation_id=conversation_id(world)))


async def test_a_server_speaks_through_the_default_assistant() -> None:
    world = await a_world("Hello.")

    heard = await told(world.chat(), world.server(), a_question())

    assert heard[-1][0] == "done"
    [conversation] = world.conversations.conversations.values()
    assert (conversation.visitor_id, conversation.assistant_id) == (None, world.new.assistant.id)


# History


async def test_what_was_said_goes_to_the_model_without_its_markers() -> None:
    world = await a_world("It costs 49 euros [1].")
    await world.knows("The pro plan costs 49 euros.")
    chat, visitor = world.chat(), world.visitor()
    await told(chat, visitor, a_question("The pro plan?"))

    await told(chat, visitor, a_question("And yearly?", conversation_id=conversation_id(world)))

    dialogue = [(message.role, message.text) for message in world.model.prompts[-1].messages]
    assert dialogue == [("user", "The pro plan?"), ("assistant", "It costs 49 euros."), ("user", "And yearly?")]


@pytest.mark.parametrize(("setting", "expected"), [(0, 1), (2, 3), (3, 3), (4, 5), (200, 11)])
async def test_history_is_as_long_as_the_assistant_says_and_begins_with_a_question(setting: int, expected: int) -> None:
    world = await a_world("Hello.", history_messages=setting)
    chat, visitor = world.chat(), world.visitor()
    await told(chat, visitor, a_question("0"))
    for number in range(1, 6):
        world.clock.advance(1)
        await told(chat, visitor, a_question(str(number), conversation_id=conversation_id(world)))

    messages = world.model.prompts[-1].messages

    assert len(messages) == expected
    assert messages[0].role == messages[-1].role == "user"
    assert messages[-1].text == "5"


async def test_a_long_history_is_not_cut_before_the_assistants_own_bound() -> None:
    world = await a_world("Hello.", history_messages=200)
    chat, visitor = world.chat(), world.visitor()
    await told(chat, visitor, a_question("0"))
    for number in range(1, 40):
        world.clock.advance(1)
        await told(chat, visitor, a_question(str(number), conversation_id=conversation_id(world)))

    assert len(world.model.prompts[-1].messages) == 2 * 39 + 1


async def test_an_answer_that_came_to_nothing_is_no_history() -> None:
    world = await a_world(RuntimeError())
    chat, visitor = world.chat(), world.visitor()
    await told(chat, visitor, a_question("First?"))
    world.model.script = ("Hello.",)

    await told(chat, visitor, a_question("Second?", conversation_id=conversation_id(world)))

    assert [message.text for message in world.model.prompts[-1].messages] == ["First?", "Second?"]


async def test_a_question_can_continue_from_an_earlier_answer() -> None:
    world = await a_world("Hello.")
    chat, visitor = world.chat(), world.visitor()
    [(_, first), *_] = await told(chat, visitor, a_question("First?"))
    world.clock.advance(1)
    await told(chat, visitor, a_question("Second?", conversation_id=conversation_id(world)))

    branch = a_question("Instead?", conversation_id=conversation_id(world), parent_id=world.answers()[0].id)
    await told(chat, visitor, branch)

    assert str(world.answers()[0].id) == first["message_id"]
    assert [message.text for message in world.model.prompts[-1].messages] == ["First?", "Hello.", "Instead?"]


# The same question again


async def test_a_repeated_question_gets_the_same_answer_without_another_call() -> None:
    world = await a_world("It costs 49 euros [1].")
    await world.knows("The pro plan costs 49 euros.")
    visitor, question = world.visitor(), a_question(idempotency_key="once")
    first = await told(world.chat(), visitor, question)

    again = await told(world.chat(), visitor, question)

    assert text_of(again) == text_of(first)
    assert again[0] == first[0]
    assert again[-1] == first[-1]
    assert len(world.model.prompts) == len(world.answers()) == len(world.recorded) == 1


async def test_repeats_that_race_share_one_answer() -> None:
    world = await a_world("It ", 0.02, "costs ", 0.02, "49.")
    visitor, question = world.visitor(), a_question(idempotency_key="once")

    first, second, third = await asyncio.gather(*(told(world.chat(), visitor, question) for _ in range(3)))

    assert first == second == third
    assert len(world.model.prompts) == len(world.recorded) == 1


async def test_a_key_used_for_another_question_is_refused() -> None:
    world = await a_world("Hello.")
    chat, visitor = world.chat(), world.visitor()
    await told(chat, visitor, a_question("One?", idempotency_key="once"))

    with pytest.raises(Conflict) as refused:
        await chat.ask(visitor, a_question("Two?", idempotency_key="once"))

    assert refused.value.code == "key_reused"


async def test_two_visitors_may_use_the_same_key() -> None:
    world = await a_world("Hello.")

    for _ in range(2):
        await told(world.chat(), world.visitor(), a_question(idempotency_key="once"))

    assert len(world.model.prompts) == 2


async def test_a_failed_answer_is_repeated_as_it_failed() -> None:
    world = await a_world("It", RuntimeError())
    visitor, question = world.visitor(), a_question(idempotency_key="once")
    first = await told(world.chat(), visitor, question)

    again = await told(world.chat(), visitor, question)

    assert again[-1][0] == "error"
    assert again[-1][1]["code"] == first[-1][1]["code"]
    assert text_of(again) == "It"


async def test_a_key_stands_for_no_turn_that_never_began() -> None:
    world = await a_world("Hello.")
    chat, visitor, question = world.chat(), world.visitor(), a_question(idempotency_key="once")
    world.tenant_faults["get"] = Unavailable("the database")
    with pytest.raises(Unavailable):
        await chat.ask(visitor, question)
    world.tenant_faults.clear()

    heard = await told(chat, visitor, question)

    assert text_of(heard) == "Hello."
    assert world.answers(MessageStatus.PENDING) == []


# Coming back


@pytest.mark.parametrize("after", [0, 1, 3, 5])
async def test_coming_back_to_a_finished_answer_gives_exactly_the_rest(after: int) -> None:
    world = await a_world("a", "b", "c", "d")
    visitor = world.visitor()
    heard = await told(world.chat(), visitor, a_question())

    rest = await events(await world.chat().resume(visitor, world.answers()[0].id, after))

    assert rest == heard[after:]


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
