"""The stores of tenants and of what belongs to one, in memory and in Postgres, and a company in them."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.assistants import PostgresAssistants
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.directory import PostgresDirectory
from chatconnect.adapters.postgres.keys import PostgresKeys
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.adapters.postgres.widgets import PostgresLeads, PostgresWidgets
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.accounts import Accounts
from chatconnect.ports.assistants import Assistants
from chatconnect.ports.keys import Keys
from chatconnect.ports.tenants import Directory, NewTenant, Tenants
from chatconnect.ports.widgets import Leads, Widgets
from tests.factories import a_tenant
from tests.fakes.assistants import MemoryAssistants
from tests.fakes.encryption import ReversingEncryption
from tests.fakes.keys import MemoryKeys
from tests.fakes.tenants import MemoryAccounts, MemoryDirectory, MemoryTenants, StoredTenants
from tests.fakes.widgets import MemoryLeads, MemoryWidgets


@dataclass
class Stores:
    """The stores under test."""

    accounts: Accounts
    directory: Directory
    tenants_of: Callable[[TenantId], Tenants]
    assistants_of: Callable[[TenantId], Assistants]
    keys_of: Callable[[TenantId], Keys]
    widgets_of: Callable[[TenantId], Widgets]
    leads_of: Callable[[TenantId], Leads]


@pytest.fixture(params=["memory", "postgres"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        stored = StoredTenants()
        return Stores(
            MemoryAccounts(stored),
            MemoryDirectory(stored),
            lambda tenant_id: MemoryTenants(stored, tenant_id),
            lambda tenant_id: MemoryAssistants(stored, tenant_id),
            lambda tenant_id: MemoryKeys(stored, tenant_id),
            lambda tenant_id: MemoryWidgets(stored, tenant_id),
            lambda tenant_id: MemoryLeads(stored, tenant_id),
        )
    database: PostgresDatabase = request.getfixturevalue("database")
    return Stores(
        PostgresAccounts(database),
        PostgresDirectory(database),
        lambda tenant_id: PostgresTenants(database, tenant_id, encryption=ReversingEncryption()),
        lambda tenant_id: PostgresAssistants(database, tenant_id, encryption=ReversingEncryption()),
        lambda tenant_id: PostgresKeys(database, tenant_id),
        lambda tenant_id: PostgresWidgets(database, tenant_id),
        lambda tenant_id: PostgresLeads(database, tenant_id),
    )


@pytest.fixture
async def acme(stores: Stores) -> NewTenant:
    new = a_tenant()
    await stores.accounts.open_tenant(new)
    return new
