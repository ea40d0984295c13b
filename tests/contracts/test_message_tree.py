"""Branches, forks, windows and simultaneous messages, as every store of conversations keeps them."""

import asyncio
from dataclasses import replace

import pytest

from chatconnect.domain.context import PromptContext, ToolRound
from chatconnect.domain.conversation import Beginning, MessageStatus, State, Turn, Usage
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import ConversationId, MessageId, VisitorId, new_id
from tests.contracts.test_conversations import Company, acme, open_company
from tests.factories import a_turn, answered, seconds

__all__ = ["acme", "open_company"]


def repeated(turn: Turn, *, key: str | None = None, at: float = 10) -> Turn:
    """A further answer to the turn's question."""
    answer = replace(turn.answer, id=MessageId(new_id()), created_at=seconds(at))
    return replace(turn, answer=answer, opens=False, idempotency_key=key, beginning=Beginning.REPEATS)


async def test_of_many_messages_at_once_each_follows_another_in_one_branch(acme: Company) -> None:
    first = a_turn(acme.conversation())
    await acme.conversations.begin(first)
    # Their clocks disagree, and each believes that it follows the first.
    burst = [
        replace(a_turn(first.conversation, after=first, text=str(n), at=100 - n), beginning=Beginning.FOLLOWS)
        for n in range(20)
    ]

    await asyncio.gather(*(acme.conversations.begin(turn) for turn in burst))
    await asyncio.gather(*(acme.conversations.complete(answered(turn, f"to {turn.question.text}")) for turn in burst))

    path = await acme.conversations.path(first.conversation.id, limit=100)
    assert {message.text for message in path.messages[2::2]} == {str(n) for n in range(20)}
    for question, answer in zip(path.messages[2::2], path.messages[3::2], strict=True):
        assert (answer.parent_id, answer.text) == (question.id, f"to {question.text}")
    times = [message.created_at for message in path.messages]
    assert times == sorted(times)


async def test_a_further_answer_stands_beside_the_first(acme: Company) -> None:
    first = a_turn(acme.conversation())
    await acme.conversations.begin(first)
    await acme.conversations.complete(answered(first, "once"))
    second = repeated(first)

    assert await acme.conversations.begin(second) is None
    await acme.conversations.complete(answered(second, "twice"))

    newest = await acme.conversations.path(first.conversation.id)
    older = await acme.conversations.path(first.conversation.id, leaf=first.answer.id)
    assert [message.text for message in newest.messages] == [first.question.text, "twice"]
    assert [message.text for message in older.messages] == [first.question.text, "once"]


async def test_a_further_answers_key_gives_the_same_one_and_stands_for_its_question_alone(acme: Company) -> None:
    first = a_turn(acme.conversation())
    other = a_turn(first.conversation, after=first, at=5, text="Another?")
    for turn in (first, other):
        await acme.conversations.begin(turn)
    second = repeated(first, key="again")
    await acme.conversations.begin(second)

    earlier = await acme.conversations.begin(repeated(first, key="again"))

    assert earlier is not None
    assert (earlier.question, earlier.answer.id) == (first.question, second.answer.id)
    with pytest.raises(Conflict):
        await acme.conversations.begin(repeated(other, key="again"))


async def test_a_key_is_a_questions_or_a_further_answers(acme: Company) -> None:
    first = a_turn(acme.conversation(), key="asked")
    await acme.conversations.begin(first)
    await acme.conversations.begin(repeated(first, key="again"))

    for other in (repeated(first, key="asked"), a_turn(first.conversation, after=first, at=20, key="again")):
        with pytest.raises(Conflict) as refused:
            await acme.conversations.begin(other)
        assert refused.value.code == "key_reused"


async def test_branches_are_listed_by_their_last_change(acme: Company) -> None:
    first = a_turn(acme.conversation())
    edited = replace(a_turn(first.conversation, text="And yearly?", at=10), opens=False)
    longer = a_turn(first.conversation, after=edited, text="Since when?", at=20)
    for turn in (first, edited, longer):
        await acme.conversations.begin(turn)

    branches = await acme.conversations.branches(first.conversation.id, first.conversation.visitor_id)

    assert [(b.leaf_id, b.preview, b.messages) for b in branches] == [
        (longer.answer.id, "Since when?", 4),
        (first.answer.id, first.question.text, 2),
    ]
    with pytest.raises(NotFound):
        await acme.conversations.branches(first.conversation.id, VisitorId(new_id()))


async def test_what_stands_beside_each_other_is_known_oldest_first(acme: Company) -> None:
    first = a_turn(acme.conversation())
    again = repeated(first, at=10)
    edited = replace(a_turn(first.conversation, text="And yearly?", at=20), opens=False)
    for turn in (first, again, edited):
        await acme.conversations.begin(turn)
    await acme.conversations.complete(answered(first))

    siblings = await acme.conversations.siblings(
        first.conversation.id, [None, first.question.id, edited.question.id, first.answer.id]
    )

    assert {parent: [(each.id, each.status) for each in beside] for parent, beside in siblings.items()} == {
        None: [(first.question.id, MessageStatus.COMPLETE), (edited.question.id, MessageStatus.COMPLETE)],
        first.question.id: [(first.answer.id, MessageStatus.COMPLETE), (again.answer.id, MessageStatus.PENDING)],
    }
    assert await acme.conversations.siblings(ConversationId(new_id()), [None]) == {}


async def test_the_newest_message_after_another_is_found_by_any_way(acme: Company) -> None:
    first = a_turn(acme.conversation())
    second = a_turn(first.conversation, after=first, at=10)
    again = repeated(second, at=20)
    edited = replace(a_turn(first.conversation, text="And yearly?", at=30), opens=False)
    for turn in (first, second, again, edited):
        await acme.conversations.begin(turn)

    async def newest_after(message_id: MessageId) -> MessageId:
        return await acme.conversations.newest_after(first.conversation.id, message_id, first.conversation.visitor_id)

    assert await newest_after(first.question.id) == again.answer.id
    assert await newest_after(second.answer.id) == second.answer.id
    assert await newest_after(edited.question.id) == edited.answer.id
    for conversation_id, visitor_id in (
        (ConversationId(new_id()), None),
        (first.conversation.id, VisitorId(new_id())),
    ):
        with pytest.raises(NotFound):
            await acme.conversations.newest_after(conversation_id, first.question.id, visitor_id)


async def test_a_window_of_a_branch_holds_what_was_sent_in_it(acme: Company) -> None:
    turns = [a_turn(acme.conversation())]
    for number in range(1, 6):
        turns.append(a_turn(turns[0].conversation, after=turns[-1], at=number * 10))
    for turn in turns:
        await acme.conversations.begin(turn)
    conversation_id = turns[0].conversation.id

    middle = await acme.conversations.window(conversation_id, since=seconds(20), until=seconds(40))
    newest = await acme.conversations.window(conversation_id, until=seconds(30), limit=2)
    earlier_branch = await acme.conversations.window(conversation_id, leaf=turns[1].answer.id, since=seconds(10))
    none = await acme.conversations.window(conversation_id, since=seconds(1_000))

    assert [m.id for m in middle.messages] == [m.id for turn in turns[2:4] for m in (turn.question, turn.answer)]
    assert [m.id for m in newest.messages] == [turns[2].question.id, turns[2].answer.id]
    assert [m.id for m in earlier_branch.messages] == [turns[1].question.id, turns[1].answer.id]
    assert (none.conversation.id, none.messages) == (conversation_id, ())
    with pytest.raises(NotFound):
        await acme.conversations.window(ConversationId(new_id()), since=seconds(0))


async def test_a_fork_keeps_its_ancestry_and_costs_nothing(acme: Company) -> None:
    first = a_turn(acme.conversation())
    second = a_turn(first.conversation, after=first, at=10)
    for turn in (first, second):
        await acme.conversations.begin(turn)
        await acme.conversations.complete(answered(turn))
    fork = replace(
        first.conversation, id=ConversationId(new_id()), visitor_id=None, forked_from=first.answer.id,
        created_at=seconds(60), updated_at=seconds(60),
    )  # fmt: skip

    stored = await acme.conversations.fork(first.answer.id, fork, first.conversation.visitor_id)

    path = await acme.conversations.path(fork.id)
    assert stored == path.conversation == fork
    assert [(m.role, m.text, m.created_at) for m in path.messages] == [
        (m.role, m.text, m.created_at) for m in (first.question, answered(first).answer)
    ]
    assert {m.id for m in path.messages}.isdisjoint({first.question.id, first.answer.id})
    assert path.messages[1].parent_id == path.messages[0].id
    assert [m.usage for m in path.messages] == [Usage(), Usage()]
    assert len((await acme.conversations.path(first.conversation.id)).messages) == 4
    with pytest.raises(NotFound):
        await acme.conversations.fork(first.answer.id, replace(fork, id=ConversationId(new_id())), VisitorId(new_id()))


async def test_a_fork_of_a_fork_knows_what_its_answers_were_made_of(acme: Company) -> None:
    context = PromptContext("Acme", "Where is it?").with_rounds([ToolRound("Let me look.", ())])
    turn = answered(replace(a_turn(acme.conversation()), context=context))
    await acme.conversations.begin(turn)
    await acme.conversations.complete(turn)
    answer, visitor = turn.answer.id, turn.conversation.visitor_id
    for _ in range(2):
        fork = replace(turn.conversation, id=ConversationId(new_id()), forked_from=answer)
        await acme.conversations.fork(answer, fork, visitor)
        answer = (await acme.conversations.path(fork.id)).messages[-1].id

    assert answer != turn.answer.id
    assert await acme.conversations.find_context(answer) == context
    assert await acme.conversations.rounds([answer]) == {answer: context.rounds}


async def test_an_answer_in_the_making_is_not_in_the_making_in_a_fork(acme: Company) -> None:
    turn = a_turn(acme.conversation())
    await acme.conversations.begin(turn)
    fork = replace(turn.conversation, id=ConversationId(new_id()), forked_from=turn.answer.id)

    await acme.conversations.fork(turn.answer.id, fork)

    assert (await acme.conversations.path(fork.id)).messages[-1].status is MessageStatus.FAILED


async def test_a_state_changes_only_from_where_it_was_seen(acme: Company) -> None:
    turn = a_turn(acme.conversation())
    await acme.conversations.begin(turn)
    move = acme.conversations.move

    assert await move(turn.conversation.id, State.ARCHIVED, among=(State.ACTIVE,))
    assert not await move(turn.conversation.id, State.PAUSED, among=(State.ACTIVE,))
    assert not await move(ConversationId(new_id()), State.PAUSED, among=(State.ACTIVE,))
    assert (await acme.conversations.get(turn.conversation.id)).state is State.ARCHIVED
