"""One tenant's widgets, and what visitors left in their forms, in Postgres."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres.configurations import widget_config, widget_json
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import AccountId, AssistantId, LeadId, TenantId, VisitorId, WidgetId
from chatconnect.domain.keys import ApiKey
from chatconnect.domain.lead import Lead
from chatconnect.domain.widget import Widget, WidgetVersion

_WIDGETS = """
SELECT w.id, w.assistant_id, w.name, w.config, w.updated_at, w.version FROM widgets w WHERE w.tenant_id = %(tenant)s
"""
SELECT_WIDGET = f"{_WIDGETS} AND w.id = %(id)s"
SELECT_WIDGETS = f"{_WIDGETS} ORDER BY w.created_at DESC, w.id DESC"
SELECT_WIDGET_OF = f"""{_WIDGETS} AND w.assistant_id = coalesce(%(assistant)s, w.assistant_id)
ORDER BY w.assistant_id = (SELECT default_assistant_id FROM tenants WHERE id = %(tenant)s) DESC, w.created_at, w.id
LIMIT 1
"""
INSERT_WIDGET = """
WITH added AS (
    INSERT INTO widgets (tenant_id, id, assistant_id, name, config, created_at, updated_at)
    SELECT %(tenant)s, %(id)s, id, %(name)s, %(config)s, %(updated_at)s, %(updated_at)s
    FROM assistants WHERE tenant_id = %(tenant)s AND id = %(assistant)s AND archived_at IS NULL
    RETURNING version
)
INSERT INTO widget_versions (tenant_id, widget_id, number, config, author_id, created_at)
SELECT %(tenant)s, %(id)s, version, %(config)s, %(author)s, %(updated_at)s FROM added
"""
UPDATE_WIDGET = """
WITH saved AS (
    UPDATE widgets
    SET assistant_id = %(assistant)s, name = %(name)s, config = %(config)s, version = version + 1,
        updated_at = %(updated_at)s
    WHERE tenant_id = %(tenant)s AND id = %(id)s
    RETURNING id, assistant_id, name, config, updated_at, version
), kept AS (
    INSERT INTO widget_versions (tenant_id, widget_id, number, config, author_id, created_at)
    SELECT %(tenant)s, %(id)s, version, %(config)s, %(author)s, %(updated_at)s FROM saved
)
SELECT id, assistant_id, name, config, updated_at, version FROM saved
"""
DELETE_WIDGET = """
WITH ended AS (
    UPDATE api_keys SET revoked_at = coalesce(revoked_at, %(at)s)
    WHERE tenant_id = %(tenant)s AND widget_id = %(id)s
)
DELETE FROM widgets WHERE tenant_id = %(tenant)s AND id = %(id)s
"""
SELECT_VERSIONS = """
SELECT v.number, v.config, v.created_at, v.author_id, a.email AS author
FROM widget_versions v LEFT JOIN accounts a ON a.id = v.author_id
WHERE v.tenant_id = %(tenant)s AND v.widget_id = %(id)s AND v.number < coalesce(%(below)s, v.number + 1)
ORDER BY v.number DESC
LIMIT %(limit)s
"""

SAVE_LEAD = """
INSERT INTO leads (tenant_id, id, widget_id, visitor_id, fields, consent, created_at)
VALUES (%(tenant)s, %(id)s, %(widget)s, %(visitor)s, %(fields)s, %(consent)s, %(created_at)s)
ON CONFLICT (tenant_id, visitor_id, widget_id)
DO UPDATE SET fields = excluded.fields, consent = excluded.consent, created_at = excluded.created_at
"""
SELECT_LEADS = """
SELECT id, widget_id, visitor_id, fields, consent, created_at FROM leads
WHERE tenant_id = %(tenant)s
  AND (%(at)s::timestamptz IS NULL OR (created_at, id) < (%(at)s::timestamptz, %(id)s::uuid))
  AND (%(visitor)s::uuid IS NULL OR visitor_id = %(visitor)s::uuid)
ORDER BY created_at DESC, id DESC
LIMIT %(limit)s
"""
DELETE_LEAD = "DELETE FROM leads WHERE tenant_id = %(tenant)s AND id = %(id)s"


@dataclass(frozen=True, slots=True)
class WidgetRow:
    """A row of widgets."""

    id: UUID
    assistant_id: UUID
    name: str
    config: Mapping[str, Any]
    updated_at: datetime
    version: int

    def to_widget(self, tenant_id: TenantId) -> Widget:
        """Return the entity."""
        assistant_id, config = AssistantId(self.assistant_id), widget_config(self.config)
        return Widget(WidgetId(self.id), tenant_id, assistant_id, self.name, config, self.updated_at, self.version)


@dataclass(frozen=True, slots=True)
class WidgetVersionRow:
    """A row of widget_versions with its author's address."""

    number: int
    config: Mapping[str, Any]
    created_at: datetime
    author_id: UUID | None
    author: str | None

    def to_version(self) -> WidgetVersion:
        """Return the value."""
        author_id = AccountId(self.author_id) if self.author_id else None
        return WidgetVersion(self.number, widget_config(self.config), self.created_at, author_id, self.author)


@dataclass(frozen=True, slots=True)
class LeadRow:
    """A row of leads."""

    id: UUID
    widget_id: UUID
    visitor_id: UUID
    fields: Mapping[str, str]
    consent: str | None
    created_at: datetime

    def to_lead(self, tenant_id: TenantId) -> Lead:
        """Return the entity."""
        return Lead(
            LeadId(self.id),
            tenant_id,
            WidgetId(self.widget_id),
            VisitorId(self.visitor_id),
            dict(self.fields),
            self.consent,
            self.created_at,
        )


def widget_parameters(widget: Widget, author: AccountId | None) -> dict[str, object]:
    """Return the parameters of INSERT_WIDGET but for the tenant."""
    return {
        "id": widget.id,
        "assistant": widget.assistant_id,
        "name": widget.name,
        "config": Jsonb(widget_json(widget.config)),
        "updated_at": widget.updated_at,
        "author": author,
    }


class PostgresWidgets:
    """One tenant's widgets."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def all(self) -> Sequence[Widget]:
        """Return all widgets, newest first."""
        rows = await self._database.fetch(self._tenant_id, WidgetRow, SELECT_WIDGETS, {})
        return [row.to_widget(self._tenant_id) for row in rows]

    async def get(self, widget_id: WidgetId) -> Widget:
        """Return the widget. Raises NotFound."""
        return await self._one(SELECT_WIDGET, {"id": widget_id}, widget_id)

    async def of_key(self, key: ApiKey) -> Widget:
        """Return the widget that a key names, or else the oldest of the key's assistant. Raises NotFound.

        A key with neither shows the default assistant's widget or, where that has none, the tenant's oldest.
        """
        if key.widget_id is not None:
            return await self.get(key.widget_id)
        return await self._one(SELECT_WIDGET_OF, {"assistant": key.assistant_id})

    async def add(self, widget: Widget, author: AccountId | None) -> None:
        """Store a new widget with its first version. Raises NotFound for a foreign assistant."""
        if not await self._database.run(self._tenant_id, INSERT_WIDGET, widget_parameters(widget, author)):
            raise NotFound("assistant", widget.assistant_id)

    async def save(self, widget: Widget, author: AccountId | None) -> Widget:
        """Store the widget in place of its earlier state, which is kept as a version; return it. Raises NotFound."""
        return await self._one(UPDATE_WIDGET, widget_parameters(widget, author), widget.id)

    async def delete(self, widget_id: WidgetId, at: datetime) -> None:
        """Forget the widget and its versions, and end the keys that name it. Raises NotFound."""
        if not await self._database.run(self._tenant_id, DELETE_WIDGET, {"id": widget_id, "at": at}):
            raise NotFound("widget", widget_id)

    async def versions(self, widget_id: WidgetId, *, limit: int, below: int | None = None) -> Sequence[WidgetVersion]:
        """Return the states that the widget has been in, the newest (the current one) first; none of no widget."""
        parameters = {"id": widget_id, "limit": limit, "below": below}
        rows = await self._database.fetch(self._tenant_id, WidgetVersionRow, SELECT_VERSIONS, parameters)
        return [row.to_version() for row in rows]

    async def _one(self, statement: str, parameters: Mapping[str, object], widget_id: WidgetId | str = "") -> Widget:
        row = await self._database.fetch_one(self._tenant_id, WidgetRow, statement, parameters)
        if row is None:
            raise NotFound("widget", widget_id)
        return row.to_widget(self._tenant_id)


class PostgresLeads:
    """What visitors left in the forms of one tenant's widgets."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def save(self, lead: Lead) -> None:
        """Store what a visitor left, in place of what they left before in the same widget."""
        parameters = {
            "id": lead.id,
            "widget": lead.widget_id,
            "visitor": lead.visitor_id,
            "fields": Jsonb(dict(lead.fields)),
            "consent": lead.consent,
            "created_at": lead.created_at,
        }
        await self._database.run(self._tenant_id, SAVE_LEAD, parameters)

    async def page(
        self, *, limit: int, after: tuple[datetime, LeadId] | None = None, visitor_id: VisitorId | None = None
    ) -> Sequence[Lead]:
        """Return leads, newest first, beginning after a place."""
        at, lead_id = after or (None, None)
        parameters = {"limit": limit, "at": at, "id": lead_id, "visitor": visitor_id}
        rows = await self._database.fetch(self._tenant_id, LeadRow, SELECT_LEADS, parameters)
        return [row.to_lead(self._tenant_id) for row in rows]

    async def delete(self, lead_id: LeadId) -> None:
        """Forget a lead. Raises NotFound."""
        if not await self._database.run(self._tenant_id, DELETE_LEAD, {"id": lead_id}):
            raise NotFound("lead", lead_id)
