"""Conversations: a visitor reads their own, staff read all of the tenant's; and feedback on answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chatconnect.domain.context import ToolRound
from chatconnect.domain.conversation import Conversation, Feedback, Message, Sibling
from chatconnect.domain.identifiers import ConversationId, MessageId
from chatconnect.domain.tenant import StaffRole
from chatconnect.http.answers import CitationBody, UsageBody
from chatconnect.http.authentication import Admin, Agent, CurrentReader
from chatconnect.http.errors import responses
from chatconnect.ports.conversations import Path
from functions.config.routes.tool_bodies import ToolRoundBody, ToolUseBody
from functions.config.services import Conversations, Prompts, WritingReader

router = APIRouter(prefix="/v1", tags=["conversations"])


class ConversationBody(BaseModel):
    """A conversation without its messages."""

    id: UUID
    assistant_id: UUID
    visitor_id: UUID | None = Field(description="Null: held by a tenant's own server")
    state: str
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime
    forked_from: UUID | None = Field(description="The message, of another conversation, that this is a fork of")

    @classmethod
    def of(cls, conversation: Conversation) -> "ConversationBody":
        """Return the body that shows a conversation."""
        return cls(
            id=conversation.id,
            assistant_id=conversation.assistant_id,
            visitor_id=conversation.visitor_id,
            state=conversation.state.value,
            metadata=dict(conversation.metadata),
            created_at=conversation.created_at,
            updated_at=conversation.updated_at,
            forked_from=conversation.forked_from,
        )


class SiblingBody(BaseModel):
    """A message that stands beside others; `status` is pending, complete, partial or failed."""

    id: UUID
    status: str


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
    timings: dict[str, float] | None = Field(
        description="On answers: the milliseconds that each step took, in the order in which they were over. Only the "
        "company's own side is told"
    )
    tools: list[ToolUseBody] | None = Field(
        description="On answers: what the model called, in order. Only the company's own side is told"
    )
    siblings: list[SiblingBody] = Field(
        description="The messages that follow the same message, this one among them, oldest first; empty when it is "
        "the only one. Made by edits and further answers; told when a conversation is read"
    )

    @classmethod
    def of(
        cls,
        message: Message,
        siblings: Sequence[Sibling] = (),
        rounds: Sequence[ToolRound] = (),
        *,
        inside: bool = False,
    ) -> "MessageBody":
        """Return the body that shows a message; with timings and tools for the company's own side (`inside`)."""
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
                estimated=usage.estimated,
                cache_write_tokens=usage.cache_write_tokens,
                from_cache=usage.from_cache,
            ),
            finish_reason=message.finish_reason,
            error_code=message.error_code,
            trace_id=message.trace_id,
            timings=dict(message.timings) if inside else None,
            tools=[use for number, each in enumerate(rounds, 1) for use in ToolUseBody.all_of(number, each)]
            if inside
            else None,
            siblings=[SiblingBody(id=each.id, status=each.status.value) for each in siblings],
        )


class ConversationList(BaseModel):
    """Conversations by their last change, newest first."""

    conversations: list[ConversationBody]


class ThreadBody(ConversationBody):
    """A conversation with one branch, oldest message first."""

    messages: list[MessageBody]

    @classmethod
    def of_path(cls, path: Path, *, inside: bool = False) -> "ThreadBody":
        """Return the body that shows a branch; with timings and tools for the company's own side (`inside`)."""
        head = ConversationBody.of(path.conversation)
        messages = [
            MessageBody.of(
                message, path.siblings.get(message.parent_id, ()), path.rounds.get(message.id, ()), inside=inside
            )
            for message in path.messages
        ]
        return cls(**head.model_dump(), messages=messages)


class BranchBody(BaseModel):
    """One way through a conversation: its last message, how long it is, and the beginning of its last question."""

    leaf_id: UUID
    preview: str
    messages: int
    changed_at: datetime


class BranchList(BaseModel):
    """A conversation's branches by their last change, newest first; at most 100."""

    branches: list[BranchBody]


class ForkBody(BaseModel):
    """The last message to take along."""

    message_id: UUID


class PromptMessageBody(BaseModel):
    """One message as the model got it; `role` is system, user or assistant."""

    role: str
    content: str


class PromptBody(BaseModel):
    """A prompt; with a summary in it, `summarised_until` is the last message that it covers."""

    messages: list[PromptMessageBody]
    query: str
    summarised_until: UUID | None
    rounds: list[ToolRoundBody]


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
async def read_conversation(
    conversation_id: UUID,
    reader: CurrentReader,
    conversations: Conversations,
    leaf: UUID | None = None,
    through: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> ThreadBody:
    """Show a conversation with its newest branch, the one that ends in `leaf`, or the newest `through` a message.

    With `since` or `until`, only what was sent from then on, or before then.
    """
    path = await conversations.read(
        reader.tenant_id,
        ConversationId(conversation_id),
        reader.visitor_id,
        leaf=MessageId(leaf) if leaf else None,
        through=MessageId(through) if through else None,
        since=since,
        until=until,
    )
    return ThreadBody.of_path(path, inside=reader.visitor_id is None)


@router.get("/conversations/{conversation_id}/branches", responses=responses(401, 403, 404))
async def list_branches(conversation_id: UUID, reader: CurrentReader, conversations: Conversations) -> BranchList:
    """List the ways through a conversation that edits and further answers have made."""
    found = await conversations.branches(reader.tenant_id, ConversationId(conversation_id), reader.visitor_id)
    return BranchList(
        branches=[
            BranchBody(leaf_id=each.leaf_id, preview=each.preview, messages=each.messages, changed_at=each.changed_at)
            for each in found
        ]
    )


@router.post("/conversations/{conversation_id}/fork", status_code=201, responses=responses(401, 403, 404))
async def fork_conversation(
    conversation_id: UUID, body: ForkBody, reader: WritingReader, conversations: Conversations
) -> ThreadBody:
    """Begin a new conversation with the branch up to a message of this one. Staff need the role agent."""
    path = await conversations.fork(reader, ConversationId(conversation_id), MessageId(body.message_id))
    return ThreadBody.of_path(path)


@router.post("/conversations/{conversation_id}/archive", responses=responses(401, 403, 404, 409))
async def archive_conversation(conversation_id: UUID, caller: Agent, conversations: Conversations) -> ConversationBody:
    """Let a conversation take no more messages."""
    return ConversationBody.of(await conversations.archive(caller.tenant_id, ConversationId(conversation_id)))


@router.post("/conversations/{conversation_id}/unarchive", responses=responses(401, 403, 404, 409))
async def unarchive_conversation(
    conversation_id: UUID, caller: Agent, conversations: Conversations
) -> ConversationBody:
    """Let an archived conversation take messages again."""
    return ConversationBody.of(await conversations.unarchive(caller.tenant_id, ConversationId(conversation_id)))


@router.get("/messages/{message_id}/prompt", responses=responses(401, 403, 404))
async def rebuild_prompt(message_id: UUID, caller: Admin, prompts: Prompts) -> PromptBody:
    """Show what the model was given for an answer, byte for byte, and what was searched for.

    A model that called tools was given their results on top of this, round by round. Anthropic's models get the later
    part of the system message, summary and passages, right before the question, so that all that comes earlier can be
    cached. An answer that came from the answer cache has no prompt: no model was asked. A
    model whose JSON was wrong was then told so, on top of this.
    """
    prompt, context = await prompts.rebuild(caller.tenant_id, MessageId(message_id))
    dialogue = [PromptMessageBody(role=message.role, content=message.text) for message in prompt.messages]
    return PromptBody(
        messages=[PromptMessageBody(role="system", content=prompt.system), *dialogue],
        query=context.query,
        summarised_until=context.summary,
        rounds=[
            ToolRoundBody(said=each.said, uses=ToolUseBody.all_of(number, each))
            for number, each in enumerate(context.rounds, start=1)
        ],
    )


@router.post("/messages/{message_id}/feedback", status_code=204, responses=responses(401, 403, 404))
async def give_feedback(
    message_id: UUID, body: FeedbackBody, reader: WritingReader, conversations: Conversations
) -> None:
    """Rate an answer; a second rating replaces the first. A blocked visitor gets 403 `visitor_blocked`."""
    reader.check_may(StaffRole.AGENT)
    feedback = Feedback(body.rating, body.reason, body.text)
    await conversations.give_feedback(reader.tenant_id, MessageId(message_id), feedback, reader.visitor_id)
