"""The services of this function as dependencies of its routes."""

from typing import Annotated, cast

from fastapi import Depends, Request

from chatconnect.domain.principals import Reader
from chatconnect.http.authentication import CurrentReader
from chatconnect.services.access import AccessService
from chatconnect.services.composing import PromptService
from chatconnect.services.conversations import ConversationService
from chatconnect.services.documents import DocumentService
from chatconnect.services.health import HealthService
from chatconnect.services.knowledge_sources import KnowledgeSourceService
from chatconnect.services.mcp_servers import McpServerService
from chatconnect.services.retrieval import RetrievalService
from chatconnect.services.tenants import TenantService
from chatconnect.services.tools import ToolService
from chatconnect.services.usage import UsageService
from chatconnect.services.visitors import VisitorService
from functions.config.wiring import ConfigServices


def _made(request: Request) -> ConfigServices:
    return cast("ConfigServices", request.app.state.services)


_Made = Annotated[ConfigServices, Depends(_made)]


def _access(made: _Made) -> AccessService:
    return made.access


def _prompts(made: _Made) -> PromptService:
    return made.prompts


def _conversations(made: _Made) -> ConversationService:
    return made.conversations


def _health(made: _Made) -> HealthService:
    return made.health()


def _tools(made: _Made) -> ToolService:
    return made.tools


def _visitors(made: _Made) -> VisitorService:
    return made.visitors


def _mcp_servers(made: _Made) -> McpServerService:
    return made.mcp_servers


def _knowledge_sources(made: _Made) -> KnowledgeSourceService:
    return made.knowledge_sources


def _usage(made: _Made) -> UsageService:
    return made.usage


async def _tenants(made: _Made) -> TenantService:
    return await made.tenants()


async def _documents(made: _Made) -> DocumentService:
    return await made.documents()


async def _retrieval(made: _Made) -> RetrievalService:
    return await made.retrieval()


async def writing_reader(reader: CurrentReader, visitors: Annotated[VisitorService, Depends(_visitors)]) -> Reader:
    """Return the reader. Raises Forbidden with code "visitor_blocked" when it is a visitor who is blocked."""
    await visitors.check_may_write(reader)
    return reader


Access = Annotated[AccessService, Depends(_access)]
Prompts = Annotated[PromptService, Depends(_prompts)]
Conversations = Annotated[ConversationService, Depends(_conversations)]
Health = Annotated[HealthService, Depends(_health)]
Tenants = Annotated[TenantService, Depends(_tenants)]
Tools = Annotated[ToolService, Depends(_tools)]
McpServers = Annotated[McpServerService, Depends(_mcp_servers)]
KnowledgeSources = Annotated[KnowledgeSourceService, Depends(_knowledge_sources)]
Visitors = Annotated[VisitorService, Depends(_visitors)]
WritingReader = Annotated[Reader, Depends(writing_reader)]
Usage = Annotated[UsageService, Depends(_usage)]
Documents = Annotated[DocumentService, Depends(_documents)]
Retrieval = Annotated[RetrievalService, Depends(_retrieval)]
