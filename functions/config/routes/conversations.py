"""Conversations: a visitor reads their own, staff read all of the tenant's; and feedback on answers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from chatconnect.domain.identifiers import ConversationId, MessageId
from chatconnect.domain.tenant import StaffRole
from chatconnect.http.authentication import Admin, Agent, CurrentReader
from chatconnect.http.cursors import moment_and_id_of, to_cursor
from chatconnect.http.errors import responses
from chatconnect.http.filters import Moment
from functions.config.routes.conversation_bodies import (
    BranchBody,
    BranchList,
    ConversationBody,
    ConversationList,
    FeedbackBody,
    ForkBody,
    PromptBody,
    ThreadBody,
)
from functions.config.services import Conversations, Prompts, WritingReader

router = APIRouter(prefix="/v1", tags=["conversations"])

_LEAST_ID = ConversationId(UUID(int=0))  # of one moment, all conversations come before it


@router.get("/conversations", responses=responses(401, 403))
async def list_conversations(
    reader: CurrentReader,
    conversations: Conversations,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Moment | None = None,
    cursor: Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before")] = None,
) -> ConversationList:
    """List conversations. With `before`, those that changed last before a moment; a `cursor` goes on from there."""
    after = _place(cursor, before)
    found = await conversations.list_newest(reader.tenant_id, reader.visitor_id, limit=limit + 1, after=after)
    shown = found[:limit]
    following = to_cursor(shown[-1].updated_at, shown[-1].id) if len(found) > limit else None
    return ConversationList(conversations=[ConversationBody.of(each) for each in shown], next_cursor=following)


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
    return BranchList(branches=[BranchBody.model_validate(each, from_attributes=True) for each in found])


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
    return PromptBody.of(prompt, context)


@router.post("/messages/{message_id}/feedback", status_code=204, responses=responses(401, 403, 404))
async def give_feedback(
    message_id: UUID, body: FeedbackBody, reader: WritingReader, conversations: Conversations
) -> None:
    """Rate an answer; a second rating replaces the first. A blocked visitor gets 403 `visitor_blocked`."""
    reader.check_may(StaffRole.AGENT)
    await conversations.give_feedback(reader.tenant_id, MessageId(message_id), body.to_feedback(), reader.visitor_id)


def _place(cursor: str | None, before: datetime | None) -> tuple[datetime, ConversationId] | None:
    """Return after which conversation the page begins. Raises Invalid with code "invalid_cursor"."""
    if cursor is None:
        return None if before is None else (before, _LEAST_ID)
    moment, conversation_id = moment_and_id_of(cursor)
    return moment, ConversationId(conversation_id)
