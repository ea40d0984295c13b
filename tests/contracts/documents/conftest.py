"""The stores of documents."""

import pytest

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.knowledge import Document
from chatconnect.ports.knowledge import Documents
from tests.contracts.documents.steps import OpenTenant
from tests.factories import a_document, a_tenant
from tests.fakes.documents import MemoryDocuments, StoredDocuments


@pytest.fixture(params=["memory", "postgres"])
def open_tenant(request: pytest.FixtureRequest) -> OpenTenant:
    stored: dict[TenantId, StoredDocuments] = {}
    database: PostgresDatabase | None = None
    if request.param == "postgres":
        database = request.getfixturevalue("database")

    async def open_one() -> tuple[TenantId, Documents]:
        new = a_tenant()
        if database is None:
            return new.tenant.id, MemoryDocuments(stored, new.tenant.id)
        await PostgresAccounts(database).open_tenant(new)
        return new.tenant.id, PostgresDocuments(database, new.tenant.id)

    return open_one


@pytest.fixture
async def tenant(open_tenant: OpenTenant) -> tuple[TenantId, Documents]:
    return await open_tenant()


@pytest.fixture
def documents(tenant: tuple[TenantId, Documents]) -> Documents:
    return tenant[1]


@pytest.fixture
def document(tenant: tuple[TenantId, Documents]) -> Document:
    return a_document(tenant[0])
