"""A visitor who turns out to be another one moves alone, although no row-level security keeps the tenants apart."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.visitors import PostgresVisitors
from chatconnect.domain.conversation import Turn
from chatconnect.domain.identifiers import ConversationId, VisitorId, new_id
from chatconnect.domain.identity import Identity
from chatconnect.ports.tenants import NewTenant
from local.database import prepare_database
from local.services import Postgres
from tests.factories import NOON, a_conversation, a_tenant, a_turn
from tests.postgres import conninfo
from tests.tenant_filters import switch_row_level_security

ANN = Identity("ann")


@dataclass
class Company:
    new: NewTenant
    visitors: PostgresVisitors
    conversations: PostgresConversations

    async def asks(self, visitor: VisitorId, talk: ConversationId) -> Turn | None:
        """Ask under a key, in a conversation whose id others may have; return the earlier question of that key."""
        there = a_conversation(self.new.tenant.id, self.new.assistant.id, id=talk, visitor_id=visitor)
        return await self.conversations.begin(a_turn(there, key="key"))


@pytest.fixture(scope="module")
async def unguarded(postgres: Postgres) -> AsyncIterator[PostgresDatabase]:
    """A database that shows every tenant all rows."""
    url = await prepare_database(postgres, "unguarded")
    await switch_row_level_security(postgres.database_url("unguarded"), on=False)
    database = PostgresDatabase(conninfo(url), pool_size=2)
    yield database
    await database.aclose()


async def opened(database: PostgresDatabase) -> Company:
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    id_ = new.tenant.id
    return Company(new, PostgresVisitors(database, id_), PostgresConversations(database, id_))


@pytest.fixture
async def acme(unguarded: PostgresDatabase) -> Company:
    return await opened(unguarded)


@pytest.fixture
async def globex(unguarded: PostgresDatabase) -> Company:
    return await opened(unguarded)


async def test_anothers_questions_stay_with_whoever_asked_them(acme: Company, globex: Company) -> None:
    anonymous, talk = VisitorId(new_id()), ConversationId(new_id())
    await acme.visitors.recognise(ANN, None, NOON)
    for company in (acme, globex):
        await company.asks(anonymous, talk)

    await acme.visitors.recognise(ANN, anonymous, NOON)

    earlier = await globex.asks(anonymous, ConversationId(new_id()))
    assert earlier is not None
    assert earlier.conversation.visitor_id == anonymous


async def test_a_key_is_free_that_only_another_tenant_has_used(acme: Company, globex: Company) -> None:
    anonymous = VisitorId(new_id())
    known = (await acme.visitors.recognise(ANN, None, NOON)).visitor.id
    await globex.asks(known, ConversationId(new_id()))
    await acme.asks(anonymous, ConversationId(new_id()))

    await acme.visitors.recognise(ANN, anonymous, NOON)

    assert await acme.asks(known, ConversationId(new_id())) is not None
