"""The services of this function as dependencies of its routes."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from chatconnect.domain.principals import Reader, Visitor
from chatconnect.http.authentication import CurrentReader, CurrentVisitor
from chatconnect.services.accounts import AccountService
from chatconnect.services.assistants import AssistantService
from chatconnect.services.audit import AuditService
from chatconnect.services.composing import PromptService
from chatconnect.services.conversations import ConversationService
from chatconnect.services.data_rights import DataRightsService
from chatconnect.services.document_batches import DocumentBatchService
from chatconnect.services.documents import DocumentService
from chatconnect.services.health import HealthService
from chatconnect.services.identities import IdentityService
from chatconnect.services.keys import KeyService
from chatconnect.services.knowledge_sources import KnowledgeSourceService
from chatconnect.services.mcp_servers import McpServerService
from chatconnect.services.members import InvitationService, MemberService
from chatconnect.services.model_trials import ModelTrialService
from chatconnect.services.operators import OperatorService
from chatconnect.services.retention import RetentionService
from chatconnect.services.retrieval import RetrievalService
from chatconnect.services.sessions import SessionService
from chatconnect.services.tenants import TenantService
from chatconnect.services.tools import ToolService
from chatconnect.services.usage import UsageService
from chatconnect.services.visitors import VisitorService
from chatconnect.services.widgets import LeadService, WidgetService
from functions.config.wiring import ConfigServices

Made = TypeVar("Made")


def _of(choose: Callable[[ConfigServices], Made]) -> Callable[[Request], Awaitable[Made]]:
    """Return a dependency that gives one of the services. A coroutine: for a plain function FastAPI takes a thread."""

    async def chosen(request: Request) -> Made:
        return choose(request.app.state.services)

    return chosen


def _made_by(make: Callable[[ConfigServices], Awaitable[Made]]) -> Callable[[Request], Awaitable[Made]]:
    """Return a dependency that gives a service which is made when it is asked for."""

    async def made(request: Request) -> Made:
        return await make(request.app.state.services)

    return made


Accounts = Annotated[AccountService, Depends(_of(lambda made: made.people.own))]
Assistants = Annotated[AssistantService, Depends(_of(lambda made: made.assistants))]
Audit = Annotated[AuditService, Depends(_of(lambda made: made.audit))]
Conversations = Annotated[ConversationService, Depends(_of(lambda made: made.conversations))]
DataRights = Annotated[DataRightsService, Depends(_of(lambda made: made.data_rights))]
DocumentBatches = Annotated[DocumentBatchService, Depends(_of(lambda made: made.document_batches))]
Documents = Annotated[DocumentService, Depends(_of(lambda made: made.documents))]
Health = Annotated[HealthService, Depends(_of(lambda made: made.health))]
Identities = Annotated[IdentityService, Depends(_of(lambda made: made.identities))]
Invitations = Annotated[InvitationService, Depends(_of(lambda made: made.people.invitations))]
Keys = Annotated[KeyService, Depends(_of(lambda made: made.keys))]
KnowledgeSources = Annotated[KnowledgeSourceService, Depends(_of(lambda made: made.knowledge_sources))]
Leads = Annotated[LeadService, Depends(_of(lambda made: made.leads))]
McpServers = Annotated[McpServerService, Depends(_of(lambda made: made.mcp_servers))]
Members = Annotated[MemberService, Depends(_of(lambda made: made.people.members))]
ModelTrials = Annotated[ModelTrialService, Depends(_made_by(lambda made: made.model_trials()))]
Operators = Annotated[OperatorService, Depends(_of(lambda made: made.people.operators))]
Prompts = Annotated[PromptService, Depends(_of(lambda made: made.prompts))]
RealtimeUrl = Annotated[str, Depends(_of(lambda made: made.realtime_url))]
Retentions = Annotated[RetentionService, Depends(_of(lambda made: made.retention))]
Retrieval = Annotated[RetrievalService, Depends(_made_by(lambda made: made.retrieval()))]
Sessions = Annotated[SessionService, Depends(_of(lambda made: made.people.sessions))]
Tenants = Annotated[TenantService, Depends(_of(lambda made: made.tenants))]
Tools = Annotated[ToolService, Depends(_of(lambda made: made.tools))]
Usage = Annotated[UsageService, Depends(_of(lambda made: made.usage))]
Visitors = Annotated[VisitorService, Depends(_of(lambda made: made.visitors))]
Widgets = Annotated[WidgetService, Depends(_of(lambda made: made.widgets))]


async def writing_reader(reader: CurrentReader, visitors: Visitors) -> Reader:
    """Return the reader. Raises Forbidden with code "visitor_blocked" when it is a visitor who is blocked."""
    await visitors.check_may_write(reader)
    return reader


async def writing_visitor(visitor: CurrentVisitor, visitors: Visitors) -> Visitor:
    """Return the visitor. Raises Forbidden with code "visitor_blocked" when they are blocked."""
    await visitors.check_may_write(Reader(visitor.tenant_id, visitor.visitor_id))
    return visitor


WritingReader = Annotated[Reader, Depends(writing_reader)]
WritingVisitor = Annotated[Visitor, Depends(writing_visitor)]
