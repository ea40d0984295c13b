"""What the contracts of several stores share: two companies in Postgres."""

import pytest

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.identifiers import TenantId
from tests.factories import a_tenant


async def opened(database: PostgresDatabase, company: str) -> TenantId:
    new = a_tenant(company)
    await PostgresAccounts(database).open_tenant(new)
    return new.tenant.id


@pytest.fixture
async def acme(database: PostgresDatabase) -> TenantId:
    return await opened(database, "Acme")


@pytest.fixture
async def globex(database: PostgresDatabase) -> TenantId:
    return await opened(database, "Globex")
