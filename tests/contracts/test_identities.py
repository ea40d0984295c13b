"""What every store of visitors does with those who say who they are."""

import asyncio

from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.identifiers import VisitorId, new_id
from chatconnect.domain.identity import Identity
from chatconnect.domain.visitor import KnownVisitor, Recognised
from tests.contracts.visiting import Company, acme, globex, in_postgres, open_company
from tests.factories import NOON, a_conversation, a_turn, answered, seconds

__all__ = ["acme", "globex", "open_company"]


async def test_an_identity_is_one_visitor_whatever_the_device(acme: Company, globex: Company) -> None:
    ada = Identity("user-1", "ada@acme.example", "Ada")

    first = await acme.visitors.recognise(ada, None, seconds(1))
    second = await acme.visitors.recognise(Identity("user-1", name="Ada L."), None, seconds(9))

    visitor = KnownVisitor(first.visitor.id, seconds(1), seconds(9), "user-1", "Ada L.", "ada@acme.example")
    assert second == Recognised(visitor, returning=False)
    assert (await acme.visitors.recognise(Identity("user-2"), None, NOON)).visitor.id != visitor.id
    assert (await globex.visitors.recognise(ada, None, NOON)).visitor.id != visitor.id


async def test_an_anonymous_visitor_becomes_the_identified_one(acme: Company) -> None:
    written, unknown = await acme.visitor(), VisitorId(new_id())

    recognised = [
        await acme.visitors.recognise(Identity(f"user of {claimed}"), claimed, seconds(1))
        for claimed in (written, unknown)
    ]

    assert [(each.visitor.id, each.returning) for each in recognised] == [(written, True), (unknown, True)]
    assert (await acme.visitors.get(written, NOON)).external_id == f"user of {written}"


async def test_an_anonymous_visitor_of_another_device_is_merged_once(acme: Company) -> None:
    known = (await acme.visitors.recognise(Identity("user-1"), None, NOON)).visitor.id
    anonymous = await acme.visitor()

    merged = [await acme.visitors.recognise(Identity("user-1"), anonymous, seconds(number)) for number in range(2)]
    other = await acme.visitors.recognise(Identity("user-2"), anonymous, seconds(3))

    assert [(each.visitor.id, each.returning) for each in merged] == [(known, True)] * 2
    assert (await acme.visitors.get(anonymous, NOON)).merged_into == known
    assert other.visitor.id not in (known, anonymous)
    assert not other.returning


async def test_who_is_known_by_one_identity_does_not_become_another(acme: Company) -> None:
    ada = (await acme.visitors.recognise(Identity("ada"), None, NOON)).visitor.id
    ben = (await acme.visitors.recognise(Identity("ben"), None, NOON)).visitor.id

    for identity, claimed in (("ben", ada), ("cid", ada)):
        recognised = await acme.visitors.recognise(Identity(identity), claimed, NOON)

        assert not recognised.returning
        assert recognised.visitor.id != ada
    kept = await acme.visitors.get(ada, NOON)
    assert (kept.external_id, kept.merged_into) == ("ada", None)
    assert (await acme.visitors.recognise(Identity("ben"), ben, NOON)) == Recognised(
        await acme.visitors.get(ben, NOON), returning=True
    )


async def test_another_tenants_visitor_is_not_taken_over(acme: Company, globex: Company) -> None:
    theirs = await globex.visitor()
    mine = await acme.visitors.recognise(Identity("user-1"), None, NOON)

    await acme.visitors.recognise(Identity("user-1"), theirs, NOON)

    assert (await globex.visitors.get(theirs, NOON)).is_anonymous
    assert (await acme.visitors.get(mine.visitor.id, NOON)).external_id == "user-1"


async def test_two_devices_at_once_are_one_visitor(acme: Company) -> None:
    claimed = [VisitorId(new_id()) for _ in range(6)]

    recognised = await asyncio.gather(*(acme.visitors.recognise(Identity("user-1"), each, NOON) for each in claimed))

    assert len({each.visitor.id for each in recognised}) == 1


async def test_a_merged_visitors_conversations_are_the_identified_ones(database: PostgresDatabase) -> None:
    acme = await in_postgres(database)()
    conversations = PostgresConversations(database, acme.new.tenant.id)
    known = (await acme.visitors.recognise(Identity("user-1"), None, NOON)).visitor.id
    mine, theirs = (a_conversation(acme.new.tenant.id, acme.new.assistant.id) for _ in range(2))
    turns = [a_turn(conversation, key="same key") for conversation in (mine, theirs)]
    kept = a_conversation(acme.new.tenant.id, acme.new.assistant.id, visitor_id=known)
    for turn in (a_turn(kept, key="same key"), *turns):
        await conversations.begin(turn)

    await acme.visitors.recognise(Identity("user-1"), mine.visitor_id, seconds(1))
    await conversations.complete(answered(turns[0]))

    path = await conversations.path(mine.id, visitor_id=known)
    assert [message.text for message in path.messages] == [turns[0].question.text, "49 euros. [1]"]
    assert {each.id for each in await conversations.list_newest(visitor_id=known)} == {mine.id, kept.id}
    assert (await conversations.get(theirs.id)).visitor_id == theirs.visitor_id
    assert await conversations.list_newest(visitor_id=mine.visitor_id) == []
