"""Who gets in: visitors from allowed websites, servers with their key, staff with their password."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from chatconnect.domain.errors import ChatConnectError, Forbidden, Unauthenticated
from chatconnect.domain.identifiers import TenantId, VisitorId
from chatconnect.domain.keys import KeyKind, hash_of, make_key
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import StaffRole
from chatconnect.domain.visitor import Block
from chatconnect.services.access import AccessService
from chatconnect.services.tenants import DefaultModel, OpenedTenant, TenantService
from tests.fakes.clock import SetClock
from tests.fakes.credentials import NumberedTokens, PlainPasswords
from tests.fakes.epochs import MemoryEpochs, StoredEpochs
from tests.fakes.tenants import MemoryAccounts, MemoryTenants, StoredTenants
from tests.fakes.visitors import MemoryVisitors, StoredVisitors

SITE = "https://acme.example"
PASSWORD = Secret("correct horse battery")


@dataclass
class Door:
    """One tenant, and the services that know it."""

    opened: OpenedTenant
    access: AccessService
    tenants: TenantService
    stored: StoredTenants
    clock: SetClock
    passwords: PlainPasswords
    chat_tokens: NumberedTokens
    visitors: StoredVisitors

    def change_key(self, key: Secret, **changes: Any) -> None:
        place = (self.opened.tenant.id, hash_of(key))
        self.stored.keys[place] = replace(self.stored.keys[place], **changes)


@pytest.fixture
async def door() -> Door:
    stored, clock, passwords, tokens = StoredTenants(), SetClock(), PlainPasswords(), NumberedTokens()
    visitors = StoredVisitors()
    accounts = MemoryAccounts(stored)

    def tenants_of(tenant_id: TenantId) -> MemoryTenants:
        return MemoryTenants(stored, tenant_id)

    access = AccessService(
        tenants_of=tenants_of,
        accounts=accounts,
        chat_tokens=tokens,
        access_tokens=NumberedTokens(),
        passwords=passwords,
        visitors_of=lambda tenant_id: MemoryVisitors(visitors, tenant_id),
        clock=clock,
    )
    tenants = TenantService(
        accounts=accounts,
        tenants_of=tenants_of,
        passwords=passwords,
        default_model=DefaultModel("offline", "quotes"),
        epochs=MemoryEpochs(StoredEpochs()),
        clock=clock,
    )
    opened = await tenants.register(
        company="Acme", email="Ada@acme.example", password=PASSWORD, allowed_domains=["acme.example"]
    )
    await tenants.register(company="Globex", email="gil@globex.example", password=PASSWORD)
    return Door(opened, access, tenants, stored, clock, passwords, tokens, visitors)


async def refusal(attempt: Any) -> str:
    with pytest.raises(ChatConnectError) as refused:
        await attempt
    assert isinstance(refused.value, Unauthenticated | Forbidden)
    return refused.value.code


# Visitors


async def test_a_widgets_key_and_website_give_a_visitor_a_pass(door: Door) -> None:
    given = await door.access.chat_token(door.opened.widget_key, SITE, None)

    visitor = await door.access.visitor(Secret(given.token))
    assert (visitor.tenant_id, visitor.assistant_id) == (door.opened.tenant.id, door.opened.assistant.id)
    assert (visitor.visitor_id, visitor.origin, visitor.requests_per_minute) == (given.visitor_id, SITE, 100)
    assert given.expires_in == 3_600


async def test_a_returning_visitor_keeps_their_id_and_a_new_one_gets_a_new_one(door: Door) -> None:
    returning = uuid4()

    given = [await door.access.chat_token(door.opened.widget_key, SITE, id_) for id_ in (returning, None, None)]

    assert given[0].visitor_id == returning
    assert len({pass_.visitor_id for pass_ in given}) == 3


async def test_a_blocked_visitor_gets_no_pass_until_they_are_unblocked(door: Door) -> None:
    blocked, other = VisitorId(uuid4()), uuid4()
    place = (door.opened.tenant.id, blocked)
    door.visitors.blocks[place] = Block("Insults", door.clock.now)

    assert await refusal(door.access.chat_token(door.opened.widget_key, SITE, blocked)) == "visitor_blocked"
    assert (await door.access.chat_token(door.opened.widget_key, SITE, other)).visitor_id == other
    del door.visitors.blocks[place]
    assert (await door.access.chat_token(door.opened.widget_key, SITE, blocked)).visitor_id == blocked


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        (None, "origin_required"),
        ("null", "origin_required"),
        ("https://evil.example", "origin_not_allowed"),
        ("https://acme.example.evil.org", "origin_not_allowed"),
        ("http://localhost:3000", "origin_not_allowed"),
    ],
)
async def test_from_elsewhere_the_key_opens_nothing(door: Door, origin: str | None, code: str) -> None:
    assert await refusal(door.access.visit(door.opened.widget_key, origin)) == code
    assert await refusal(door.access.chat_token(door.opened.widget_key, origin, None)) == code


async def test_a_forged_pass_is_refused(door: Door) -> None:
    assert await refusal(door.access.visitor(Secret("chat-99"))) == "token_invalid"
    assert await refusal(door.access.visitor(Secret("expired"))) == "token_expired"


# Keys


async def test_a_servers_key_opens_its_tenant(door: Door) -> None:
    server = await door.access.server(door.opened.secret_key)

    assert (server.tenant_id, server.assistant_id, server.requests_per_minute) == (door.opened.tenant.id, None, 100)


async def test_a_key_bound_to_an_assistant_stays_bound(door: Door) -> None:
    _, key = await door.tenants.add_key(door.opened.tenant.id, KeyKind.SECRET, "Bound", door.opened.assistant.id)

    assert (await door.access.server(key)).assistant_id == door.opened.assistant.id


async def test_each_kind_of_key_opens_its_own_door_only(door: Door) -> None:
    assert await refusal(door.access.server(door.opened.widget_key)) == "unknown_key"
    assert await refusal(door.access.visit(door.opened.secret_key, SITE)) == "unknown_key"


async def test_a_key_stored_as_the_other_kind_opens_nothing(door: Door) -> None:
    door.change_key(door.opened.secret_key, kind=KeyKind.PUBLISHABLE)

    assert await refusal(door.access.server(door.opened.secret_key)) == "unknown_key"


@pytest.mark.parametrize("text", ["", "sk_live_", "sk_live_" + "a" * 54, "nonsense"])
async def test_a_key_that_nobody_has_is_unknown(door: Door, text: str) -> None:
    assert await refusal(door.access.server(Secret(text))) == "unknown_key"


async def test_a_well_formed_key_that_was_never_given_out_is_unknown(door: Door) -> None:
    assert await refusal(door.access.server(make_key(KeyKind.SECRET, door.opened.tenant.id))) == "unknown_key"


async def test_a_key_with_another_tenants_name_on_it_opens_neither(door: Door) -> None:
    other = next(id_ for id_ in door.stored.tenants if id_ != door.opened.tenant.id)
    tenant_part = make_key(KeyKind.SECRET, other).reveal()[: len("sk_live_") + 22]
    forged = Secret(tenant_part + door.opened.secret_key.reveal()[len(tenant_part) :])

    assert await refusal(door.access.server(forged)) == "unknown_key"


async def test_a_revoked_key_is_refused_at_once(door: Door) -> None:
    door.change_key(door.opened.secret_key, revoked_at=door.clock())
    door.change_key(door.opened.widget_key, revoked_at=door.clock())

    assert await refusal(door.access.server(door.opened.secret_key)) == "key_revoked"
    assert await refusal(door.access.visit(door.opened.widget_key, SITE)) == "key_revoked"


async def test_an_expiring_key_works_until_its_end(door: Door) -> None:
    door.change_key(door.opened.secret_key, expires_at=door.clock() + timedelta(hours=1))

    await door.access.server(door.opened.secret_key)
    door.clock.advance(3_600)
    assert await refusal(door.access.server(door.opened.secret_key)) == "key_revoked"


# Staff


async def test_staff_log_in_with_their_password_whatever_the_case_of_the_address(door: Door) -> None:
    session = await door.access.log_in(" ADA@acme.example", PASSWORD)

    staff = await door.access.staff(Secret(session.access_token))
    assert staff == session.staff
    assert (staff.tenant_id, staff.role) == (door.opened.tenant.id, StaffRole.OWNER)


@pytest.mark.parametrize("email", ["ada@acme.example", "nobody@acme.example", "not an address", "a\0@acme.example"])
async def test_a_wrong_password_and_an_unknown_address_look_and_cost_the_same(door: Door, email: str) -> None:
    assert await refusal(door.access.log_in(email, Secret("wrong password"))) == "wrong_credentials"
    assert door.passwords.verified == 1


async def test_somebody_without_a_tenant_is_told_no_more_than_anybody(door: Door) -> None:
    door.stored.members.clear()

    assert await refusal(door.access.log_in("ada@acme.example", PASSWORD)) == "wrong_credentials"


async def test_a_visitors_pass_is_no_staff_pass(door: Door) -> None:
    given = await door.access.chat_token(door.opened.widget_key, SITE, None)

    assert await refusal(door.access.staff(Secret(given.token))) == "token_invalid"


# Registering


async def test_a_new_tenant_has_all_that_it_needs_to_begin(door: Door) -> None:
    opened = await door.tenants.register(company=" New\0co ", email="neo@newco.example", password=PASSWORD)

    visit = await door.access.visit(opened.widget_key, "http://localhost:5173")
    assert visit.tenant.name == "Newco"
    assert visit.widget.assistant_id == opened.assistant.id
    [assistant] = await door.tenants.assistants(opened.tenant.id)
    assert (assistant.is_default, assistant.version, assistant.config.provider) == (True, 1, "offline")
    assert (await door.access.server(opened.secret_key)).tenant_id == opened.tenant.id
    assert (await door.access.log_in("neo@newco.example", PASSWORD)).staff == opened.owner
    assert len(await door.tenants.keys(opened.tenant.id)) == 2


async def test_a_taken_address_is_refused(door: Door) -> None:
    with pytest.raises(ChatConnectError) as refused:
        await door.tenants.register(company="Again", email="ADA@acme.example", password=PASSWORD)

    assert refused.value.code == "email_taken"
    assert len(door.stored.tenants) == 2


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
async def test_a_registration_with_a_mistake_opens_nothing(door: Door, change: dict[str, Any], code: str) -> None:
    right: dict[str, Any] = {"company": "Newco", "email": "neo@newco.example", "password": PASSWORD}

    with pytest.raises(ChatConnectError) as refused:
        await door.tenants.register(**(right | change))

    assert refused.value.code == code
    assert len(door.stored.tenants) == 2


async def test_a_new_key_is_shown_once_and_stored_as_a_hash(door: Door) -> None:
    row, key = await door.tenants.add_key(door.opened.tenant.id, KeyKind.SECRET, " Backup\0 ")

    assert row.name == "Backup"
    assert (await door.access.server(key)).key_id == row.id
    assert key.reveal() not in repr(door.stored)
    await door.tenants.revoke_key(door.opened.tenant.id, row.id)
    door.clock.advance(10**9)
    assert await refusal(door.access.server(key)) == "key_revoked"


async def test_a_key_is_bound_to_an_assistant_of_the_same_tenant_only(door: Door) -> None:
    other = next(id_ for id_ in door.stored.tenants if id_ != door.opened.tenant.id)

    with pytest.raises(ChatConnectError) as refused:
        await door.tenants.add_key(other, KeyKind.SECRET, "Bound", door.opened.assistant.id)

    assert refused.value.code == "not_found"


async def test_publishing_makes_a_new_version_that_answers_from_then_on(door: Door) -> None:
    tenant_id, assistant = door.opened.tenant.id, door.opened.assistant

    published = await door.tenants.publish(
        tenant_id, assistant.id, assistant.config.with_temperature(1.0), author=door.opened.owner.account_id
    )

    assert published.version == 2
    assert (await door.tenants.assistant(tenant_id, assistant.id)).config.temperature == 1.0


async def test_a_widget_is_configured_by_its_own_tenant_only(door: Door) -> None:
    other = next(id_ for id_ in door.stored.tenants if id_ != door.opened.tenant.id)
    config = replace(door.opened.widget.config, locale="de")

    changed = await door.tenants.configure_widget(door.opened.tenant.id, door.opened.widget.id, config)

    assert [widget.config.locale for widget in await door.tenants.widgets(door.opened.tenant.id)] == ["de"]
    assert changed.id == door.opened.widget.id
    with pytest.raises(ChatConnectError):
        await door.tenants.configure_widget(other, door.opened.widget.id, config)
