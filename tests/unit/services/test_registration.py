"""A company registers: what it begins with, and what is refused."""

from typing import Any

import pytest

from chatconnect.domain.errors import ChatConnectError
from chatconnect.domain.secret import Secret
from chatconnect.services.tenants import DefaultModel, TenantService
from tests.fakes.epochs import MemoryEpochs
from tests.unit.services.people import PASSWORD, House

RIGHT: dict[str, Any] = {"company": "Newco", "email": "neo@newco.example", "password": PASSWORD}


@pytest.fixture
def house() -> House:
    return House()


async def quoting() -> DefaultModel:
    return DefaultModel("offline", "quotes")


@pytest.fixture
def tenants(house: House) -> TenantService:
    return TenantService(
        accounts=house.store,
        tenants_of=house.tenants_of,
        passwords=house.passwords,
        default_model=quoting,
        epochs=MemoryEpochs(house.epochs),
        clock=house.clock,
    )


async def test_a_new_tenant_has_all_that_it_needs_to_begin(house: House, tenants: TenantService) -> None:
    opened = await tenants.register(**(RIGHT | {"company": " New\0co "}))

    stored = house.tenants_of(opened.tenant.id)
    assert (await stored.get()).name == "Newco"
    [assistant] = await stored.assistants()
    assert (assistant.is_default, assistant.version, assistant.config.provider) == (True, 1, "offline")
    [widget] = house.stored.widgets.values()
    assert (widget.assistant_id, widget.config.allowed_domains) == (assistant.id, ("localhost", "127.0.0.1"))
    assert (await house.access.server(opened.secret_key)).tenant_id == opened.tenant.id
    assert (await house.log_in("neo@newco.example")).staff == opened.owner


async def test_a_taken_address_is_refused(house: House, tenants: TenantService) -> None:
    await tenants.register(**RIGHT)

    with pytest.raises(ChatConnectError) as refused:
        await tenants.register(**(RIGHT | {"email": "NEO@newco.example"}))

    assert refused.value.code == "email_taken"
    assert len(house.stored.tenants) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"company": "  "}, "invalid_request"),
        ({"company": "c" * 101}, "invalid_request"),
        ({"email": "nowhere"}, "invalid_email"),
        ({"password": Secret("short")}, "weak_password"),
        ({"allowed_domains": ["https://example.com"]}, "invalid_domain"),
    ],
)
async def test_a_registration_with_a_mistake_opens_nothing(
    house: House, tenants: TenantService, change: dict[str, Any], code: str
) -> None:
    with pytest.raises(ChatConnectError) as refused:
        await tenants.register(**(RIGHT | change))

    assert refused.value.code == code
    assert house.stored.tenants == {}
