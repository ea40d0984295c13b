"""What every store of visitors and of signals of abuse does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from chatconnect.adapters.postgres.abuse import PostgresSignals
from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.visitors import PostgresVisitors
from chatconnect.domain.abuse import Signal, SignalKind
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import ConversationId, MessageId, VisitorId, new_id
from chatconnect.domain.identity import Identity
from chatconnect.domain.visitor import Block, KnownVisitor, Recognised
from chatconnect.ports.abuse import Occasion, Signals
from chatconnect.ports.tenants import NewTenant
from chatconnect.ports.visitors import Visitors
from tests.factories import NOON, a_conversation, a_tenant, a_turn, answered, seconds
from tests.fakes.abuse import MemorySignals, StoredSignals
from tests.fakes.visitors import MemoryVisitors, StoredVisitors

HOUR = 3_600.0
REPEATED = Signal(SignalKind.REPEATED, 40, ("same_text",))
INJECTION = Signal(SignalKind.INJECTION, 40, ("instructions_overridden",))


@dataclass
class Company:
    """A tenant with its visitors and what was noticed of them."""

    new: NewTenant
    visitors: Visitors
    signals: Signals
    visitor: Callable[[], Awaitable[VisitorId]]


OpenCompany = Callable[[], Awaitable[Company]]


@pytest.fixture(params=["memory", "postgres"])
def open_company(request: pytest.FixtureRequest) -> OpenCompany:
    return in_memory() if request.param == "memory" else in_postgres(request.getfixturevalue("database"))


def in_memory() -> OpenCompany:
    stored, recorded = StoredVisitors(), StoredSignals()

    async def open_one() -> Company:
        new = a_tenant()
        tenant_id = new.tenant.id

        async def visitor() -> VisitorId:
            visitor_id = VisitorId(new_id())
            stored.visitors[tenant_id, visitor_id] = KnownVisitor(visitor_id, NOON, NOON)
            return visitor_id

        return Company(new, MemoryVisitors(stored, tenant_id), MemorySignals(recorded, tenant_id), visitor)

    return open_one


def in_postgres(database: PostgresDatabase) -> OpenCompany:
    async def open_one() -> Company:
        new = a_tenant()
        tenant_id = new.tenant.id
        await PostgresAccounts(database).open_tenant(new)

        async def visitor() -> VisitorId:
            conversation = a_conversation(tenant_id, new.assistant.id)
            await PostgresConversations(database, tenant_id).begin(a_turn(conversation))
            assert conversation.visitor_id is not None
            return conversation.visitor_id

        return Company(new, PostgresVisitors(database, tenant_id), PostgresSignals(database, tenant_id), visitor)

    return open_one


@pytest.fixture
async def acme(open_company: OpenCompany) -> Company:
    return await open_company()


@pytest.fixture
async def globex(open_company: OpenCompany) -> Company:
    return await open_company()


# Blocks


async def test_a_blocked_visitor_is_shown_with_who_blocked_them_and_why(acme: Company) -> None:
    visitor_id = await acme.visitor()
    block = Block("Insults", seconds(5), acme.new.owner.id, seconds(HOUR))

    await acme.visitors.block(visitor_id, block)

    visitor = await acme.visitors.get(visitor_id, seconds(6))
    assert visitor == KnownVisitor(visitor_id, NOON, NOON, block=block)
    assert await acme.visitors.is_blocked(visitor_id, seconds(6))
    assert await acme.visitors.blocked(seconds(6)) == {visitor_id: seconds(HOUR)}


async def test_a_second_block_takes_the_place_of_the_first(acme: Company) -> None:
    visitor_id = await acme.visitor()
    await acme.visitors.block(visitor_id, Block("Insults", seconds(5), acme.new.owner.id, seconds(10)))

    await acme.visitors.block(visitor_id, Block("Threats", seconds(6)))

    assert (await acme.visitors.get(visitor_id, seconds(60))).block == Block("Threats", seconds(6))
    assert await acme.visitors.blocked(seconds(60)) == {visitor_id: None}


async def test_a_block_whose_time_is_over_is_none(acme: Company) -> None:
    visitor_id = await acme.visitor()

    await acme.visitors.block(visitor_id, Block("Insults", seconds(5), until=seconds(10)))

    assert (await acme.visitors.get(visitor_id, seconds(10))).block is None
    assert not await acme.visitors.is_blocked(visitor_id, seconds(10))
    assert await acme.visitors.blocked(seconds(10)) == {}
    assert await acme.visitors.list_blocked(seconds(10)) == []


async def test_an_unblocked_visitor_is_free_and_cannot_be_unblocked_again(acme: Company) -> None:
    visitor_id = await acme.visitor()
    await acme.visitors.block(visitor_id, Block("Insults", seconds(5)))

    await acme.visitors.unblock(visitor_id)

    assert (await acme.visitors.get(visitor_id, seconds(6))).block is None
    with pytest.raises(NotFound):
        await acme.visitors.unblock(visitor_id)


async def test_who_is_blocked_is_listed_page_by_page_the_last_first(acme: Company) -> None:
    blocked = [await acme.visitor() for _ in range(3)]
    await acme.visitor()
    for number, visitor_id in enumerate(blocked):
        await acme.visitors.block(visitor_id, Block("", seconds(number)))

    first = await acme.visitors.list_blocked(seconds(9), limit=2)
    assert first[-1].block is not None
    second = await acme.visitors.list_blocked(seconds(9), limit=2, before=first[-1].block.blocked_at)

    assert [visitor.id for visitor in (*first, *second)] == blocked[::-1]


async def test_a_visitor_who_never_wrote_does_not_exist_and_is_not_blocked(acme: Company) -> None:
    nobody = VisitorId(new_id())

    for missing in (acme.visitors.get(nobody, NOON), acme.visitors.block(nobody, Block("", NOON))):
        with pytest.raises(NotFound):
            await missing
    assert not await acme.visitors.is_blocked(nobody, NOON)


async def test_another_tenants_visitor_does_not_exist(acme: Company, globex: Company) -> None:
    theirs = await globex.visitor()
    await globex.visitors.block(theirs, Block("Insults", NOON))

    for missing in (
        acme.visitors.get(theirs, NOON), acme.visitors.block(theirs, Block("", NOON)), acme.visitors.unblock(theirs)
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await missing
    assert not await acme.visitors.is_blocked(theirs, NOON)
    assert (await acme.visitors.blocked(NOON), await acme.visitors.list_blocked(NOON)) == ({}, [])
    assert await globex.visitors.is_blocked(theirs, NOON)


# Signals


async def test_a_signal_is_read_back_as_it_was_seen(acme: Company) -> None:
    visitor_id = await acme.visitor()
    occasion = Occasion(seconds(5), ConversationId(new_id()), MessageId(new_id()))

    await acme.signals.record(visitor_id, [REPEATED], occasion)

    [signal] = await acme.signals.list_newest()
    assert (signal.visitor_id, signal.kind, signal.score, signal.count) == (visitor_id, SignalKind.REPEATED, 40, 1)
    assert (signal.reasons, signal.throttled) == (("same_text",), False)
    assert (signal.conversation_id, signal.message_id) == (occasion.conversation_id, occasion.message_id)
    assert signal.first_seen_at == signal.last_seen_at == seconds(5)


async def test_signals_of_one_kind_and_hour_are_one_row_however_many(acme: Company) -> None:
    visitor_id, message = await acme.visitor(), MessageId(new_id())
    odd = Signal(SignalKind.REPEATED, 100, ("odd",))

    for number in range(20):
        await acme.signals.record(visitor_id, [REPEATED], Occasion(seconds(number), message_id=message))
    await acme.signals.record(visitor_id, [odd], Occasion(seconds(30), throttled=True))
    await acme.signals.record(visitor_id, [REPEATED], Occasion(seconds(HOUR)))

    later, earlier = await acme.signals.list_newest()
    assert (earlier.count, earlier.score, earlier.reasons, earlier.throttled) == (21, 100, ("odd", "same_text"), True)
    assert (earlier.message_id, earlier.first_seen_at, earlier.last_seen_at) == (message, seconds(0), seconds(30))
    assert (later.count, later.throttled, later.message_id) == (1, False, None)


async def test_signals_of_several_kinds_are_recorded_together(acme: Company) -> None:
    await acme.signals.record(await acme.visitor(), [REPEATED, INJECTION], Occasion(NOON))

    assert {signal.kind for signal in await acme.signals.list_newest()} == {REPEATED.kind, INJECTION.kind}


async def test_a_visitor_whose_first_question_was_refused_can_have_signals(acme: Company) -> None:
    await acme.signals.record(VisitorId(new_id()), [INJECTION], Occasion(NOON, throttled=True))

    assert len(await acme.signals.list_newest()) == 1


async def test_what_servers_pass_on_is_one_row_too(acme: Company) -> None:
    for number in range(3):
        await acme.signals.record(None, [INJECTION], Occasion(seconds(number)))

    [signal] = await acme.signals.list_newest()
    assert (signal.visitor_id, signal.count) == (None, 3)


async def test_signals_are_found_by_visitor_kind_and_outcome_and_read_page_by_page(acme: Company) -> None:
    ada, bob = await acme.visitor(), await acme.visitor()
    await acme.signals.record(ada, [REPEATED], Occasion(seconds(1)))
    await acme.signals.record(ada, [INJECTION], Occasion(seconds(2), throttled=True))
    await acme.signals.record(bob, [REPEATED], Occasion(seconds(3)))

    first = await acme.signals.list_newest(limit=2)
    rest = await acme.signals.list_newest(limit=2, before=first[-1].id)

    every = [(signal.visitor_id, signal.kind) for signal in (*first, *rest)]
    assert every == [(bob, REPEATED.kind), (ada, INJECTION.kind), (ada, REPEATED.kind)]
    assert len(await acme.signals.list_newest(visitor_id=ada)) == 2
    assert [each.visitor_id for each in await acme.signals.list_newest(kind=REPEATED.kind)] == [bob, ada]
    assert [each.kind for each in await acme.signals.list_newest(throttled=True)] == [INJECTION.kind]


async def test_another_tenants_signals_are_not_seen(acme: Company, globex: Company) -> None:
    theirs = await globex.visitor()

    await globex.signals.record(theirs, [INJECTION], Occasion(NOON))

    assert await acme.signals.list_newest() == []
    assert await acme.signals.list_newest(visitor_id=theirs) == []


# Identities


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
