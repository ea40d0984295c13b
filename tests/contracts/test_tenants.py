"""What every store of tenants and accounts does."""

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
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import AccountId, AssistantId, TenantId, new_id
from chatconnect.ports.accounts import Accounts
from chatconnect.ports.assistants import Assistants
from chatconnect.ports.keys import Keys
from chatconnect.ports.tenants import Directory, Tenants
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


async def test_a_new_tenant_has_all_it_starts_with(stores: Stores) -> None:
    new = a_tenant()

    await stores.accounts.open_tenant(new)

    tenants = stores.tenants_of(new.tenant.id)
    assert await tenants.get() == new.tenant
    assert (await tenants.plan()).requests_per_minute == 100
    assert await tenants.default_assistant() == new.assistant
    assert await tenants.assistants() == [new.assistant]
    assert await tenants.assistant(new.assistant.id) == new.assistant
    widgets = stores.widgets_of(new.tenant.id)
    assert await widgets.all() == [new.widget]
    assert await widgets.of_key(new.widget_key[0]) == new.widget
    assert await stores.accounts.find_by_email(new.account.email) == new.account
    assert await stores.accounts.memberships(new.account.id) == [new.owner]


async def test_an_address_has_one_account(stores: Stores) -> None:
    new = a_tenant()
    await stores.accounts.open_tenant(new)
    second = a_tenant(email=new.account.email)

    with pytest.raises(Conflict) as refused:
        await stores.accounts.open_tenant(second)

    assert refused.value.code == "email_taken"
    with pytest.raises(NotFound):
        await stores.tenants_of(second.tenant.id).get()


async def test_who_is_not_known_has_no_account_and_no_place(stores: Stores) -> None:
    assert await stores.accounts.find_by_email(f"{new_id()}@example.com") is None
    assert await stores.accounts.memberships(AccountId(new_id())) == []


async def test_the_directory_names_every_tenant(stores: Stores) -> None:
    opened = [a_tenant() for _ in range(3)]
    for new in opened:
        await stores.accounts.open_tenant(new)

    known = [tenant_id async for tenant_id in stores.directory.tenant_ids()]

    assert {new.tenant.id for new in opened} <= set(known)
    assert known == sorted(known)


async def test_what_is_another_tenants_does_not_exist(stores: Stores) -> None:
    acme, globex = a_tenant(), a_tenant()
    for new in (acme, globex):
        await stores.accounts.open_tenant(new)
    tenants = stores.tenants_of(acme.tenant.id)

    with pytest.raises(NotFound):
        await tenants.assistant(globex.assistant.id)


async def test_what_is_not_there_is_not_found(stores: Stores) -> None:
    tenants = stores.tenants_of(TenantId(new_id()))

    with pytest.raises(NotFound):
        await tenants.get()
    with pytest.raises(NotFound):
        await tenants.plan()
    with pytest.raises(NotFound):
        await tenants.default_assistant()
    with pytest.raises(NotFound):
        await tenants.assistant(AssistantId(new_id()))
