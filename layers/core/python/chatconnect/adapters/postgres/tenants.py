"""One tenant and its assistants in Postgres."""

from collections.abc import Sequence
from dataclasses import replace

from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres import tenant_statements as sql
from chatconnect.adapters.postgres.configurations import tenant_controls_json
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.tenant_rows import AssistantRow, PlanRow, TenantRow
from chatconnect.adapters.postgres.tenant_secrets import TenantSecrets, all_opened
from chatconnect.domain.assistant import Assistant
from chatconnect.domain.controls import TenantControls
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import AssistantId, TenantId
from chatconnect.domain.tenant import Plan, StandardModels, Tenant
from chatconnect.ports.secrets import Encryption

NO_STANDARD_MODELS = StandardModels()


class PostgresTenants:
    """One tenant. `encryption` opens the access tokens of its assistants.

    `standard_models` are those that this deployment lets every plan use.
    """

    def __init__(
        self,
        database: PostgresDatabase,
        tenant_id: TenantId,
        *,
        encryption: Encryption,
        standard_models: StandardModels = NO_STANDARD_MODELS,
    ) -> None:
        self._database, self._tenant_id = database, tenant_id
        self._secrets = TenantSecrets(encryption, tenant_id)
        self._standard_models = standard_models

    async def get(self) -> Tenant:
        """Return the tenant. Raises NotFound."""
        row = await self._database.fetch_one(self._tenant_id, TenantRow, sql.SELECT_TENANT, {})
        if row is None:
            raise NotFound("tenant", self._tenant_id)
        return row.to_tenant()

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
        return replace(row.to_plan(), standard=self._standard_models)

    async def assistant(self, assistant_id: AssistantId, version: int | None = None) -> Assistant:
        """Return the assistant with its published configuration, or with that of a version. Raises NotFound.

        An archived one has no published configuration, so that it answers nobody.
        """
        if version is None:
            return await self._one_assistant(sql.SELECT_ASSISTANT, assistant_id)
        return await self._one_assistant(sql.SELECT_ASSISTANT_VERSION, assistant_id, version)

    async def newest(self, assistant_id: AssistantId) -> Assistant:
        """Return the assistant with its newest version, published or not. Raises NotFound, also when it is archived."""
        return await self._one_assistant(sql.SELECT_NEWEST_ASSISTANT, assistant_id)

    async def default_assistant(self) -> Assistant:
        """Return the tenant's default assistant. Raises NotFound."""
        return await self._one_assistant(sql.SELECT_DEFAULT_ASSISTANT, None)

    async def assistants(self) -> Sequence[Assistant]:
        """Return all assistants that answer, the default first."""
        rows = await self._database.fetch(self._tenant_id, AssistantRow, sql.SELECT_ASSISTANTS, {})
        return await all_opened(rows, self._opened)

    async def _one_assistant(
        self, statement: str, assistant_id: AssistantId | None, version: int | None = None
    ) -> Assistant:
        parameters = {"id": assistant_id, "version": version}
        row = await self._database.fetch_one(self._tenant_id, AssistantRow, statement, parameters)
        if row is None:
            raise NotFound("assistant", assistant_id or "")
        return await self._opened(row)

    async def _opened(self, row: AssistantRow) -> Assistant:
        token = None if row.access_token is None else await self._secrets.opened(row.access_token)
        return row.to_assistant(self._tenant_id, token)
