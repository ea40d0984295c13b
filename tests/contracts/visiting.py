"""Companies with visitors and what was noticed of them, in memory and in Postgres."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from chatconnect.adapters.postgres.abuse import PostgresSignals
from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.visitors import PostgresVisitors
from chatconnect.domain.abuse import Signal, SignalKind
from chatconnect.domain.identifiers import VisitorId, new_id
from chatconnect.domain.visitor import KnownVisitor
from chatconnect.ports.abuse import Signals
from chatconnect.ports.tenants import NewTenant
from chatconnect.ports.visitors import Visitors
from tests.factories import NOON, a_conversation, a_tenant, a_turn
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
