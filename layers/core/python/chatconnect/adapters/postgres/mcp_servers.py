"""One tenant's MCP servers in Postgres."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres.counts import counted
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.names import unique_name
from chatconnect.adapters.postgres.tenant_secrets import TenantSecrets, all_opened
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import McpServerId, TenantId
from chatconnect.domain.mcp import Listing, McpServer, McpTool
from chatconnect.ports.secrets import Encryption

_SERVERS = """
SELECT id, name, url, secret, enabled, listing, checked_at, failure, created_at, updated_at
FROM mcp_servers WHERE tenant_id = %(tenant)s
"""
SELECT_SERVERS = f"{_SERVERS} ORDER BY name"
SELECT_SERVER = f"{_SERVERS} AND id = %(id)s"
SELECT_ENABLED = f"{_SERVERS} AND enabled AND name = ANY(%(names)s) ORDER BY name"
INSERT_SERVER = """
INSERT INTO mcp_servers (tenant_id, id, name, url, secret, secret_key, enabled, listing, checked_at, failure,
                         created_at, updated_at)
VALUES (%(tenant)s, %(id)s, %(name)s, %(url)s, %(secret)s, %(secret_key)s, %(enabled)s, %(listing)s, %(checked_at)s,
        %(failure)s, %(created_at)s, %(updated_at)s)
"""
UPDATE_SERVER = """
UPDATE mcp_servers
SET name = %(name)s, url = %(url)s, secret = %(secret)s, secret_key = %(secret_key)s, enabled = %(enabled)s,
    listing = %(listing)s, checked_at = %(checked_at)s, failure = %(failure)s, updated_at = %(updated_at)s
WHERE tenant_id = %(tenant)s AND id = %(id)s
"""
UPDATE_LISTING = """
UPDATE mcp_servers SET listing = %(listing)s, checked_at = %(checked_at)s, failure = %(failure)s
WHERE tenant_id = %(tenant)s AND id = %(id)s AND updated_at = %(updated_at)s
"""
DELETE_SERVER = "DELETE FROM mcp_servers WHERE tenant_id = %(tenant)s AND id = %(id)s"


@dataclass(frozen=True, slots=True)
class McpServerRow:
    """A row of mcp_servers; `secret` is the sealed JSON object of its headers."""

    id: UUID
    name: str
    url: str
    secret: bytes | None
    enabled: bool
    listing: Mapping[str, Any] | None
    checked_at: datetime | None
    failure: str | None
    created_at: datetime
    updated_at: datetime


class PostgresMcpServers:
    """One tenant's servers. `encryption` seals their headers, together."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId, *, encryption: Encryption) -> None:
        self._database, self._tenant_id = database, tenant_id
        self._secrets = TenantSecrets(encryption, tenant_id)

    async def list_all(self) -> Sequence[McpServer]:
        """Return all servers by name."""
        rows = await self._database.fetch(self._tenant_id, McpServerRow, SELECT_SERVERS, {})
        return await all_opened(rows, self._opened)

    async def count(self) -> int:
        """Return how many servers there are, without opening any secret."""
        return await counted(self._database, self._tenant_id, "mcp_servers")

    async def get(self, server_id: McpServerId) -> McpServer:
        """Return the server. Raises NotFound."""
        row = await self._database.fetch_one(self._tenant_id, McpServerRow, SELECT_SERVER, {"id": server_id})
        if row is None:
            raise NotFound("MCP server", server_id)
        return await self._opened(row)

    async def enabled(self, names: Sequence[str]) -> Sequence[McpServer]:
        """Return those of the names that there are and that are enabled, by name."""
        rows = await self._database.fetch(self._tenant_id, McpServerRow, SELECT_ENABLED, {"names": list(names)})
        return await all_opened(rows, self._opened)

    async def add(self, server: McpServer) -> None:
        """Store a new server. Raises Conflict with code "name_taken"."""
        parameters = await self._parameters(server)
        with unique_name("mcp_servers", "an MCP server", server.name):
            await self._database.run(self._tenant_id, INSERT_SERVER, parameters)

    async def save(self, server: McpServer) -> None:
        """Store the server in place of its earlier state. Raises NotFound, Conflict with code "name_taken"."""
        parameters = await self._parameters(server)
        with unique_name("mcp_servers", "an MCP server", server.name):
            if not await self._database.run(self._tenant_id, UPDATE_SERVER, parameters):
                raise NotFound("MCP server", server.id)

    async def save_listing(self, server: McpServer) -> None:
        """Store what is known of the server's tools, unless the server was changed or removed since it was read."""
        parameters = {"id": server.id, "updated_at": server.updated_at, **_known(server)}
        await self._database.run(self._tenant_id, UPDATE_LISTING, parameters)

    async def delete(self, server_id: McpServerId) -> None:
        """Remove the server. Raises NotFound."""
        if not await self._database.run(self._tenant_id, DELETE_SERVER, {"id": server_id}):
            raise NotFound("MCP server", server_id)

    async def _parameters(self, server: McpServer) -> dict[str, object]:
        sealed, key_id = await self._secrets.sealed_headers(server.headers)
        return {
            "id": server.id,
            "name": server.name,
            "url": server.url,
            "secret": sealed,
            "secret_key": key_id,
            "enabled": server.enabled,
            "created_at": server.created_at,
            "updated_at": server.updated_at,
            **_known(server),
        }

    async def _opened(self, row: McpServerRow) -> McpServer:
        return McpServer(
            id=McpServerId(row.id),
            tenant_id=self._tenant_id,
            name=row.name,
            url=row.url,
            created_at=row.created_at,
            updated_at=row.updated_at,
            headers=await self._secrets.opened_headers(row.secret),
            enabled=row.enabled,
            listing=_listing(row.listing) if row.listing is not None else None,
            checked_at=row.checked_at,
            failure=row.failure,
        )


def _known(server: McpServer) -> dict[str, object]:
    listing = Jsonb(asdict(server.listing)) if server.listing is not None else None
    return {"listing": listing, "checked_at": server.checked_at, "failure": server.failure}


def _listing(stored: Mapping[str, Any]) -> Listing:
    tools = tuple(McpTool(tool["name"], tool["description"], tool["parameters"]) for tool in stored["tools"])
    return Listing(stored["protocol"], tools, datetime.fromisoformat(stored["at"]), stored["left_out"])
