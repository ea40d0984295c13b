"""The tools of tenants' MCP servers, for the answers of assistants that name them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from chatconnect.domain.errors import Caught
from chatconnect.domain.identifiers import McpServerId, TenantId
from chatconnect.domain.mcp import McpServer, McpTool, wanted_tools
from chatconnect.ports.clock import Clock
from chatconnect.ports.faults import OnFault
from chatconnect.ports.mcp import McpConnections, McpServersOf, McpSession
from chatconnect.ports.models import ToolDefinition
from chatconnect.ports.tools import ToolFailed
from chatconnect.services.mcp_servers import McpLister

MAX_OFFERED = 100  # of one answer: providers take 128 tools, the tenant's own and the built-in ones among them


class McpToolbox:
    """Gives answers the servers' tools as they were last listed; asks for them anew only after an answer."""

    def __init__(
        self,
        *,
        servers_of: McpServersOf,
        connections: McpConnections,
        lister: McpLister,
        clock: Clock,
        on_fault: OnFault,
    ) -> None:
        self._servers_of, self._connections, self._lister = servers_of, connections, lister
        self._clock, self._on_fault = clock, on_fault
        self._listing: dict[McpServerId, asyncio.Task[None]] = {}

    async def tools(self, tenant_id: TenantId, names: Sequence[str]) -> "McpTools":
        """Return the tools that stand behind "server/tool" and "server/*"; other names are nothing to it.

        Raises Unavailable.
        """
        wanted = wanted_tools(names)
        servers = await self._servers_of(tenant_id).enabled(sorted(wanted)) if wanted else ()
        made = McpTools([], partial(self._answered, servers))
        for server in servers:
            session = self._connections.session(server)
            made.sessions.append(session)
            made.tools.extend(
                CallableMcpTool(server, tool, session, made.doubted) for tool in server.offered(wanted[server.name])
            )
        del made.tools[MAX_OFFERED:]
        return made

    async def aclose(self) -> None:
        """Give up the listings under way, before the process ends."""
        tasks = list(self._listing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _answered(self, servers: Sequence[McpServer], doubted: set[McpServerId]) -> None:
        now = self._clock()
        for server in servers:
            if server.is_due(now, doubted=server.id in doubted) and server.id not in self._listing:
                self._listing[server.id] = asyncio.create_task(self._list(server))

    async def _list(self, server: McpServer) -> None:
        try:
            # Nobody waits for this, and the next answer tries again.
            with Caught(partial(self._on_fault, "an MCP server's tools were not listed")):
                await self._lister.listed(server)
        finally:
            del self._listing[server.id]


@dataclass(frozen=True, slots=True)
class McpTools:
    """The servers' tools of one answer, with the sessions that they share."""

    tools: list["CallableMcpTool"]
    on_close: Callable[[set[McpServerId]], None]
    sessions: list[McpSession] = field(default_factory=list)
    doubted: set[McpServerId] = field(default_factory=set)

    def close(self) -> None:
        """End the sessions; whatever is old, or has failed, is listed anew in the background."""
        for session in self.sessions:
            session.close()
        self.on_close(self.doubted)


@dataclass(frozen=True, slots=True)
class CallableMcpTool:
    """A server's tool, ready to be called."""

    server: McpServer
    tool: McpTool
    session: McpSession
    doubted: set[McpServerId]

    @property
    def definition(self) -> ToolDefinition:
        """What the model is told of it."""
        return ToolDefinition(self.server.model_name(self.tool), self.tool.description, self.tool.parameters)

    async def call(self, arguments: Mapping[str, Any]) -> str:
        """Return the server's answer. Raises ToolFailed."""
        try:
            return await self.session.call(self.tool.name, arguments)
        except ToolFailed:
            self.doubted.add(self.server.id)  # the tool may have changed, or be gone
            raise
