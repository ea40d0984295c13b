"""Where a tenant's MCP servers are kept, and how they are reached."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from chatconnect.domain.identifiers import McpServerId, TenantId
from chatconnect.domain.mcp import Listing, McpServer


class McpSession(Protocol):
    """A connection to one server for one answer; made at the first call."""

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """Return what the server's tool of this name says, as text. Raises ToolFailed."""
        ...

    def close(self) -> None:
        """End the connection, without waiting for it."""
        ...


class McpConnections(Protocol):
    """Reaches tenants' servers; only public addresses are ever connected to."""

    async def listing(self, server: McpServer) -> Listing:
        """Ask for the server's tools. Raises ToolFailed, whose words may be shown to the tenant's staff."""
        ...

    def session(self, server: McpServer) -> McpSession:
        """Return a session, which connects nothing yet."""
        ...


class McpServers(Protocol):
    """One tenant's MCP servers."""

    async def list_all(self) -> Sequence[McpServer]:
        """Return all servers by name. Raises Unavailable."""
        ...

    async def count(self) -> int:
        """Return how many servers there are, without opening any secret."""
        ...

    async def get(self, server_id: McpServerId) -> McpServer:
        """Return the server. Raises NotFound."""
        ...

    async def enabled(self, names: Sequence[str]) -> Sequence[McpServer]:
        """Return those of the names that there are and that are enabled, by name."""
        ...

    async def add(self, server: McpServer) -> None:
        """Store a new server. Raises Conflict with code "name_taken"."""
        ...

    async def save(self, server: McpServer) -> None:
        """Store the server in place of its earlier state. Raises NotFound, Conflict with code "name_taken"."""
        ...

    async def save_listing(self, server: McpServer) -> None:
        """Store what is known of the server's tools, unless the server was changed or removed since it was read."""
        ...

    async def delete(self, server_id: McpServerId) -> None:
        """Remove the server. Raises NotFound."""
        ...


McpServersOf = Callable[[TenantId], McpServers]
