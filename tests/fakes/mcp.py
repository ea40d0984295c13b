"""A tenant's MCP servers in memory, and servers that answer as told."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import McpServerId, TenantId
from chatconnect.domain.mcp import Listing, McpServer
from chatconnect.ports.tools import ToolFailed
from tests.factories import NOON

StoredMcpServers = dict[tuple[TenantId, McpServerId], McpServer]


class MemoryMcpServers:
    """One tenant's servers."""

    def __init__(self, stored: StoredMcpServers, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def list_all(self) -> Sequence[McpServer]:
        own = [server for (tenant, _), server in self._stored.items() if tenant == self._tenant_id]
        return sorted(own, key=lambda server: server.name)

    async def count(self) -> int:
        return len(await self.list_all())

    async def get(self, server_id: McpServerId) -> McpServer:
        if (self._tenant_id, server_id) not in self._stored:
            raise NotFound("MCP server", server_id)
        return self._stored[self._tenant_id, server_id]

    async def enabled(self, names: Sequence[str]) -> Sequence[McpServer]:
        return [server for server in await self.list_all() if server.enabled and server.name in names]

    async def add(self, server: McpServer) -> None:
        await self._check_name(server)
        self._stored[self._tenant_id, server.id] = server

    async def save(self, server: McpServer) -> None:
        await self.get(server.id)
        await self._check_name(server)
        self._stored[self._tenant_id, server.id] = server

    async def save_listing(self, server: McpServer) -> None:
        stored = self._stored.get((self._tenant_id, server.id))
        if stored is not None and stored.updated_at == server.updated_at:
            self._stored[self._tenant_id, server.id] = server

    async def delete(self, server_id: McpServerId) -> None:
        await self.get(server_id)
        del self._stored[self._tenant_id, server_id]

    async def _check_name(self, server: McpServer) -> None:
        if any(other.name == server.name and other.id != server.id for other in await self.list_all()):
            raise Conflict("there is an MCP server with this name", code="name_taken")


class ScriptedMcp:
    """Servers by name: what they offer, and what their tools say; None is a failure."""

    def __init__(self) -> None:
        self.offers: dict[str, list[tuple[str, str, dict[str, Any]]] | None] = {}
        self.answers: dict[str, str] = {}
        self.calls: list[tuple[str, str, Mapping[str, Any]]] = []
        self.listed: list[str] = []
        self.opened = self.closed = 0
        self.now: datetime = NOON

    async def listing(self, server: McpServer) -> Listing:
        self.listed.append(server.name)
        offered = self.offers.get(server.name)
        if offered is None:
            raise ToolFailed("the server could not be reached, or broke off")
        return Listing.of(offered, protocol="2025-11-25", at=self.now)

    def session(self, server: McpServer) -> "ScriptedSession":
        self.opened += 1
        return ScriptedSession(self, server)


class ScriptedSession:
    def __init__(self, mcp: ScriptedMcp, server: McpServer) -> None:
        self._mcp, self._server = mcp, server

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> str:
        self._mcp.calls.append((self._server.name, tool, arguments))
        if tool not in self._mcp.answers:
            raise ToolFailed("the server answered with status 500")
        return self._mcp.answers[tool]

    def close(self) -> None:
        self._mcp.closed += 1
