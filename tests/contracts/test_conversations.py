"""What every store of conversations does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.context import OfferedTool, PromptContext, ToolRound, ToolUse
from chatconnect.domain.conversation import Beginning, Citation, Conversation, Feedback, MessageStatus, Usage
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import ConversationId, DocumentId, MessageId, VersionId, VisitorId, new_id
from chatconnect.ports.conversations import Conversations, ConversationsOf
from chatconnect.ports.tenants import NewTenant
from tests.factories import a_conversation, a_tenant, a_turn, answered, seconds
from tests.fakes.conversations import MemoryConversations, StoredConversations


@dataclass
class Company:
    """A tenant and its conversations."""

    new: NewTenant
    conversations: Conversations

    def conversation(self) -> Conversation:
        return a_conversation(self.new.tenant.id, self.new.assistant.id)


OpenCompany = Callable[[], Awaitable[Company]]


@pytest.fixture(params=["memory", "postgres"])
def open_company(request: pytest.FixtureRequest) -> OpenCompany:
    stored = StoredConversations()
    database: PostgresDatabase | None = None
    if request.param == "postgres":
        database = request.getfixturevalue("database")

    async def open_one() -> Company:
        new = a_tenant()
        conversations_of: ConversationsOf = partial(MemoryConversations, stored)
        if database is not None:
            await PostgresAccounts(database).open_tenant(new)
            conversations_of = partial(PostgresConversations, database)
        return Company(new, conversations_of(new.tenant.id))

    return open_one


@pytest.fixture
async def acme(open_company: OpenCompany) -> Company:
    return await open_company()


async def test_a_turn_is_read_back_as_it_was_written(acme: Company) -> None:
    begun = a_turn(acme.conversation())
    turn = answered(
        begun,
        citations=(
            Citation(1, DocumentId(new_id()), VersionId(new_id()), "Prices", "49 euros", 10, 18, 2),
            Citation(2, DocumentId(new_id()), VersionId(new_id()), "Terms", "monthly", 0, 7),
        ),
    )

    assert await acme.conversations.begin(begun) is None
    await acme.conversations.complete(turn)

    path = await acme.conversations.path(turn.conversation.id, leaf=turn.answer.id)
    assert path.messages == (turn.question, turn.answer)
    assert path.conversation == replace(turn.conversation, updated_at=seconds(1))


async def test_what_the_tools_of_an_answer_did_is_read_back_for_its_tenant_alone(open_company: OpenCompany) -> None:
    acme, globex = await open_company(), await open_company()
    with_tools, without = (answered(a_turn(acme.conversation())) for _ in range(2))
    use = ToolUse("orders", '{"order": "A-1\0"}', 'It left \ud83d on Monday. "é"', failed=True)
    told = OfferedTool("orders", "Finds.", {"type": "object", "properties": {"order": {"type": "string"}}})
    context = PromptContext("Acme", "Where is it?").with_tools([told])
    context = context.with_rounds([ToolRound("Let me look.", (use,))])
    await acme.conversations.complete(replace(with_tools, context=context))
    await acme.conversations.complete(replace(without, context=PromptContext("Acme", "Where?")))
    ids = [with_tools.answer.id, with_tools.question.id, without.answer.id, MessageId(new_id())]

    rounds = await acme.conversations.rounds(ids)

    assert {answer: tuple(found) for answer, found in rounds.items()} == {with_tools.answer.id: context.rounds}
    assert await acme.conversations.find_context(with_tools.answer.id) == context
    assert await globex.conversations.rounds(ids) == {}


async def test_an_answer_is_pending_until_it_is_complete(acme: Company) -> None:
    turn = a_turn(acme.conversation())

    await acme.conversations.begin(turn)

    path = await acme.conversations.path(turn.conversation.id)
    assert path.messages == (turn.question, turn.answer)
    assert path.messages[-1].status is MessageStatus.PENDING


async def test_the_path_follows_one_branch_from_its_root(acme: Company) -> None:
    first = answered(a_turn(acme.conversation()))
    second = a_turn(first.conversation, after=first, at=10)
    fork = a_turn(first.conversation, after=first, text="And yearly?", at=20)
    for turn in (first, second, fork):
        await acme.conversations.begin(turn)

    branch = await acme.conversations.path(first.conversation.id, leaf=second.answer.id)
    newest = await acme.conversations.path(first.conversation.id)

    ids = [message.id for message in branch.messages]
    assert ids == [first.question.id, first.answer.id, second.question.id, second.answer.id]
    assert newest.messages[-1].id == fork.answer.id


async def test_a_long_path_is_cut_at_its_beginning(acme: Company) -> None:
    turn = a_turn(acme.conversation())
    await acme.conversations.begin(turn)
    for number in range(1, 5):
        turn = a_turn(turn.conversation, after=turn, at=number)
        await acme.conversations.begin(turn)

    path = await acme.conversations.path(turn.conversation.id, limit=3)

    assert len(path.messages) == 3
    assert [message.id for message in path.messages[1:]] == [turn.question.id, turn.answer.id]


async def test_what_is_not_there_is_not_found(acme: Company) -> None:
    turn = a_turn(acme.conversation())
    await acme.conversations.begin(turn)

    with pytest.raises(NotFound):
        await acme.conversations.get(ConversationId(new_id()))
    with pytest.raises(NotFound):
        await acme.conversations.path(ConversationId(new_id()))
    with pytest.raises(NotFound):
        await acme.conversations.path(turn.conversation.id, leaf=MessageId(new_id()))
    assert await acme.conversations.find_message(MessageId(new_id())) is None


async def test_a_visitor_sees_only_their_own(acme: Company) -> None:
    turn, stranger = a_turn(acme.conversation()), VisitorId(new_id())
    await acme.conversations.begin(turn)

    with pytest.raises(NotFound):
        await acme.conversations.get(turn.conversation.id, stranger)
    with pytest.raises(NotFound):
        await acme.conversations.path(turn.conversation.id, visitor_id=stranger)
    with pytest.raises(NotFound):
        await acme.conversations.give_feedback(turn.answer.id, Feedback("up"), stranger)
    assert await acme.conversations.list_newest(visitor_id=stranger) == []
    assert await acme.conversations.find_message(turn.answer.id, stranger) is None
    assert await acme.conversations.find_message(turn.answer.id, turn.conversation.visitor_id) == turn.answer


async def test_another_tenants_conversation_does_not_exist(open_company: OpenCompany) -> None:
    acme, globex = await open_company(), await open_company()
    turn = a_turn(globex.conversation())
    await globex.conversations.begin(turn)
    follow_up = a_turn(
        replace(turn.conversation, tenant_id=acme.new.tenant.id, assistant_id=acme.new.assistant.id), after=turn
    )

    for visitor_id in (None, turn.conversation.visitor_id):
        with pytest.raises(NotFound):
            await acme.conversations.get(turn.conversation.id, visitor_id)
        with pytest.raises(NotFound):
            await acme.conversations.path(turn.conversation.id, visitor_id=visitor_id)
        assert await acme.conversations.find_message(turn.answer.id, visitor_id) is None
    with pytest.raises(NotFound):
        await acme.conversations.begin(follow_up)
    with pytest.raises(NotFound):
        await acme.conversations.give_feedback(turn.answer.id, Feedback("up"))
    assert await acme.conversations.list_newest() == []


async def test_conversations_are_listed_by_their_last_change(acme: Company) -> None:
    older, newer = a_turn(acme.conversation()), a_turn(acme.conversation(), at=10)
    for turn in (older, newer):
        await acme.conversations.begin(turn)

    assert [c.id for c in await acme.conversations.list_newest()] == [newer.conversation.id, older.conversation.id]

    await acme.conversations.begin(a_turn(older.conversation, after=older, at=20))
    listed = await acme.conversations.list_newest(limit=1)
    assert [c.id for c in listed] == [older.conversation.id]
    further = await acme.conversations.list_newest(after=(listed[0].updated_at, listed[0].id))
    assert [c.id for c in further] == [newer.conversation.id]


async def test_conversations_of_one_moment_are_each_on_one_page(acme: Company) -> None:
    turns = [a_turn(acme.conversation(), at=at) for at in (0, 5, 5, 5, 5, 9)]
    for turn in turns:
        await acme.conversations.begin(turn)

    seen: list[Conversation] = []
    while page := await acme.conversations.list_newest(
        limit=2, after=(seen[-1].updated_at, seen[-1].id) if seen else None
    ):
        seen += page

    assert len(seen) == len(turns)
    assert {each.id for each in seen} == {turn.conversation.id for turn in turns}
    assert [each.updated_at for each in seen] == sorted((each.updated_at for each in seen), reverse=True)


async def test_a_used_key_gives_the_earlier_turn_and_stores_nothing(acme: Company) -> None:
    first = a_turn(acme.conversation(), key="retry")
    await acme.conversations.begin(first)
    await acme.conversations.complete(answered(first))
    again = a_turn(replace(acme.conversation(), visitor_id=first.conversation.visitor_id), key="retry")

    earlier = await acme.conversations.begin(again)

    assert earlier is not None
    assert await acme.conversations.find_earlier(again) == earlier
    assert await acme.conversations.find_earlier(replace(again, idempotency_key="new")) is None
    assert (earlier.question, earlier.answer) == (first.question, answered(first).answer)
    assert earlier.conversation.id == first.conversation.id
    with pytest.raises(NotFound):
        await acme.conversations.get(again.conversation.id)


async def test_a_key_stands_for_one_text(acme: Company) -> None:
    first = a_turn(acme.conversation(), key="retry")
    await acme.conversations.begin(first)

    with pytest.raises(Conflict) as refused:
        await acme.conversations.begin(a_turn(first.conversation, after=first, text="Something else", key="retry"))

    assert refused.value.code == "key_reused"


async def test_a_key_stands_for_one_conversation(acme: Company) -> None:
    first = a_turn(acme.conversation(), key="retry")
    other = a_turn(replace(acme.conversation(), visitor_id=first.conversation.visitor_id))
    for turn in (first, other):
        await acme.conversations.begin(turn)
    opening = replace(acme.conversation(), visitor_id=first.conversation.visitor_id)
    within = replace(a_turn(first.conversation, after=first, key="within"), beginning=Beginning.FOLLOWS)
    await acme.conversations.begin(within)

    for again in (a_turn(other.conversation, after=other, key="retry"), a_turn(opening, key="within")):
        with pytest.raises(Conflict) as refused:
            await acme.conversations.begin(again)
        assert refused.value.code == "key_reused"


async def test_another_visitor_may_use_the_same_key(acme: Company) -> None:
    assert await acme.conversations.begin(a_turn(acme.conversation(), key="1")) is None
    assert await acme.conversations.begin(a_turn(acme.conversation(), key="1")) is None


async def test_of_many_requests_with_one_key_at_once_one_is_stored(acme: Company) -> None:
    conversation = replace(acme.conversation(), visitor_id=None)
    turns = [a_turn(replace(conversation, id=ConversationId(new_id())), key="burst") for _ in range(8)]

    results = await asyncio.gather(*(acme.conversations.begin(turn) for turn in turns))

    assert results.count(None) == 1
    stored = turns[results.index(None)]
    assert {result.answer.id for result in results if result} == {stored.answer.id}
    assert len(await acme.conversations.list_newest()) == 1


async def test_a_parent_has_to_be_in_the_same_conversation(acme: Company) -> None:
    one, other = a_turn(acme.conversation()), a_turn(acme.conversation())
    await acme.conversations.begin(one)
    await acme.conversations.begin(other)

    with pytest.raises(NotFound):
        await acme.conversations.begin(a_turn(one.conversation, after=other))


async def test_a_turn_whose_beginning_was_lost_is_completed_all_the_same(acme: Company) -> None:
    turn = answered(a_turn(acme.conversation(), key="lost"))

    await acme.conversations.complete(turn)

    path = await acme.conversations.path(turn.conversation.id)
    assert path.messages == (turn.question, turn.answer)
    earlier = await acme.conversations.begin(turn)
    assert earlier is not None
    assert earlier.answer == turn.answer


async def test_the_first_completion_stands(acme: Company) -> None:
    turn = a_turn(acme.conversation())
    await acme.conversations.begin(turn)

    await acme.conversations.complete(answered(turn, "first"))
    await acme.conversations.complete(answered(turn, "second", usage=Usage(1, 1, 1, 1)))

    assert await acme.conversations.find_message(turn.answer.id) == answered(turn, "first").answer


async def test_an_answer_that_nobody_makes_any_more_is_ended(open_company: OpenCompany) -> None:
    acme, globex = await open_company(), await open_company()
    lost, late, going_on = (a_turn(acme.conversation(), at=at) for at in (0, 0, 900))
    elsewhere = a_turn(globex.conversation())
    for turn in (lost, late, going_on):
        await acme.conversations.begin(turn)
    await globex.conversations.begin(elsewhere)

    closed = await acme.conversations.close_lost(seconds(600))
    again = await acme.conversations.close_lost(seconds(600))

    assert (closed, again) == (2, 0)
    ended = await acme.conversations.find_message(lost.answer.id)
    assert ended is not None
    assert (ended.status, ended.error_code) == (MessageStatus.FAILED, "answer_interrupted")
    for company, turn in ((acme, going_on), (globex, elsewhere)):
        waiting = await company.conversations.find_message(turn.answer.id)
        assert waiting is not None
        assert waiting.status is MessageStatus.PENDING


async def test_an_answer_that_was_given_up_and_comes_after_all_is_stored(acme: Company) -> None:
    turn = a_turn(acme.conversation())
    await acme.conversations.begin(turn)
    await acme.conversations.close_lost(seconds(600))

    await acme.conversations.complete(answered(turn))

    assert await acme.conversations.find_message(turn.answer.id) == answered(turn).answer


async def test_feedback_is_for_answers(acme: Company) -> None:
    turn = a_turn(acme.conversation())
    await acme.conversations.begin(turn)

    await acme.conversations.give_feedback(turn.answer.id, Feedback("up"))
    await acme.conversations.give_feedback(
        turn.answer.id, Feedback("down", "wrong", "It is 59."), turn.conversation.visitor_id
    )

    with pytest.raises(NotFound):
        await acme.conversations.give_feedback(turn.question.id, Feedback("up"))
