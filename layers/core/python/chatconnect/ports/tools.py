"""What a model may call while it answers, and where a tenant's own tools are kept."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from chatconnect.domain.identifiers import TenantId, ToolId
from chatconnect.domain.tool import HttpTool
from chatconnect.ports.models import ToolDefinition


class ToolFailed(Exception):
    """A tool could not do what it was asked; the message is for the model and holds nothing that is secret."""


class Tool(Protocol):
    """Something that a model may call."""

    @property
    def definition(self) -> ToolDefinition:
        """What the model is told of it."""
        ...

    async def call(self, arguments: Mapping[str, Any]) -> str:
        """Return the result as text for the model. `arguments` keep to the definition's schema. Raises ToolFailed."""
        ...


class HttpCalls(Protocol):
    """Calls the endpoints of tenants' tools; only public addresses are ever reached."""

    async def call(self, tool: HttpTool, arguments: Mapping[str, Any]) -> str:
        """Return the body of a good answer as text. Raises ToolFailed."""
        ...


class HttpTools(Protocol):
    """One tenant's own tools."""

    async def list_all(self) -> Sequence[HttpTool]:
        """Return all tools by name. Raises Unavailable."""
        ...

    async def count(self) -> int:
        """Return how many tools there are, without opening any secret."""
        ...

    async def get(self, tool_id: ToolId) -> HttpTool:
        """Return the tool. Raises NotFound."""
        ...

    async def enabled(self, names: Sequence[str]) -> Sequence[HttpTool]:
        """Return those of the names that there are and that are enabled, by name."""
        ...

    async def add(self, tool: HttpTool) -> None:
        """Store a new tool. Raises Conflict with code "name_taken"."""
        ...

    async def save(self, tool: HttpTool) -> None:
        """Store the tool in place of its earlier state. Raises NotFound, Conflict with code "name_taken"."""
        ...

    async def delete(self, tool_id: ToolId) -> None:
        """Remove the tool. Raises NotFound."""
        ...


HttpToolsOf = Callable[[TenantId], HttpTools]
