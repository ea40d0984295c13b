"""A tenant's widgets and leads in memory, for the tests of what uses them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import AccountId, LeadId, TenantId, VisitorId, WidgetId
from chatconnect.domain.keys import ApiKey
from chatconnect.domain.lead import Lead
from chatconnect.domain.widget import Widget, WidgetVersion
from tests.fakes.tenants import MemoryTenants, StoredTenants


class MemoryWidgets:
    """One tenant's widgets."""

    def __init__(self, stored: StoredTenants, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def all(self) -> Sequence[Widget]:
        own = [widget for (tenant, _), widget in self._stored.widgets.items() if tenant == self._tenant_id]
        return sorted(own, key=self._made, reverse=True)

    async def get(self, widget_id: WidgetId) -> Widget:
        if (self._tenant_id, widget_id) not in self._stored.widgets:
            raise NotFound("widget", widget_id)
        return self._stored.widgets[self._tenant_id, widget_id]

    async def of_key(self, key: ApiKey) -> Widget:
        if key.widget_id is not None:
            return await self.get(key.widget_id)
        default = (await MemoryTenants(self._stored, self._tenant_id).default_assistant()).id
        fitting = [each for each in await self.all() if key.assistant_id in (None, each.assistant_id)]
        if not fitting:
            raise NotFound("widget")
        return min(fitting, key=lambda widget: (widget.assistant_id != default, self._made(widget)))

    async def add(self, widget: Widget, author: AccountId | None) -> None:
        await MemoryTenants(self._stored, self._tenant_id).assistant(widget.assistant_id)
        self._stored.keep_widget(widget, author)

    async def save(self, widget: Widget, author: AccountId | None) -> Widget:
        saved = replace(widget, version=(await self.get(widget.id)).version + 1)
        self._stored.keep_widget(saved, author)
        return saved

    async def delete(self, widget_id: WidgetId, at: datetime) -> None:
        await self.get(widget_id)
        del self._stored.widgets[self._tenant_id, widget_id]
        self._stored.widget_versions.pop(widget_id, None)
        for place, key in list(self._stored.keys.items()):
            if key.tenant_id == self._tenant_id and key.widget_id == widget_id:
                self._stored.keys[place] = replace(key, revoked_at=key.revoked_at or at)

    async def versions(self, widget_id: WidgetId, *, limit: int, below: int | None = None) -> Sequence[WidgetVersion]:
        if (self._tenant_id, widget_id) not in self._stored.widgets:
            return []
        kept = self._stored.widget_versions.get(widget_id, [])
        return [version for version in reversed(kept) if below is None or version.number < below][:limit]

    def _made(self, widget: Widget) -> tuple[datetime, WidgetId]:
        """Return when it was made; ids of one millisecond are in no order."""
        return self._stored.widget_versions[widget.id][0].created_at, widget.id


class MemoryLeads:
    """What visitors left in the forms of one tenant's widgets."""

    def __init__(self, stored: StoredTenants, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def save(self, lead: Lead) -> None:
        place = (self._tenant_id, lead.visitor_id, lead.widget_id)
        before = self._stored.leads.get(place)
        self._stored.leads[place] = replace(lead, id=before.id) if before else lead

    async def page(
        self, *, limit: int, after: tuple[datetime, LeadId] | None = None, visitor_id: VisitorId | None = None
    ) -> Sequence[Lead]:
        own = [lead for (tenant, *_), lead in self._stored.leads.items() if tenant == self._tenant_id]
        newest = sorted(own, key=lambda lead: (lead.created_at, lead.id), reverse=True)
        meant = [lead for lead in newest if visitor_id in (None, lead.visitor_id)]
        return [lead for lead in meant if after is None or (lead.created_at, lead.id) < after][:limit]

    async def delete(self, lead_id: LeadId) -> None:
        for place, lead in list(self._stored.leads.items()):
            if (place[0], lead.id) == (self._tenant_id, lead_id):
                del self._stored.leads[place]
                return
        raise NotFound("lead", lead_id)
