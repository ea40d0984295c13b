"""What every store of tenants does for operators."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.operators import PostgresOperatedTenants
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.domain.errors import Forbidden, Invalid, NotFound
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.tenant import Plan
from chatconnect.ports.accounts import Accounts
from chatconnect.ports.operators import OperatedTenants
from chatconnect.ports.tenants import NewTenant
from tests.factories import a_tenant
from tests.fakes.clock import SetClock
from tests.fakes.encryption import ReversingEncryption
from tests.fakes.operators import MemoryOperatedTenants
from tests.fakes.tenants import MemoryAccounts, MemoryTenants, StoredTenants


@dataclass
class Stores:
    """The store under test, and what its tenants' own services read."""

    operated: OperatedTenants
    accounts: Accounts
    plan_of: Callable[[TenantId], Awaitable[Plan]]

    async def opened(self) -> NewTenant:
        new = a_tenant()
        await self.accounts.open_tenant(new)
        return new


@pytest.fixture(params=["memory", "postgres"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        stored = StoredTenants()
        operated = MemoryOperatedTenants(stored, SetClock())
        return Stores(operated, MemoryAccounts(stored), lambda tenant_id: MemoryTenants(stored, tenant_id).plan())
    database: PostgresDatabase = request.getfixturevalue("database")
    return Stores(
        PostgresOperatedTenants(database),
        PostgresAccounts(database),
        lambda tenant_id: PostgresTenants(database, tenant_id, encryption=ReversingEncryption()).plan(),
    )


async def test_tenants_come_in_pages_in_the_order_of_their_ids(stores: Stores) -> None:
    opened = sorted([(await stores.opened()).tenant for _ in range(3)], key=lambda tenant: tenant.id)

    first, rest = await stores.operated.page(None, 2), await stores.operated.page(opened[0].id, 100)

    assert len(first) == 2
    assert first[0].id < first[1].id
    assert [tenant for tenant in rest if tenant in opened] == opened[1:]
    assert await stores.operated.page(opened[-1].id, 100) == []


async def test_another_plan_is_what_the_tenant_has_from_then_on(stores: Stores) -> None:
    new = await stores.opened()

    await stores.operated.set_plan(new.tenant.id, "paid")

    assert (await stores.operated.get(new.tenant.id)).plan == "paid"
    assert (await stores.plan_of(new.tenant.id)).name == "paid"
    with pytest.raises(Invalid) as refused:
        await stores.operated.set_plan(new.tenant.id, "gold")
    assert refused.value.code == "unknown_plan"


async def test_a_suspension_keeps_its_beginning_and_stands_in_the_plan(stores: Stores) -> None:
    new, other = await stores.opened(), await stores.opened()

    await stores.operated.set_suspended(new.tenant.id, suspended=True)
    since = (await stores.operated.get(new.tenant.id)).suspended_at
    await stores.operated.set_suspended(new.tenant.id, suspended=True)

    assert since is not None
    assert (await stores.operated.get(new.tenant.id)).suspended_at == since
    with pytest.raises(Forbidden) as refused:
        (await stores.plan_of(new.tenant.id)).check_active()
    assert refused.value.code == "tenant_suspended"
    (await stores.plan_of(other.tenant.id)).check_active()
    await stores.operated.set_suspended(new.tenant.id, suspended=False)
    (await stores.plan_of(new.tenant.id)).check_active()


async def test_a_tenant_that_is_none_is_not_found(stores: Stores) -> None:
    missing = TenantId(new_id())

    for attempt in (
        stores.operated.get(missing),
        stores.operated.set_plan(missing, "paid"),
        stores.operated.set_suspended(missing, suspended=True),
    ):
        with pytest.raises(NotFound):
            await attempt
