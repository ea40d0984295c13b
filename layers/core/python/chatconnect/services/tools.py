"""A tenant's own tools, as staff keep them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatconnect.domain.addresses import check_https, origin_of
from chatconnect.domain.errors import Conflict, Invalid
from chatconnect.domain.identifiers import TenantId, ToolId, new_id
from chatconnect.domain.mcp import McpServer
from chatconnect.domain.secret import Secret
from chatconnect.domain.tool import HttpTool
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.tools import HttpToolsOf
from chatconnect.services.changes import changing

MAX_TOOLS = 50


@dataclass(frozen=True, slots=True)
class ToolDraft:
    """A tool as it is asked for. A header without a value keeps the value that is stored."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    method: str
    url: str
    headers: Mapping[str, Secret | None]
    enabled: bool = True


class ToolService:
    """Keeps the tenants' tools. `allow_http`: plain http addresses are taken, too."""

    def __init__(self, *, tools_of: HttpToolsOf, epochs: Epochs, clock: Clock, allow_http: bool = False) -> None:
        self._tools_of, self._epochs, self._clock, self._allow_http = tools_of, epochs, clock, allow_http

    async def tools(self, tenant_id: TenantId) -> Sequence[HttpTool]:
        """Return the tenant's tools by name."""
        return await self._tools_of(tenant_id).list_all()

    async def add(self, tenant_id: TenantId, draft: ToolDraft) -> HttpTool:
        """Store a new tool. Raises Invalid, Conflict with code "name_taken" or "too_many_tools"."""
        tools = self._tools_of(tenant_id)
        if await tools.count() >= MAX_TOOLS:
            raise Conflict(f"a company has at most {MAX_TOOLS} tools", code="too_many_tools")
        check_https(draft.url, field="url", allow_http=self._allow_http)
        now = self._clock()
        tool = HttpTool(
            ToolId(new_id()), tenant_id, draft.name, draft.description, draft.parameters, draft.method,
            draft.url, now, now, filled_headers(draft.headers, draft.url), draft.enabled,
        )  # fmt: skip
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await tools.add(tool)
        return tool

    async def change(self, tenant_id: TenantId, tool_id: ToolId, draft: ToolDraft) -> HttpTool:
        """Store a tool anew. Raises NotFound, Invalid, Conflict with code "name_taken"."""
        tools = self._tools_of(tenant_id)
        stored = await tools.get(tool_id)
        check_https(draft.url, field="url", allow_http=self._allow_http)
        tool = HttpTool(
            tool_id, tenant_id, draft.name, draft.description, draft.parameters, draft.method,
            draft.url, stored.created_at, self._clock(), filled_headers(draft.headers, draft.url, stored),
            draft.enabled,
        )  # fmt: skip
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await tools.save(tool)
        return tool

    async def delete(self, tenant_id: TenantId, tool_id: ToolId) -> None:
        """Remove a tool. Raises NotFound."""
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await self._tools_of(tenant_id).delete(tool_id)


def filled_headers(
    wanted: Mapping[str, Secret | None], url: str, stored: HttpTool | McpServer | None = None
) -> dict[str, Secret]:
    """Return the wanted headers of an address, those without a value with the stored one. Raises Invalid without one.

    Another origin gets none of the stored values: they were not meant for it.
    """
    kept = stored.headers if stored is not None and stored.origin == origin_of(url) else {}
    known = {name.lower(): value for name, value in kept.items()}
    headers = {name: value or known.get(name.lower()) for name, value in wanted.items()}
    for name, value in headers.items():
        if value is None:
            raise Invalid("a new header needs its value", details={"field": f"headers.{name[:64]}"})
    return {name: value for name, value in headers.items() if value is not None}
