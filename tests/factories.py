"""Things to test with: each factory makes a valid one, the arguments change what a test is about."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chatconnect.domain.assistant import Assistant, AssistantConfig
from chatconnect.domain.conversation import Conversation, Message, MessageStatus, Role, Turn, Usage
from chatconnect.domain.identifiers import (
    AccountId,
    AssistantId,
    ConversationId,
    DocumentId,
    KeyId,
    KnowledgeSourceId,
    McpServerId,
    MemberId,
    MessageId,
    TenantId,
    ToolId,
    VersionId,
    VisitorId,
    WidgetId,
    new_id,
)
from chatconnect.domain.keys import ApiKey, KeyKind
from chatconnect.domain.knowledge import Chunk, Document, Version
from chatconnect.domain.knowledge_source import KnowledgeSource
from chatconnect.domain.mcp import Listing, McpServer
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import Account, Member, StaffRole, Tenant
from chatconnect.domain.tool import HttpTool
from chatconnect.domain.widget import Widget, WidgetConfig
from chatconnect.ports.assistants import NewVersion
from chatconnect.ports.tenants import NewTenant

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)


def seconds(count: float) -> datetime:
    """The moment that many seconds after noon."""
    return NOON + timedelta(seconds=count)


def a_tenant(name: str = "Acme", *, email: str | None = None) -> NewTenant:
    """A tenant with owner, assistant, widget and keys, ready for `Accounts.open_tenant`."""
    tenant = Tenant(TenantId(new_id()), name, "free", NOON)
    account = Account(AccountId(new_id()), email or f"{tenant.id}@example.com", Secret("$argon2id$hash"))
    config = AssistantConfig(name=name, provider="offline", model="quotes")
    assistant = Assistant(AssistantId(new_id()), tenant.id, config, 1, True, NOON, NOON)
    return NewTenant(
        tenant,
        account,
        Member(MemberId(new_id()), tenant.id, account.id, StaffRole.OWNER),
        assistant,
        Widget(WidgetId(new_id()), tenant.id, assistant.id, name, WidgetConfig(), NOON),
        a_key(tenant.id, KeyKind.PUBLISHABLE),
        a_key(tenant.id, KeyKind.SECRET),
    )


def a_save(config: AssistantConfig, **changes: Any) -> NewVersion:
    """A save of an assistant's configuration."""
    return replace(NewVersion(config, "", seconds(5)), **changes)


def a_key(tenant_id: TenantId, kind: KeyKind = KeyKind.SECRET, **changes: Any) -> tuple[ApiKey, bytes]:
    """A key as it is stored, and its hash."""
    key = ApiKey(KeyId(new_id()), tenant_id, kind, "a key", f"{kind.value}...abcd", NOON)
    return replace(key, **changes), hashlib.sha256(key.id.bytes).digest()


def a_tool(tenant_id: TenantId, **changes: Any) -> HttpTool:
    """A tool that looks up an order."""
    parameters = {
        "type": "object",
        "properties": {"order": {"type": "string"}, "detail": {"type": "boolean"}},
        "required": ["order"],
        "additionalProperties": False,
    }
    tool = HttpTool(
        ToolId(new_id()), tenant_id, "orders", "Says where an order is.", parameters, "GET",
        "https://api.example.com/orders/{order}", NOON, NOON, {"authorization": Secret("Bearer very-secret")},
    )  # fmt: skip
    return replace(tool, **changes)


def an_mcp_server(tenant_id: TenantId, **changes: Any) -> McpServer:
    """A server that offers one tool."""
    schema = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
    listing = Listing.of([("find_order", "Says where an order is.", schema)], protocol="2025-11-25", at=NOON)
    server = McpServer(
        McpServerId(new_id()), tenant_id, "shop", "https://mcp.example.com/mcp", NOON, NOON,
        {"authorization": Secret("Bearer very-secret")}, listing=listing, checked_at=NOON,
    )  # fmt: skip
    return replace(server, **changes)


def a_knowledge_source(tenant_id: TenantId, **changes: Any) -> KnowledgeSource:
    """A knowledge base at Dify."""
    source = KnowledgeSource(
        KnowledgeSourceId(new_id()), tenant_id, "handbook", "dify", "https://dify.example.com/v1",
        "0b50716f-c66d-4c78-b088-2198fc12ae85", Secret("dataset-very-secret"), NOON, NOON,
    )  # fmt: skip
    return replace(source, **changes)


def a_document(tenant_id: TenantId, **changes: Any) -> Document:
    """A document whose first version was promised."""
    document_id = DocumentId(new_id())
    version = a_version(tenant_id, document_id)
    return replace(Document(document_id, tenant_id, "Prices", NOON, NOON, version), **changes)


def a_version(tenant_id: TenantId, document_id: DocumentId, number: int = 1) -> Version:
    """An upload of a document."""
    return Version(
        VersionId(new_id()), document_id, tenant_id, number, "prices.txt", "text/plain", 1_000, seconds(number)
    )


def a_chunk(version: Version, position: int = 0, text: str = "The pro plan costs 49 euros.") -> Chunk:
    """A chunk of a version."""
    start = position * 100
    return Chunk(
        version.document_id, version.id, "Prices", position, text, start, start + len(text), 1, ("Plans", "Pro")
    )


def a_conversation(tenant_id: TenantId, assistant_id: AssistantId, **changes: Any) -> Conversation:
    """A conversation with a visitor of its own."""
    conversation = Conversation(
        ConversationId(new_id()), tenant_id, assistant_id, NOON, NOON, VisitorId(new_id()), metadata={"page": "/prices"}
    )
    return replace(conversation, **changes)


def a_turn(
    conversation: Conversation,
    *,
    after: Turn | None = None,
    text: str = "What does it cost?",
    key: str | None = None,
    at: float = 0,
    opens: bool | None = None,
) -> Turn:
    """A question with its pending answer; `after` is the turn that it follows."""
    question = Message(
        MessageId(new_id()), conversation.id, Role.USER, text, seconds(at), after.answer.id if after else None,
        completed_at=seconds(at), trace_id="trace",
    )  # fmt: skip
    answer = Message(
        MessageId(new_id()), conversation.id, Role.ASSISTANT, "", seconds(at), question.id, MessageStatus.PENDING,
        provider="offline", model="quotes", trace_id="trace",
    )  # fmt: skip
    return Turn(conversation, question, answer, after is None if opens is None else opens, key)


def answered(turn: Turn, text: str = "49 euros. [1]", *, usage: Usage | None = None, **changes: Any) -> Turn:
    """The turn with its answer complete a second later."""
    answer = replace(
        turn.answer,
        text=text,
        status=MessageStatus.COMPLETE,
        completed_at=turn.answer.created_at + timedelta(seconds=1),
        usage=usage or Usage(100, 20, 10, 1_234, 150, 900),
        finish_reason="stop",
    )
    return replace(turn, answer=replace(answer, **changes))
