"""What every store of tenants and accounts does."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.directory import PostgresDirectory
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.domain.assistant import Fallback, Retrieval
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import AccountId, AssistantId, DocumentId, KeyId, TenantId, WidgetId, new_id
from chatconnect.domain.keys import KeyKind
from chatconnect.domain.secret import Secret
from chatconnect.domain.widget import Theme, WidgetConfig
from chatconnect.ports.tenants import Accounts, Directory, Tenants
from tests.factories import a_key, a_tenant, seconds
from tests.fakes.encryption import ReversingEncryption
from tests.fakes.tenants import MemoryAccounts, MemoryDirectory, MemoryTenants, StoredTenants


@dataclass
class Stores:
    """The stores under test."""

    accounts: Accounts
    directory: Directory
    tenants_of: Callable[[TenantId], Tenants]


@pytest.fixture(params=["memory", "postgres"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        stored = StoredTenants()
        return Stores(
            MemoryAccounts(stored), MemoryDirectory(stored), lambda tenant_id: MemoryTenants(stored, tenant_id)
        )
    database: PostgresDatabase = request.getfixturevalue("database")
    return Stores(
        PostgresAccounts(database),
        PostgresDirectory(database),
        lambda tenant_id: PostgresTenants(database, tenant_id, encryption=ReversingEncryption()),
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
    assert await tenants.widgets() == [new.widget]
    assert await tenants.widget_of(new.widget_key[0]) == new.widget
    assert {key.id for key in await tenants.keys()} == {new.widget_key[0].id, new.secret_key[0].id}
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


async def test_a_key_is_found_by_its_hash_alone_and_in_its_own_tenant(stores: Stores) -> None:
    acme, globex = a_tenant(), a_tenant()
    for new in (acme, globex):
        await stores.accounts.open_tenant(new)
    key, key_hash = a_key(
        acme.tenant.id, KeyKind.SECRET, assistant_id=acme.assistant.id, expires_at=seconds(60), created_at=seconds(1)
    )
    await stores.tenants_of(acme.tenant.id).add_key(key, key_hash)

    assert await stores.tenants_of(acme.tenant.id).find_key(key_hash) == key
    assert await stores.tenants_of(globex.tenant.id).find_key(key_hash) is None
    assert (await stores.tenants_of(acme.tenant.id).keys())[0] == key


async def test_a_revoked_key_is_found_as_revoked(stores: Stores) -> None:
    new = a_tenant()
    await stores.accounts.open_tenant(new)
    tenants = stores.tenants_of(new.tenant.id)
    key, key_hash = new.secret_key

    await tenants.revoke_key(key.id)

    found = await tenants.find_key(key_hash)
    assert found is not None
    assert found.revoked_at is not None
    with pytest.raises(NotFound):
        await tenants.revoke_key(KeyId(new_id()))


async def test_every_publication_is_a_new_version(stores: Stores) -> None:
    new = a_tenant()
    await stores.accounts.open_tenant(new)
    tenants = stores.tenants_of(new.tenant.id)
    retrieval = Retrieval(limit=3, threshold=0.5, document_ids=(DocumentId(new_id()),))
    config = replace(
        new.assistant.config,
        control_messages=("Answer in JSON.",),
        retrieval=retrieval,
        tools=("search_knowledge", "orders"),
        tool_rounds=3,
        fallback=Fallback("openai", "gpt-5-nano"),
    )
    changed = replace(new.assistant, config=config, updated_at=seconds(5))

    published = await tenants.publish(changed, author=new.account.id, note="shorter")

    assert published == replace(changed, version=2)
    assert await tenants.assistant(new.assistant.id) == published
    assert await tenants.default_assistant() == published


async def test_publications_at_once_get_numbers_of_their_own(stores: Stores) -> None:
    new = a_tenant()
    await stores.accounts.open_tenant(new)
    tenants = stores.tenants_of(new.tenant.id)

    published = await asyncio.gather(*(tenants.publish(new.assistant, author=None, note="") for _ in range(5)))

    assert sorted(each.version for each in published) == [2, 3, 4, 5, 6]


async def test_an_access_token_comes_back_with_its_configuration(stores: Stores) -> None:
    new = a_tenant()
    await stores.accounts.open_tenant(new)
    tenants = stores.tenants_of(new.tenant.id)
    config = new.assistant.config.with_access_token(Secret("sk-very-secret"))

    await tenants.publish(replace(new.assistant, config=config), author=None, note="")

    assert (await tenants.assistant(new.assistant.id)).config.access_token == Secret("sk-very-secret")


async def test_a_saved_widget_is_read_back(stores: Stores) -> None:
    new = a_tenant()
    await stores.accounts.open_tenant(new)
    tenants = stores.tenants_of(new.tenant.id)
    config = WidgetConfig(
        "de", {"title": "Hallo"}, Theme("#123456", "dark", "left"), ("Was kostet es?",), ("example.com",)
    )
    changed = replace(new.widget, config=config, name="Shop", updated_at=seconds(9))

    await tenants.save_widget(changed)

    assert await tenants.widget(new.widget.id) == changed
    assert await tenants.widget_of(new.widget_key[0]) == changed


async def test_what_is_another_tenants_does_not_exist(stores: Stores) -> None:
    acme, globex = a_tenant(), a_tenant()
    for new in (acme, globex):
        await stores.accounts.open_tenant(new)
    tenants = stores.tenants_of(acme.tenant.id)

    with pytest.raises(NotFound):
        await tenants.assistant(globex.assistant.id)
    with pytest.raises(NotFound):
        await tenants.publish(globex.assistant, author=None, note="")
    with pytest.raises(NotFound):
        await tenants.widget(globex.widget.id)
    with pytest.raises(NotFound):
        await tenants.save_widget(globex.widget)
    with pytest.raises(NotFound):
        await tenants.revoke_key(globex.secret_key[0].id)
    with pytest.raises(NotFound):
        await tenants.widget_of(a_key(acme.tenant.id, assistant_id=globex.assistant.id)[0])


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
    with pytest.raises(NotFound):
        await tenants.widget(WidgetId(new_id()))
