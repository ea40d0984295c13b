"""Accepting questions, and what of the conversation goes to the model."""

from dataclasses import replace

import pytest

from chatconnect.domain.conversation import State
from chatconnect.domain.errors import ChatConnectError, Conflict, Invalid, LimitReached, NotFound, Unavailable
from chatconnect.domain.identifiers import AssistantId, ConversationId, MessageId, new_id
from chatconnect.services.placement import Question
from tests.fakes import tenants
from tests.unit.services.conversing import World, a_question, a_world, told


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
