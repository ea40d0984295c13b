"""What every store of tenants and accounts does."""

import pytest

from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import AccountId, AssistantId, TenantId, new_id
from tests.contracts.tenants import Stores, stores
from tests.factories import a_tenant

__all__ = ["stores"]


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
