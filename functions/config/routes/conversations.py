"""Conversations: a visitor reads their own, staff read all of the tenant's; and feedback on answers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chatconnect.domain.conversation import Conversation, Feedback, Message
from chatconnect.domain.identifiers import ConversationId, MessageId
from chatconnect.http.answers import CitationBody, UsageBody
from chatconnect.http.authentication import CurrentReader
from chatconnect.http.errors import responses
from functions.config.services import Conversations

router = APIRouter(prefix="/v1", tags=["conversations"])


class ConversationBody(BaseModel):
    """A conversation without its messages."""

    id: UUID
    assistant_id: UUID
    state: str
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, conversation: Conversation) -> "ConversationBody":
        """Return the body that shows a conversation."""
        return cls(
            id=conversation.id,
            assistant_id=conversation.assistant_id,
            state=conversation.state.value,
            metadata=dict(conversation.metadata),
            created_at=conversation.created_at,
            updated_at=conversation.updated_at,
        )


class MessageBody(BaseModel):
    """A message. An answer has a model, usage and citations; `status` is pending, complete, partial or failed."""

    id: UUID
    parent_id: UUID | None
    role: str
    text: str
    status: str
    created_at: datetime
    completed_at: datetime | None
    model: str | None
    citations: list[CitationBody]
    usage: UsageBody
    finish_reason: str | None
    error_code: str | None
    trace_id: str | None

    @classmethod
    def of(cls, message: Message) -> "MessageBody":
        """Return the body that shows a message."""
        usage = message.usage
        return cls(
            id=message.id,
            parent_id=message.parent_id,
            role=message.role.value,
            text=message.text,
            status=message.status.value,
            created_at=message.created_at,
            completed_at=message.completed_at,
            model=message.model,
            citations=[
                CitationBody(
                    marker=citation.marker,
                    document_id=citation.document_id,
                    title=citation.title,
                    page=citation.page,
                    quote=citation.quote,
                    start=citation.start,
                    end=citation.end,
                )
                for citation in message.citations
            ],
            usage=UsageBody(
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cached_tokens=usage.cached_tokens,
                cost_microusd=usage.cost_microusd,
                first_token_ms=usage.first_token_ms,
                total_ms=usage.total_ms,
            ),
            finish_reason=message.finish_reason,
            error_code=message.error_code,
            trace_id=message.trace_id,
        )


class ConversationList(BaseModel):
    """Conversations by their last change, newest first."""

    conversations: list[ConversationBody]


class ThreadBody(ConversationBody):
    """A conversation with its newest branch, oldest message first."""

    messages: list[MessageBody]


class FeedbackBody(BaseModel):
    """Up or down, and why."""

    rating: str
    reason: str | None = Field(default=None, max_length=100)
    text: str | None = Field(default=None, max_length=2_000)


@router.get("/conversations", responses=responses(401, 403))
async def list_conversations(
    reader: CurrentReader,
    conversations: Conversations,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: datetime | None = None,
) -> ConversationList:
    """List conversations."""
    found = await conversations.list_newest(reader.tenant_id, reader.visitor_id, limit=limit, before=before)
    return ConversationList(conversations=[ConversationBody.of(conversation) for conversation in found])


@router.get("/conversations/{conversation_id}", responses=responses(401, 403, 404))
async def read_conversation(conversation_id: UUID, reader: CurrentReader, conversations: Conversations) -> ThreadBody:
    """Show a conversation with its messages."""
    path = await conversations.read(reader.tenant_id, ConversationId(conversation_id), reader.visitor_id)
    head = ConversationBody.of(path.conversation)
    return ThreadBody(**head.model_dump(), messages=[MessageBody.of(message) for message in path.messages])


@router.post("/messages/{message_id}/feedback", status_code=204, responses=responses(401, 403, 404))
async def give_feedback(
    message_id: UUID, body: FeedbackBody, reader: CurrentReader, conversations: Conversations
) -> None:
    """Rate an answer; a second rating replaces the first."""
    feedback = Feedback(body.rating, body.reason, body.text)
    await conversations.give_feedback(reader.tenant_id, MessageId(message_id), feedback, reader.visitor_id)
