"""One tenant, its keys, its assistants and its widgets in Postgres."""

from collections.abc import Sequence
from dataclasses import replace

from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres import tenant_statements as sql
from chatconnect.adapters.postgres.configurations import (
    assistant_json,
    tenant_controls,
    tenant_controls_json,
    widget_json,
)
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.tenant_rows import (
    AssistantRow,
    KeyRow,
    PlanRow,
    PublishedRow,
    TenantRow,
    WidgetRow,
    key_parameters,
)
from chatconnect.domain.assistant import Assistant
from chatconnect.domain.controls import TenantControls
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import AccountId, AssistantId, KeyId, TenantId, WidgetId
from chatconnect.domain.keys import ApiKey
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import Plan, Tenant
from chatconnect.domain.widget import Widget
from chatconnect.ports.secrets import Encryption


class PostgresTenants:
    """One tenant. `encryption` seals the access tokens of its assistants."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId, *, encryption: Encryption) -> None:
        self._database, self._tenant_id, self._encryption = database, tenant_id, encryption

    async def get(self) -> Tenant:
        """Return the tenant. Raises NotFound."""
        row = await self._database.fetch_one(self._tenant_id, TenantRow, sql.SELECT_TENANT, {})
        if row is None:
            raise NotFound("tenant", self._tenant_id)
        return Tenant(TenantId(row.id), row.name, row.plan, row.created_at, tenant_controls(row.controls))

    async def save_controls(self, controls: TenantControls) -> None:
        """Keep the tenant's control messages in place of the earlier ones. Raises NotFound."""
        parameters = {"controls": Jsonb(tenant_controls_json(controls))}
        if not await self._database.run(self._tenant_id, sql.UPDATE_CONTROLS, parameters):
            raise NotFound("tenant", self._tenant_id)

    async def plan(self) -> Plan:
        """Return the tenant's plan. Raises NotFound."""
        row = await self._database.fetch_one(self._tenant_id, PlanRow, sql.SELECT_PLAN, {})
        if row is None:
            raise NotFound("tenant", self._tenant_id)
        return row.to_plan()

    async def find_key(self, key_hash: bytes) -> ApiKey | None:
        """Return the key with this hash, used up or not."""
        row = await self._database.fetch_one(self._tenant_id, KeyRow, sql.SELECT_KEY, {"hash": key_hash})
        return row.to_key(self._tenant_id) if row else None

    async def keys(self) -> Sequence[ApiKey]:
        """Return all keys, newest first."""
        rows = await self._database.fetch(self._tenant_id, KeyRow, sql.SELECT_KEYS, {})
        return [row.to_key(self._tenant_id) for row in rows]

    async def add_key(self, key: ApiKey, key_hash: bytes) -> None:
        """Store a new key."""
        await self._database.run(self._tenant_id, sql.INSERT_KEY, key_parameters(key, key_hash))

    async def revoke_key(self, key_id: KeyId) -> None:
        """End a key now. Raises NotFound."""
        if not await self._database.run(self._tenant_id, sql.REVOKE_KEY, {"id": key_id}):
            raise NotFound("key", key_id)

    async def assistant(self, assistant_id: AssistantId, version: int | None = None) -> Assistant:
        """Return the assistant with its published configuration, or with that of a version. Raises NotFound."""
        if version is None:
            return await self._one_assistant(sql.SELECT_ASSISTANT, assistant_id)
        return await self._one_assistant(sql.SELECT_ASSISTANT_VERSION, assistant_id, version)

    async def default_assistant(self) -> Assistant:
        """Return the tenant's default assistant. Raises NotFound."""
        return await self._one_assistant(sql.SELECT_DEFAULT_ASSISTANT, None)

    async def assistants(self) -> Sequence[Assistant]:
        """Return all assistants, the default first."""
        rows = await self._database.fetch(self._tenant_id, AssistantRow, sql.SELECT_ASSISTANTS, {})
        return [await self._opened(row) for row in rows]

    async def publish(self, assistant: Assistant, *, author: AccountId | None, note: str) -> Assistant:
        """Store the configuration as a new version and publish it; return it with its number. Raises NotFound."""
        token = assistant.config.access_token
        sealed = None
        if token is not None:
            sealed = await self._encryption.encrypt(self._tenant_id, token.reveal().encode())
        row = await self._database.fetch_one(
            self._tenant_id,
            PublishedRow,
            sql.PUBLISH,
            {
                "id": assistant.id,
                "config": Jsonb(assistant_json(assistant.config)),
                "token": sealed,
                "token_key": self._encryption.key_id if sealed is not None else None,
                "author": author,
                "note": note,
                "updated_at": assistant.updated_at,
            },
        )
        if row is None:
            raise NotFound("assistant", assistant.id)
        return replace(assistant, version=row.version, created_at=row.created_at, is_default=row.is_default)

    async def widget_of(self, key: ApiKey) -> Widget:
        """Return the oldest widget of the key's assistant, or else of the default one. Raises NotFound."""
        row = await self._database.fetch_one(
            self._tenant_id, WidgetRow, sql.SELECT_WIDGET_OF, {"assistant": key.assistant_id}
        )
        if row is None:
            raise NotFound("widget")
        return row.to_widget(self._tenant_id)

    async def widgets(self) -> Sequence[Widget]:
        """Return all widgets, newest first."""
        rows = await self._database.fetch(self._tenant_id, WidgetRow, sql.SELECT_WIDGETS, {})
        return [row.to_widget(self._tenant_id) for row in rows]

    async def save_widget(self, widget: Widget) -> None:
        """Store the widget in place of its earlier state, which is kept as a version. Raises NotFound."""
        parameters = {
            "id": widget.id,
            "assistant": widget.assistant_id,
            "name": widget.name,
            "config": Jsonb(widget_json(widget.config)),
            "updated_at": widget.updated_at,
        }
        if not await self._database.run(self._tenant_id, sql.UPDATE_WIDGET, parameters):
            raise NotFound("widget", widget.id)

    async def widget(self, widget_id: WidgetId) -> Widget:
        """Return the widget. Raises NotFound."""
        row = await self._database.fetch_one(self._tenant_id, WidgetRow, sql.SELECT_WIDGET, {"id": widget_id})
        if row is None:
            raise NotFound("widget", widget_id)
        return row.to_widget(self._tenant_id)

    async def _one_assistant(
        self, statement: str, assistant_id: AssistantId | None, version: int | None = None
    ) -> Assistant:
        parameters = {"id": assistant_id, "version": version}
        row = await self._database.fetch_one(self._tenant_id, AssistantRow, statement, parameters)
        if row is None:
            raise NotFound("assistant", assistant_id or "")
        return await self._opened(row)

    async def _opened(self, row: AssistantRow) -> Assistant:
        token = None
        if row.access_token is not None:
            token = Secret((await self._encryption.decrypt(self._tenant_id, row.access_token)).decode())
        return row.to_assistant(self._tenant_id, token)
