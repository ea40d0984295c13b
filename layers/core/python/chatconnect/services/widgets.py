"""A tenant's widgets, and what visitors leave in their forms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chatconnect.domain.errors import Conflict, Invalid, NotFound
from chatconnect.domain.identifiers import AccountId, AssistantId, LeadId, TenantId, VisitorId, WidgetId, new_id
from chatconnect.domain.lead import DEFAULT_CONSENT, Lead
from chatconnect.domain.principals import Staff, TenantSide
from chatconnect.domain.text import checked_name
from chatconnect.domain.widget import Widget, WidgetConfig, WidgetVersion
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.tenants import TenantsOf
from chatconnect.ports.widgets import LeadsOf, WidgetsOf
from chatconnect.services.changes import changing

MAX_WIDGETS = 100


@dataclass(frozen=True, slots=True)
class WidgetWish:
    """What a widget is to be; None: as it is, or, of a new one, the tenant's default assistant."""

    config: WidgetConfig
    name: str | None = None
    assistant_id: AssistantId | None = None


class WidgetService:
    """Manages widgets. Every change is seen by all processes at their next request."""

    def __init__(self, *, widgets_of: WidgetsOf, tenants_of: TenantsOf, epochs: Epochs, clock: Clock) -> None:
        self._widgets_of, self._tenants_of = widgets_of, tenants_of
        self._epochs, self._clock = epochs, clock

    async def all(self, tenant_id: TenantId) -> Sequence[Widget]:
        """Return the tenant's widgets, newest first."""
        return await self._widgets_of(tenant_id).all()

    async def add(self, caller: TenantSide, wish: WidgetWish) -> Widget:
        """Make a widget. Raises Invalid, NotFound (the assistant), Conflict with code "too_many_widgets"."""
        tenant_id = caller.tenant_id
        name = checked_name(wish.name or "", "a widget")
        wish.config.check_avatar_host()
        if len(await self.all(tenant_id)) >= MAX_WIDGETS:
            raise Conflict(f"a company has at most {MAX_WIDGETS} widgets", code="too_many_widgets")
        assistant_id = await self._assistant(tenant_id, wish.assistant_id)
        widget = Widget(WidgetId(new_id()), tenant_id, assistant_id, name, wish.config, self._clock())
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await self._widgets_of(tenant_id).add(widget, _author(caller))
        return widget

    async def configure(self, caller: TenantSide, widget_id: WidgetId, wish: WidgetWish) -> Widget:
        """Replace a widget's settings. Raises Invalid, NotFound (the widget, the assistant)."""
        tenant_id, widgets = caller.tenant_id, self._widgets_of(caller.tenant_id)
        widget = replace(await widgets.get(widget_id), config=wish.config, updated_at=self._clock())
        wish.config.check_avatar_host()
        if wish.name is not None:
            widget = replace(widget, name=checked_name(wish.name, "a widget"))
        if wish.assistant_id is not None:
            widget = replace(widget, assistant_id=await self._assistant(tenant_id, wish.assistant_id))
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            return await widgets.save(widget, _author(caller))

    async def delete(self, tenant_id: TenantId, widget_id: WidgetId) -> None:
        """Take a widget off all websites: the keys that name it end, and show nothing any more. Raises NotFound."""
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await self._widgets_of(tenant_id).delete(widget_id, self._clock())

    async def versions(
        self, tenant_id: TenantId, widget_id: WidgetId, *, limit: int, below: int | None = None
    ) -> Sequence[WidgetVersion]:
        """Return the states that a widget has been in, the current one first. Raises NotFound."""
        widgets = self._widgets_of(tenant_id)
        found = await widgets.versions(widget_id, limit=limit, below=below)
        if not found:
            await widgets.get(widget_id)
        return found

    async def restore(self, caller: TenantSide, widget_id: WidgetId, number: int) -> Widget:
        """Give a widget the settings of an earlier version, as a new one. Raises NotFound."""
        earlier = await self._widgets_of(caller.tenant_id).versions(widget_id, limit=1, below=number + 1)
        if not earlier or earlier[0].number != number:
            raise NotFound("widget version", str(number))
        return await self.configure(caller, widget_id, WidgetWish(earlier[0].config))

    async def _assistant(self, tenant_id: TenantId, wanted: AssistantId | None) -> AssistantId:
        tenants = self._tenants_of(tenant_id)
        return (await (tenants.default_assistant() if wanted is None else tenants.assistant(wanted))).id


class LeadService:
    """Takes what visitors leave of themselves, and gives it to staff."""

    def __init__(self, *, widgets_of: WidgetsOf, leads_of: LeadsOf, clock: Clock) -> None:
        self._widgets_of, self._leads_of, self._clock = widgets_of, leads_of, clock

    async def leave(
        self,
        tenant_id: TenantId,
        visitor_id: VisitorId,
        widget_id: WidgetId,
        values: Mapping[str, str],
        *,
        agreed: bool,
        locale: str | None = None,
    ) -> Lead:
        """Keep what a visitor filled in, and what they agreed to, as their language has it.

        Raises NotFound (the widget), Invalid, also with code "no_lead_form", "consent_required" or "field_required".
        """
        config = (await self._widgets_of(tenant_id).get(widget_id)).config
        if config.lead_form is None:
            raise Invalid("this widget has no form", code="no_lead_form", details={"field": "widget_id"})
        fields = config.lead_form.checked(values, agreed=agreed)
        _, words = config.in_language(locale)
        consent = (words.texts.get("lead_consent") or DEFAULT_CONSENT) if config.lead_form.consent else None
        lead = Lead(LeadId(new_id()), tenant_id, widget_id, visitor_id, fields, consent, self._clock())
        await self._leads_of(tenant_id).save(lead)
        return lead

    async def page(
        self,
        tenant_id: TenantId,
        *,
        limit: int,
        after: tuple[datetime, LeadId] | None = None,
        visitor_id: VisitorId | None = None,
    ) -> Sequence[Lead]:
        """Return leads, newest first, beginning after a place."""
        return await self._leads_of(tenant_id).page(limit=limit, after=after, visitor_id=visitor_id)

    async def delete(self, tenant_id: TenantId, lead_id: LeadId) -> None:
        """Forget a lead. Raises NotFound."""
        await self._leads_of(tenant_id).delete(lead_id)


def _author(caller: TenantSide) -> AccountId | None:
    return caller.account_id if isinstance(caller, Staff) else None
