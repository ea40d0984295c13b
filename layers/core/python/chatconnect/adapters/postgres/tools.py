"""One tenant's own tools in Postgres."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres.counts import counted
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.names import unique_name
from chatconnect.adapters.postgres.tenant_secrets import TenantSecrets, all_opened
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import TenantId, ToolId
from chatconnect.domain.tool import HttpTool
from chatconnect.ports.secrets import Encryption

_TOOLS = """
SELECT id, name, description, input_schema, method, endpoint, secret, enabled, created_at, updated_at
FROM tools WHERE tenant_id = %(tenant)s
"""
SELECT_TOOLS = f"{_TOOLS} ORDER BY name"
SELECT_TOOL = f"{_TOOLS} AND id = %(id)s"
SELECT_ENABLED = f"{_TOOLS} AND enabled AND name = ANY(%(names)s) ORDER BY name"
INSERT_TOOL = """
INSERT INTO tools (tenant_id, id, name, description, input_schema, method, endpoint, secret, secret_key, enabled,
                   created_at, updated_at)
VALUES (%(tenant)s, %(id)s, %(name)s, %(description)s, %(parameters)s, %(method)s, %(url)s, %(secret)s, %(secret_key)s,
        %(enabled)s, %(created_at)s, %(updated_at)s)
"""
UPDATE_TOOL = """
UPDATE tools
SET name = %(name)s, description = %(description)s, input_schema = %(parameters)s, method = %(method)s,
    endpoint = %(url)s, secret = %(secret)s, secret_key = %(secret_key)s, enabled = %(enabled)s,
    updated_at = %(updated_at)s
WHERE tenant_id = %(tenant)s AND id = %(id)s
"""
DELETE_TOOL = "DELETE FROM tools WHERE tenant_id = %(tenant)s AND id = %(id)s"


@dataclass(frozen=True, slots=True)
class ToolRow:
    """A row of tools; `secret` is the sealed JSON object of its headers."""

    id: UUID
    name: str
    description: str
    input_schema: Mapping[str, Any]
    method: str
    endpoint: str
    secret: bytes | None
    enabled: bool
    created_at: datetime
    updated_at: datetime


class PostgresHttpTools:
    """One tenant's tools. `encryption` seals their headers, together."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId, *, encryption: Encryption) -> None:
        self._database, self._tenant_id = database, tenant_id
        self._secrets = TenantSecrets(encryption, tenant_id)

    async def list_all(self) -> Sequence[HttpTool]:
        """Return all tools by name."""
        rows = await self._database.fetch(self._tenant_id, ToolRow, SELECT_TOOLS, {})
        return await all_opened(rows, self._opened)

    async def count(self) -> int:
        """Return how many tools there are, without opening any secret."""
        return await counted(self._database, self._tenant_id, "tools")

    async def get(self, tool_id: ToolId) -> HttpTool:
        """Return the tool. Raises NotFound."""
        row = await self._database.fetch_one(self._tenant_id, ToolRow, SELECT_TOOL, {"id": tool_id})
        if row is None:
            raise NotFound("tool", tool_id)
        return await self._opened(row)

    async def enabled(self, names: Sequence[str]) -> Sequence[HttpTool]:
        """Return those of the names that there are and that are enabled, by name."""
        rows = await self._database.fetch(self._tenant_id, ToolRow, SELECT_ENABLED, {"names": list(names)})
        return await all_opened(rows, self._opened)

    async def add(self, tool: HttpTool) -> None:
        """Store a new tool. Raises Conflict with code "name_taken"."""
        parameters = await self._parameters(tool)
        with unique_name("tools", "a tool", tool.name):
            await self._database.run(self._tenant_id, INSERT_TOOL, parameters)

    async def save(self, tool: HttpTool) -> None:
        """Store the tool in place of its earlier state. Raises NotFound, Conflict with code "name_taken"."""
        parameters = await self._parameters(tool)
        with unique_name("tools", "a tool", tool.name):
            if not await self._database.run(self._tenant_id, UPDATE_TOOL, parameters):
                raise NotFound("tool", tool.id)

    async def delete(self, tool_id: ToolId) -> None:
        """Remove the tool. Raises NotFound."""
        if not await self._database.run(self._tenant_id, DELETE_TOOL, {"id": tool_id}):
            raise NotFound("tool", tool_id)

    async def _parameters(self, tool: HttpTool) -> dict[str, object]:
        sealed, key_id = await self._secrets.sealed_headers(tool.headers)
        return {
            "id": tool.id,
            "name": tool.name,
            "description": tool.description,
            "parameters": Jsonb(tool.parameters),
            "method": tool.method,
            "url": tool.url,
            "secret": sealed,
            "secret_key": key_id,
            "enabled": tool.enabled,
            "created_at": tool.created_at,
            "updated_at": tool.updated_at,
        }

    async def _opened(self, row: ToolRow) -> HttpTool:
        return HttpTool(
            id=ToolId(row.id),
            tenant_id=self._tenant_id,
            name=row.name,
            description=row.description,
            parameters=row.input_schema,
            method=row.method,
            url=row.endpoint,
            created_at=row.created_at,
            updated_at=row.updated_at,
            headers=await self._secrets.opened_headers(row.secret),
            enabled=row.enabled,
        )
