"""A tenant's own tools in memory, and endpoints that answer as told."""

from collections.abc import Mapping, Sequence
from typing import Any

from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import TenantId, ToolId
from chatconnect.domain.tool import HttpTool
from chatconnect.ports.tools import ToolFailed

StoredTools = dict[tuple[TenantId, ToolId], HttpTool]


class MemoryHttpTools:
    """One tenant's tools."""

    def __init__(self, stored: StoredTools, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def list_all(self) -> Sequence[HttpTool]:
        own = [tool for (tenant, _), tool in self._stored.items() if tenant == self._tenant_id]
        return sorted(own, key=lambda tool: tool.name)

    async def count(self) -> int:
        return len(await self.list_all())

    async def get(self, tool_id: ToolId) -> HttpTool:
        if (self._tenant_id, tool_id) not in self._stored:
            raise NotFound("tool", tool_id)
        return self._stored[self._tenant_id, tool_id]

    async def enabled(self, names: Sequence[str]) -> Sequence[HttpTool]:
        return [tool for tool in await self.list_all() if tool.enabled and tool.name in names]

    async def add(self, tool: HttpTool) -> None:
        await self._check_name(tool)
        self._stored[self._tenant_id, tool.id] = tool

    async def save(self, tool: HttpTool) -> None:
        await self.get(tool.id)
        await self._check_name(tool)
        self._stored[self._tenant_id, tool.id] = tool

    async def delete(self, tool_id: ToolId) -> None:
        await self.get(tool_id)
        del self._stored[self._tenant_id, tool_id]

    async def _check_name(self, tool: HttpTool) -> None:
        if any(other.name == tool.name and other.id != tool.id for other in await self.list_all()):
            raise Conflict("there is a tool with this name", code="name_taken")


class AnsweringEndpoints:
    """Answers each tool's calls with the text under its name, or fails."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    async def call(self, tool: HttpTool, arguments: Mapping[str, Any]) -> str:
        self.calls.append((tool.name, arguments))
        if tool.name not in self.answers:
            raise ToolFailed("the endpoint answered with status 500")
        return self.answers[tool.name]
