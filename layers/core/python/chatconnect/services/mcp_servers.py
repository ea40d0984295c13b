"""A tenant's MCP servers, as staff keep them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chatconnect.domain.addresses import check_https
from chatconnect.domain.errors import Conflict
from chatconnect.domain.identifiers import McpServerId, TenantId, new_id
from chatconnect.domain.mcp import McpServer
from chatconnect.domain.secret import Secret
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.mcp import McpConnections, McpServersOf
from chatconnect.ports.tools import ToolFailed
from chatconnect.services.changes import changing
from chatconnect.services.tools import filled_headers

MAX_SERVERS = 20


@dataclass(frozen=True, slots=True)
class McpServerDraft:
    """A server as it is asked for. A header without a value keeps the value that is stored."""

    name: str
    url: str
    headers: Mapping[str, Secret | None]
    enabled: bool = True


class McpLister:
    """Asks servers for their tools and keeps what comes of it."""

    def __init__(self, *, servers_of: McpServersOf, connections: McpConnections, epochs: Epochs, clock: Clock) -> None:
        self._servers_of, self._connections, self._epochs, self._clock = servers_of, connections, epochs, clock

    async def listed(self, server: McpServer) -> McpServer:
        """Return the server with what it offers now, or with why it did not say. Raises Unavailable."""
        try:
            checked = server.listed(await self._connections.listing(server))
        except ToolFailed as failure:
            checked = server.failed(str(failure), self._clock())
        servers = self._servers_of(server.tenant_id)
        if checked.tools == server.tools:
            await servers.save_listing(checked)
            return checked
        async with changing(self._epochs, server.tenant_id, Area.CONFIGURATION):
            await servers.save_listing(checked)
        return checked


class McpServerService:
    """Keeps the tenants' servers. `allow_http`: plain http addresses are taken, too."""

    def __init__(
        self, *, servers_of: McpServersOf, lister: McpLister, epochs: Epochs, clock: Clock, allow_http: bool = False
    ) -> None:
        self._servers_of, self._lister, self._epochs, self._clock = servers_of, lister, epochs, clock
        self._allow_http = allow_http

    async def servers(self, tenant_id: TenantId) -> Sequence[McpServer]:
        """Return the tenant's servers by name."""
        return await self._servers_of(tenant_id).list_all()

    async def server(self, tenant_id: TenantId, server_id: McpServerId) -> McpServer:
        """Return a server. Raises NotFound."""
        return await self._servers_of(tenant_id).get(server_id)

    async def add(self, tenant_id: TenantId, draft: McpServerDraft) -> McpServer:
        """Store a new server and ask for its tools. Raises Invalid, Conflict with "name_taken" or "too_many_servers".

        A server that does not answer is stored all the same, with its failure.
        """
        servers = self._servers_of(tenant_id)
        if await servers.count() >= MAX_SERVERS:
            raise Conflict(f"a company has at most {MAX_SERVERS} MCP servers", code="too_many_servers")
        check_https(draft.url, field="url", allow_http=self._allow_http)
        now = self._clock()
        server = McpServer(
            McpServerId(new_id()), tenant_id, draft.name, draft.url, now, now,
            filled_headers(draft.headers, draft.url), draft.enabled,
        )  # fmt: skip
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await servers.add(server)
        return await self._lister.listed(server) if server.enabled else server

    async def change(self, tenant_id: TenantId, server_id: McpServerId, draft: McpServerDraft) -> McpServer:
        """Store a server anew and ask for its tools. Raises NotFound, Invalid, Conflict with code "name_taken".

        Of another address nothing is known until it answers.
        """
        servers = self._servers_of(tenant_id)
        stored = await servers.get(server_id)
        check_https(draft.url, field="url", allow_http=self._allow_http)
        server = McpServer(
            server_id, tenant_id, draft.name, draft.url, stored.created_at, self._clock(),
            filled_headers(draft.headers, draft.url, stored), draft.enabled,
            stored.listing if stored.url == draft.url else None,
        )  # fmt: skip
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await servers.save(server)
        return await self._lister.listed(server) if server.enabled else server

    async def refresh(self, tenant_id: TenantId, server_id: McpServerId) -> McpServer:
        """Ask a server for its tools now. Raises NotFound; what goes wrong at the server is the result's failure."""
        return await self._lister.listed(await self._servers_of(tenant_id).get(server_id))

    async def delete(self, tenant_id: TenantId, server_id: McpServerId) -> None:
        """Remove a server. Raises NotFound."""
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await self._servers_of(tenant_id).delete(server_id)
