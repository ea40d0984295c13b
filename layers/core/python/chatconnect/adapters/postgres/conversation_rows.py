"""What the statements about conversations return, and the entities made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from chatconnect.adapters.postgres.configurations import controls_of
from chatconnect.domain.context import OfferedTool, PromptContext, ToolRound, ToolUse
from chatconnect.domain.conversation import (
    Branch,
    Citation,
    Conversation,
    Message,
    MessageStatus,
    Role,
    Sibling,
    State,
    Usage,
)
from chatconnect.domain.identifiers import (
    AssistantId,
    ConversationId,
    DocumentId,
    MessageId,
    TenantId,
    VersionId,
    VisitorId,
)
from chatconnect.domain.knowledge import Chunk
from chatconnect.domain.memory import Summary
from chatconnect.domain.moderation import ModerationResult


@dataclass(frozen=True, kw_only=True)
class ConversationRow:
    """A row of conversations."""

    tenant_id: UUID
    conversation_id: UUID
    assistant_id: UUID
    visitor_id: UUID | None
    state: str
    metadata: Mapping[str, str]
    opened_at: datetime
    changed_at: datetime
    forked_from: UUID | None
    controls: Mapping[str, Any]

    def to_conversation(self) -> Conversation:
        """Return the entity."""
        return Conversation(
            ConversationId(self.conversation_id),
            TenantId(self.tenant_id),
            AssistantId(self.assistant_id),
            self.opened_at,
            self.changed_at,
            VisitorId(self.visitor_id) if self.visitor_id else None,
            State(self.state),
            self.metadata,
            MessageId(self.forked_from) if self.forked_from else None,
            controls_of(self.controls),
        )


@dataclass(frozen=True, kw_only=True)
class MessageRow:
    """A row of messages."""

    id: UUID | None
    conversation_id: UUID
    parent_id: UUID | None
    role: str
    status: str
    text: str
    created_at: datetime
    completed_at: datetime | None
    provider: str | None
    model: str | None
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cost_microusd: int
    first_token_ms: int | None
    total_ms: int | None
    usage_estimated: bool
    moderation: Mapping[str, Sequence[str]] | None
    citations: Sequence[Mapping[str, Any]]
    finish_reason: str | None
    error_code: str | None
    trace_id: str | None
    assistant_version: int | None
    cache_write_tokens: int
    from_cache: bool
    timings: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class BranchRow:
    """A branch of a conversation."""

    leaf_id: UUID
    preview: str
    messages: int
    changed_at: datetime

    def to_branch(self) -> Branch:
        """Return the entity."""
        return Branch(MessageId(self.leaf_id), self.preview, self.messages, self.changed_at)


@dataclass(frozen=True, slots=True)
class SiblingRow:
    """A message that may stand beside others."""

    id: UUID
    parent_id: UUID | None
    status: str

    def to_sibling(self) -> Sibling:
        """Return the value."""
        parent_id = MessageId(self.parent_id) if self.parent_id else None
        return Sibling(MessageId(self.id), parent_id, MessageStatus(self.status))


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A row of conversation_summaries."""

    conversation_id: UUID
    last_message_id: UUID
    text: str
    model: str
    created_at: datetime

    def to_summary(self) -> Summary:
        """Return the entity."""
        return Summary(
            ConversationId(self.conversation_id),
            MessageId(self.last_message_id),
            self.text,
            self.model,
            self.created_at,
        )


@dataclass(frozen=True, slots=True)
class ContextRow:
    """What the prompt of an answer was made of."""

    context: Mapping[str, Any]

    def to_context(self) -> PromptContext:
        """Return the value."""
        data = self.context
        return PromptContext(
            company=data["company"],
            query=data["query"],
            history=tuple(MessageId(UUID(each)) for each in data["history"]),
            summary=MessageId(UUID(data["summary"])) if data["summary"] else None,
            passages=tuple(_chunk(each) for each in data["passages"]),
            controls=tuple(data["controls"]),
            rounds=tuple(_round(each) for each in data.get("rounds", ())),
            tools=tuple(OfferedTool(**each) for each in data.get("tools", ())),
        )


@dataclass(frozen=True, slots=True)
class RoundsRow:
    """What the tools of an answer did."""

    id: UUID
    rounds: Sequence[Mapping[str, Any]]

    def to_rounds(self) -> tuple[ToolRound, ...]:
        """Return the values."""
        return tuple(_round(each) for each in self.rounds)


@dataclass(frozen=True, kw_only=True)
class PathRow(ConversationRow, MessageRow):
    """A message with its conversation; `id` is null when there is no message."""


def message_of(row: MessageRow) -> Message:
    """Return the message in a row that has one."""
    return Message(
        MessageId(cast("UUID", row.id)),
        ConversationId(row.conversation_id),
        Role(row.role),
        row.text,
        row.created_at,
        MessageId(row.parent_id) if row.parent_id else None,
        MessageStatus(row.status),
        row.completed_at,
        row.provider,
        row.model,
        Usage(
            row.input_tokens,
            row.output_tokens,
            row.cached_tokens,
            row.cost_microusd,
            row.first_token_ms,
            row.total_ms,
            row.usage_estimated,
            row.cache_write_tokens,
            row.from_cache,
        ),
        tuple(_citation(each) for each in row.citations),
        row.finish_reason,
        row.error_code,
        row.trace_id,
        row.assistant_version,
        ModerationResult(*(tuple(row.moderation[part]) for part in ("input", "output"))) if row.moderation else None,
        row.timings,
    )


def _citation(data: Mapping[str, Any]) -> Citation:
    return Citation(**{**data, **_ids(data)})


def _round(data: Mapping[str, Any]) -> ToolRound:
    return ToolRound(data["said"], tuple(ToolUse(**use) for use in data["uses"]))


def _chunk(data: Mapping[str, Any]) -> Chunk:
    return Chunk(**{**data, **_ids(data), "headings": tuple(data["headings"])})


def _ids(data: Mapping[str, Any]) -> dict[str, UUID]:
    return {"document_id": DocumentId(UUID(data["document_id"])), "version_id": VersionId(UUID(data["version_id"]))}
