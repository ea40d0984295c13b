"""What operators do, and what it does to those it is about."""

from dataclasses import replace

import pytest

from chatconnect.domain.errors import ChatConnectError
from chatconnect.domain.identifiers import AccountId, TenantId, new_id
from chatconnect.domain.secret import Secret
from chatconnect.ports.epochs import Area
from tests.unit.services.people import House
from tests.unit.services.refusals import refusal

ADA = "ada@acme.example"


async def test_tenants_are_listed_page_by_page(house: House) -> None:
    for name in ("Globex", "Initech"):
        await house.tenant(name)

    first = await house.operators.page(None, 2)
    rest = await house.operators.page(first[-1].id, 2)

    assert [len(first), len(rest)] == [2, 1]
    assert {tenant.name for tenant in (*first, *rest)} == {"Acme", "Globex", "Initech"}


async def test_a_suspended_tenants_members_see_their_sessions_and_nothing_else(house: House) -> None:
    grant = await house.log_in(ADA)
    tenant_id = grant.staff.tenant_id

    suspended = await house.operators.suspend(tenant_id)
    again = await house.operators.suspend(tenant_id)

    assert suspended.suspended_at == again.suspended_at == house.clock.now
    assert await refusal(house.access.staff(Secret(grant.access_token))) == "tenant_suspended"
    assert (await house.person(grant)).staff == grant.staff
    await house.operators.resume(tenant_id)
    assert await house.access.staff(Secret(grant.access_token)) == grant.staff


async def test_another_plan_and_a_suspension_are_announced_to_every_process(house: House) -> None:
    [tenant_id] = house.stored.tenants
    seen = set[str]()

    for change in (
        house.operators.set_plan(tenant_id, "paid"),
        house.operators.suspend(tenant_id),
        house.operators.resume(tenant_id),
    ):
        await change
        seen.add(house.epochs.values[tenant_id, Area.CONFIGURATION])

    assert len(seen) == 3
    assert house.stored.tenants[tenant_id].plan == "paid"


async def test_what_is_not_there_is_not_found(house: House) -> None:
    [tenant_id] = house.stored.tenants
    missing = TenantId(new_id())

    assert await refusal(house.operators.set_plan(tenant_id, "gold")) == "unknown_plan"
    assert await refusal(house.operators.set_plan(missing, "paid")) == "not_found"
    assert await refusal(house.operators.suspend(missing)) == "not_found"
    assert await refusal(house.operators.tenant(missing)) == "not_found"
    assert await refusal(house.operators.account("nobody@acme.example")) == "not_found"
    assert await refusal(house.operators.set_disabled(AccountId(new_id()), disabled=True)) == "not_found"


async def test_a_disabled_person_is_out_at_once_and_an_operator_is_not_disabled(house: House) -> None:
    grant = await house.log_in(ADA)
    account = await house.operators.account(" ADA@acme.example")

    assert (await house.operators.set_disabled(account.id, disabled=True)).disabled_at == house.clock.now

    assert await refusal(house.access.signed_in(Secret(grant.access_token))) == "session_ended"
    assert await refusal(house.log_in(ADA)) == "wrong_credentials"
    await house.operators.set_disabled(account.id, disabled=False)
    assert (await house.log_in(ADA)).staff == grant.staff
    house.stored.accounts[ADA] = replace(house.stored.accounts[ADA], is_operator=True)
    assert await refusal(house.operators.set_disabled(account.id, disabled=True)) == "operator_account"


async def test_being_an_operator_is_nothing_that_a_role_gives(house: House) -> None:
    person = await house.person(await house.log_in(ADA))

    with pytest.raises(ChatConnectError) as refused:
        person.check_operator()

    assert refused.value.code == "operator_required"
