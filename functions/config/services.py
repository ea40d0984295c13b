"""The services of this function as dependencies of its routes."""

from typing import Annotated, cast

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


def _made(request: Request) -> ConfigServices:
    return cast("ConfigServices", request.app.state.services)


_Made = Annotated[ConfigServices, Depends(_made)]


def _sessions(made: _Made) -> SessionService:
    return made.people.sessions


def _audit(made: _Made) -> AuditService:
    return made.audit


def _accounts(made: _Made) -> AccountService:
    return made.people.own


def _members(made: _Made) -> MemberService:
    return made.people.members


def _invitations(made: _Made) -> InvitationService:
    return made.people.invitations


def _operators(made: _Made) -> OperatorService:
    return made.people.operators


def _prompts(made: _Made) -> PromptService:
    return made.prompts


def _conversations(made: _Made) -> ConversationService:
    return made.conversations


def _health(made: _Made) -> HealthService:
    return made.health()


def _tools(made: _Made) -> ToolService:
    return made.tools


def _widgets(made: _Made) -> WidgetService:
    return made.widgets


def _leads(made: _Made) -> LeadService:
    return made.leads


def _keys(made: _Made) -> KeyService:
    return made.keys


def _identities(made: _Made) -> IdentityService:
    return made.identities


def _assistants(made: _Made) -> AssistantService:
    return made.assistants


async def _model_trials(made: _Made) -> ModelTrialService:
    return await made.model_trials()


def _visitors(made: _Made) -> VisitorService:
    return made.visitors


def _mcp_servers(made: _Made) -> McpServerService:
    return made.mcp_servers


def _knowledge_sources(made: _Made) -> KnowledgeSourceService:
    return made.knowledge_sources


def _realtime_url(made: _Made) -> str:
    return made.realtime_url


def _data_rights(made: _Made) -> DataRightsService:
    return made.data_rights


def _retention(made: _Made) -> RetentionService:
    return made.retention


def _usage(made: _Made) -> UsageService:
    return made.usage


async def _tenants(made: _Made) -> TenantService:
    return await made.tenants()


async def _documents(made: _Made) -> DocumentService:
    return await made.documents()


async def _document_batches(made: _Made) -> DocumentBatchService:
    return DocumentBatchService(await made.documents())


async def _retrieval(made: _Made) -> RetrievalService:
    return await made.retrieval()


async def writing_reader(reader: CurrentReader, visitors: Annotated[VisitorService, Depends(_visitors)]) -> Reader:
    """Return the reader. Raises Forbidden with code "visitor_blocked" when it is a visitor who is blocked."""
    await visitors.check_may_write(reader)
    return reader


async def writing_visitor(visitor: CurrentVisitor, visitors: Annotated[VisitorService, Depends(_visitors)]) -> Visitor:
    """Return the visitor. Raises Forbidden with code "visitor_blocked" when they are blocked."""
    await visitors.check_may_write(Reader(visitor.tenant_id, visitor.visitor_id))
    return visitor


Keys = Annotated[KeyService, Depends(_keys)]
Widgets = Annotated[WidgetService, Depends(_widgets)]
Leads = Annotated[LeadService, Depends(_leads)]
Identities = Annotated[IdentityService, Depends(_identities)]
Assistants = Annotated[AssistantService, Depends(_assistants)]
ModelTrials = Annotated[ModelTrialService, Depends(_model_trials)]
Sessions = Annotated[SessionService, Depends(_sessions)]
Audit = Annotated[AuditService, Depends(_audit)]
Accounts = Annotated[AccountService, Depends(_accounts)]
Members = Annotated[MemberService, Depends(_members)]
Invitations = Annotated[InvitationService, Depends(_invitations)]
Operators = Annotated[OperatorService, Depends(_operators)]
Prompts = Annotated[PromptService, Depends(_prompts)]
Conversations = Annotated[ConversationService, Depends(_conversations)]
Health = Annotated[HealthService, Depends(_health)]
Tenants = Annotated[TenantService, Depends(_tenants)]
Tools = Annotated[ToolService, Depends(_tools)]
McpServers = Annotated[McpServerService, Depends(_mcp_servers)]
KnowledgeSources = Annotated[KnowledgeSourceService, Depends(_knowledge_sources)]
Visitors = Annotated[VisitorService, Depends(_visitors)]
WritingVisitor = Annotated[Visitor, Depends(writing_visitor)]
WritingReader = Annotated[Reader, Depends(writing_reader)]
RealtimeUrl = Annotated[str, Depends(_realtime_url)]
DataRights = Annotated[DataRightsService, Depends(_data_rights)]
Retentions = Annotated[RetentionService, Depends(_retention)]
Usage = Annotated[UsageService, Depends(_usage)]
Documents = Annotated[DocumentService, Depends(_documents)]
DocumentBatches = Annotated[DocumentBatchService, Depends(_document_batches)]
Retrieval = Annotated[RetrievalService, Depends(_retrieval)]
