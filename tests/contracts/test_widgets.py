"""What every store of widgets and leads does."""

from dataclasses import replace
from typing import Any

import pytest

from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import AssistantId, KeyId, LeadId, VisitorId, WidgetId, new_id
from chatconnect.domain.keys import KeyKind
from chatconnect.domain.lead import FieldKind, Lead, LeadField, LeadForm
from chatconnect.domain.widget import Behaviour, Theme, Widget, WidgetConfig, Words
from chatconnect.ports.tenants import NewTenant
from chatconnect.ports.widgets import Widgets
from tests.contracts.tenants import Stores, acme, stores
from tests.factories import a_key, a_tenant, seconds

__all__ = ["acme", "stores"]

CONFIG = WidgetConfig(
    "de",
    {"title": "Hallo"},
    Theme("#123456", "dark", "left", None, "#ffffff"),
    ("Was kostet es?",),
    ("example.com",),
    translations={"fr": Words({"title": "Salut"}, ("Combien ?",))},
    behaviour=Behaviour(open_after_seconds=9, feedback=False),
    lead_form=LeadForm((LeadField("email", FieldKind.EMAIL, required=True), LeadField("name")), consent=False),
)


@pytest.fixture
def widgets(stores: Stores, acme: NewTenant) -> Widgets:
    return stores.widgets_of(acme.tenant.id)


def another(acme: NewTenant) -> Widget:
    return Widget(WidgetId(new_id()), acme.tenant.id, acme.assistant.id, "Shop", CONFIG, seconds(1))


def a_lead(acme: NewTenant, at: float, **changes: Any) -> Lead:
    lead = Lead(
        LeadId(new_id()),
        acme.tenant.id,
        acme.widget.id,
        VisitorId(new_id()),
        {"email": "a@b.example"},
        None,
        seconds(at),
    )
    return replace(lead, **changes)


async def test_a_saved_widget_is_read_back_with_its_author(acme: NewTenant, widgets: Widgets) -> None:
    changed = replace(acme.widget, config=CONFIG, name="Shop", updated_at=seconds(9))

    saved = await widgets.save(changed, acme.account.id)
    again = await widgets.save(replace(changed, config=WidgetConfig()), None)

    assert saved == replace(changed, version=2)
    assert await widgets.get(acme.widget.id) == again == await widgets.of_key(acme.widget_key[0])
    newest, middle, first = await widgets.versions(acme.widget.id, limit=10)
    assert [each.number for each in (newest, middle, first)] == [3, 2, 1]
    assert (middle.config, middle.author_id, middle.author) == (CONFIG, acme.account.id, acme.account.email)
    assert (newest.author, newest.config, newest.created_at) == (None, WidgetConfig(), seconds(9))
    assert await widgets.versions(acme.widget.id, limit=1, below=3) == [middle]


async def test_a_tenant_has_several_widgets_and_a_key_shows_the_one_that_it_names(
    stores: Stores, acme: NewTenant, widgets: Widgets
) -> None:
    shop = another(acme)

    await widgets.add(shop, acme.account.id)

    key, key_hash = a_key(acme.tenant.id, KeyKind.PUBLISHABLE, widget_id=shop.id, id=KeyId(new_id()))
    await stores.keys_of(acme.tenant.id).add(key, key_hash)
    assert await widgets.all() == [shop, acme.widget]
    assert await widgets.of_key(await stores.keys_of(acme.tenant.id).get(key.id)) == shop
    assert await widgets.of_key(acme.widget_key[0]) == acme.widget
    [version] = await widgets.versions(shop.id, limit=5)
    assert (version.number, version.author) == (1, acme.account.email)
    assert (await stores.tenants_of(acme.tenant.id).get()).websites == ("example.com",)


async def test_a_deleted_widget_is_gone_and_its_keys_end(stores: Stores, acme: NewTenant, widgets: Widgets) -> None:
    shop = another(acme)
    await widgets.add(shop, None)
    key, key_hash = a_key(acme.tenant.id, KeyKind.PUBLISHABLE, widget_id=shop.id, id=KeyId(new_id()))
    await stores.keys_of(acme.tenant.id).add(key, key_hash)
    globex = a_tenant()
    await stores.accounts.open_tenant(globex)
    theirs, their_hash = a_key(globex.tenant.id, KeyKind.PUBLISHABLE, widget_id=shop.id, id=KeyId(new_id()))
    await stores.keys_of(globex.tenant.id).add(theirs, their_hash)

    await widgets.delete(shop.id, seconds(7))

    assert await stores.keys_of(globex.tenant.id).get(theirs.id) == theirs

    assert await widgets.all() == [acme.widget]
    assert await widgets.versions(shop.id, limit=5) == []
    ends = {each.id: each.revoked_at for each in await stores.keys_of(acme.tenant.id).all()}
    assert (ends[key.id], ends[acme.widget_key[0].id]) == (seconds(7), None)
    with pytest.raises(NotFound):
        await widgets.of_key(key)
    with pytest.raises(NotFound):
        await widgets.delete(shop.id, seconds(8))


async def test_what_is_another_tenants_or_nowhere_does_not_exist(stores: Stores, acme: NewTenant) -> None:
    globex = a_tenant()
    await stores.accounts.open_tenant(globex)
    await stores.widgets_of(acme.tenant.id).save(replace(acme.widget, config=CONFIG), None)
    widgets = stores.widgets_of(globex.tenant.id)

    assert await widgets.all() == [globex.widget]
    assert (await stores.tenants_of(globex.tenant.id).get()).websites == ()
    for missing in (acme.widget.id, WidgetId(new_id())):
        with pytest.raises(NotFound):
            await widgets.get(missing)
        with pytest.raises(NotFound):
            await widgets.save(replace(acme.widget, id=missing), None)
        with pytest.raises(NotFound):
            await widgets.delete(missing, seconds(1))
        assert await widgets.versions(missing, limit=5) == []
    for assistant_id in (acme.assistant.id, AssistantId(new_id())):
        with pytest.raises(NotFound):
            await widgets.add(replace(another(acme), assistant_id=assistant_id), None)
        with pytest.raises(NotFound):
            await widgets.of_key(a_key(globex.tenant.id, assistant_id=assistant_id)[0])
    assert await stores.widgets_of(acme.tenant.id).all() == [replace(acme.widget, config=CONFIG, version=2)]


async def test_leads_come_newest_first_and_a_visitors_second_takes_the_firsts_place(
    stores: Stores, acme: NewTenant
) -> None:
    globex = a_tenant()
    await stores.accounts.open_tenant(globex)
    leads = stores.leads_of(acme.tenant.id)
    first, second = a_lead(acme, 1, consent="Yes."), a_lead(acme, 2)
    for lead in (first, second):
        await leads.save(lead)
    changed = replace(first, id=LeadId(new_id()), fields={"name": "Ada"}, consent=None, created_at=seconds(3))

    await leads.save(changed)

    newest, older = await leads.page(limit=5)
    assert newest == replace(changed, id=first.id)
    assert older == second
    assert await leads.page(limit=1, after=(newest.created_at, newest.id)) == [second]
    assert await leads.page(limit=5, visitor_id=second.visitor_id) == [second]
    assert await stores.leads_of(globex.tenant.id).page(limit=5) == []
    with pytest.raises(NotFound):
        await stores.leads_of(globex.tenant.id).delete(second.id)
    await leads.delete(second.id)
    assert await leads.page(limit=5) == [newest]
