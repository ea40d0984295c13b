"""The tools of one answer: the knowledge search, the tenant's own, and those of its MCP servers."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatconnect.domain.assistant import AssistantConfig, Retrieval
from chatconnect.domain.composition import passage_as_data
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.knowledge import Passage
from chatconnect.domain.tool import SEARCH_KNOWLEDGE, HttpTool
from chatconnect.ports.models import ToolDefinition
from chatconnect.ports.tools import HttpCalls, HttpToolsOf, Tool
from chatconnect.services.mcp_tools import McpToolbox, McpTools
from chatconnect.services.retrieval import MAX_QUERY, RetrievalService

MAX_PASSAGES = 60  # of one answer, those that the question itself found among them

SEARCH_DEFINITION = ToolDefinition(
    SEARCH_KNOWLEDGE,
    "Search the company's documents. Use it when the passages at hand do not hold the answer; each search should be "
    "a complete question or statement. The result is further passages, to be cited by their numbers.",
    {
        "type": "object",
        "properties": {"query": {"type": "string", "minLength": 1, "maxLength": MAX_QUERY}},
        "required": ["query"],
        "additionalProperties": False,
    },
)


class Toolbox:
    """Gives an assistant the tools that its configuration names."""

    def __init__(self, *, retrieval: RetrievalService, tools_of: HttpToolsOf, http: HttpCalls, mcp: McpToolbox) -> None:
        self._retrieval, self._tools_of, self._http, self._mcp = retrieval, tools_of, http, mcp

    async def tools(self, tenant_id: TenantId, config: AssistantConfig, passages: list[Passage]) -> "Toolset":
        """Return the tools for one answer. What the search finds is added to `passages`, so that it can be cited.

        A name that nothing stands behind any more is passed over, and so is a server's tool that would be called like
        one of the tenant's own. Raises Unavailable.
        """
        tools: list[Tool] = []
        if SEARCH_KNOWLEDGE in config.tools:
            tools.append(KnowledgeSearch(self._retrieval, tenant_id, config.retrieval, passages))
        own, offered = await asyncio.gather(self._own(tenant_id, config), self._mcp.tools(tenant_id, config.tools))
        tools += own
        taken = {tool.definition.name for tool in tools}
        tools += [tool for tool in offered.tools if tool.definition.name not in taken]
        return Toolset(tools, offered)

    async def _own(self, tenant_id: TenantId, config: AssistantConfig) -> Sequence[Tool]:
        names = [name for name in config.tools if name != SEARCH_KNOWLEDGE and "/" not in name]
        declared = await self._tools_of(tenant_id).enabled(names) if names else ()
        return [CallableHttpTool(tool, self._http) for tool in declared]


@dataclass(frozen=True, slots=True)
class Toolset:
    """The tools of one answer, to be closed when it ends."""

    tools: list[Tool]
    offered: McpTools

    async def aclose(self) -> None:
        """End what was opened for the tools; takes no time."""
        self.offered.close()


class KnowledgeSearch:
    """Searches the tenant's knowledge; what it finds joins the answer's passages, each once."""

    definition = SEARCH_DEFINITION

    def __init__(
        self, retrieval: RetrievalService, tenant_id: TenantId, settings: Retrieval, passages: list[Passage]
    ) -> None:
        self._retrieval, self._tenant_id, self._settings = retrieval, tenant_id, settings
        self._passages = passages

    async def call(self, arguments: Mapping[str, Any]) -> str:
        """Return the passages with their numbers. Raises Invalid and Unavailable."""
        found = await self._retrieval.search(self._tenant_id, arguments["query"], self._settings)
        return "\n\n".join(self._numbered(found)) or "No passage of the company's documents matches this query."

    def _numbered(self, found: Sequence[Passage]) -> list[str]:
        known = {passage.chunk: number for number, passage in enumerate(self._passages, start=1)}
        texts = []
        for passage in found:
            number = known.get(passage.chunk)
            if number is None:
                if len(self._passages) >= MAX_PASSAGES:
                    break
                self._passages.append(passage)
                number = len(self._passages)
            texts.append(passage_as_data(number, passage))
        return texts


@dataclass(frozen=True, slots=True)
class CallableHttpTool:
    """A tenant's own tool, ready to be called."""

    tool: HttpTool
    http: HttpCalls

    @property
    def definition(self) -> ToolDefinition:
        """What the model is told of it."""
        return ToolDefinition(self.tool.name, self.tool.description, self.tool.parameters)

    async def call(self, arguments: Mapping[str, Any]) -> str:
        """Return the endpoint's answer. Raises ToolFailed."""
        return await self.http.call(self.tool, arguments)
