"""Control messages and forms of answers, as every store keeps them."""

from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from chatconnect.adapters.sqs import turn_of
from chatconnect.domain.controls import NO_CONTROLS, Controls, TenantControls
from chatconnect.domain.conversation import Turn
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import ConversationId, TenantId, new_id
from chatconnect.domain.response_format import TEXT, FormatKind, ResponseFormat
from tests.contracts.tenants import Stores, stores
from tests.contracts.test_conversations import Company, OpenCompany, acme, open_company
from tests.factories import a_conversation, a_save, a_tenant, a_turn, answered

__all__ = ["acme", "open_company", "stores"]

PRICED = ResponseFormat(
    FormatKind.JSON_SCHEMA, {"type": "object", "properties": {"price": {"enum": [1, None, "é", 2.5]}}}
)
OWN = Controls(("Be brief.", 'Say "{company}".'), PRICED)
LEVELS = TenantControls(("Of all.",), {"chat": Controls((), TEXT), "faq-json": OWN, "empty": NO_CONTROLS})


async def test_a_tenants_controls_are_read_back_with_the_tenant(stores: Stores) -> None:
    acme, globex = a_tenant(), a_tenant()
    for new in (acme, globex):
        await stores.accounts.open_tenant(new)

    await stores.tenants_of(acme.tenant.id).save_controls(LEVELS)

    assert await stores.tenants_of(acme.tenant.id).get() == replace(acme.tenant, controls=LEVELS)
    assert (await stores.tenants_of(globex.tenant.id).get()).controls == TenantControls()


async def test_controls_take_the_place_of_the_earlier_ones(stores: Stores) -> None:
    new = a_tenant()
    await stores.accounts.open_tenant(new)
    tenants = stores.tenants_of(new.tenant.id)
    await tenants.save_controls(LEVELS)

    await tenants.save_controls(TenantControls(("Other.",)))

    assert (await tenants.get()).controls == TenantControls(("Other.",))


async def test_a_tenant_that_there_is_not_has_no_controls(stores: Stores) -> None:
    with pytest.raises(NotFound):
        await stores.tenants_of(TenantId(new_id())).save_controls(LEVELS)


async def test_the_properties_of_a_schema_keep_their_order(stores: Stores) -> None:
    new = a_tenant()
    await stores.accounts.open_tenant(new)
    tenants = stores.tenants_of(new.tenant.id)
    names = ["reasons", "a", "zzz", "verdict", "b"]
    form = ResponseFormat(
        FormatKind.JSON_SCHEMA, {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    )

    await tenants.save_controls(TenantControls(endpoints={"faq": Controls((), form)}))

    kept = (await tenants.get()).controls.at("faq").response_format
    assert kept is not None
    assert kept.instruction == form.instruction


async def test_an_assistants_form_comes_back_with_its_configuration(stores: Stores) -> None:
    new = a_tenant()
    await stores.accounts.open_tenant(new)
    tenants = stores.tenants_of(new.tenant.id)
    config = new.assistant.config.with_response_format(PRICED)

    await stores.assistants_of(new.tenant.id).save(new.assistant.id, a_save(config), publish=True)

    assert (await tenants.default_assistant()).config.response_format == PRICED


async def test_a_conversations_controls_come_back_with_it_and_with_its_branches(acme: Company) -> None:
    first = answered(a_turn(replace(acme.conversation(), controls=OWN)))
    conversation_id = first.conversation.id

    await acme.conversations.begin(first)
    await acme.conversations.complete(first)

    assert (await acme.conversations.get(conversation_id)).controls == OWN
    assert (await acme.conversations.path(conversation_id)).conversation.controls == OWN
    assert [each.controls for each in await acme.conversations.list_newest()] == [OWN]


async def test_a_turn_that_is_written_late_brings_its_conversations_controls(acme: Company) -> None:
    turn = answered(a_turn(replace(acme.conversation(), controls=OWN)))

    await acme.conversations.complete(turn)

    assert (await acme.conversations.get(turn.conversation.id)).controls == OWN


async def test_a_fork_keeps_them(acme: Company) -> None:
    turn = answered(a_turn(replace(acme.conversation(), controls=OWN)))
    await acme.conversations.complete(turn)
    fork = replace(turn.conversation, id=ConversationId(new_id()), forked_from=turn.answer.id)

    stored = await acme.conversations.fork(turn.answer.id, fork)

    assert stored.controls == OWN
    assert (await acme.conversations.get(fork.id)).controls == OWN


async def test_they_can_be_replaced_and_a_turn_under_way_does_not_put_the_old_ones_back(acme: Company) -> None:
    turn = a_turn(replace(acme.conversation(), controls=OWN))
    await acme.conversations.begin(turn)

    await acme.conversations.save_controls(turn.conversation.id, Controls(("Other.",)))
    await acme.conversations.complete(answered(turn))

    assert (await acme.conversations.get(turn.conversation.id)).controls == Controls(("Other.",))


async def test_only_a_conversation_of_the_tenant_has_any(open_company: OpenCompany) -> None:
    acme, globex = await open_company(), await open_company()
    turn = a_turn(globex.conversation())
    await globex.conversations.begin(turn)

    with pytest.raises(NotFound):
        await acme.conversations.save_controls(turn.conversation.id, OWN)

    assert (await globex.conversations.get(turn.conversation.id)).controls == NO_CONTROLS


def test_a_turn_that_waits_in_a_queue_keeps_its_conversations_controls() -> None:
    new = a_tenant()
    turn = answered(a_turn(a_conversation(new.tenant.id, new.assistant.id, controls=OWN)))

    assert turn_of(TypeAdapter(Turn).dump_json(turn).decode()) == turn
