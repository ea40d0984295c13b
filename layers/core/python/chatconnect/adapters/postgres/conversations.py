"""One tenant's conversations in Postgres."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import psycopg
from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres import conversation_statements as sql
from chatconnect.adapters.postgres.conversation_rows import (
    ConversationRow,
    MessageRow,
    PathRow,
    Stored,
    message_of,
)
from chatconnect.adapters.postgres.database import PostgresDatabase, violated
from chatconnect.domain.conversation import Conversation, Feedback, Message, Turn
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import ConversationId, MessageId, TenantId, VisitorId
from chatconnect.ports.conversations import Path

# What a broken foreign key says about a turn.
_MISSING = {
    "messages_tenant_id_conversation_id_parent_id_fkey": "message",
    "messages_tenant_id_conversation_id_fkey": "conversation",
    "conversations_tenant_id_assistant_id_fkey": "assistant",
}


class PostgresConversations:
    """One tenant's conversations."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def get(self, conversation_id: ConversationId, visitor_id: VisitorId | None = None) -> Conversation:
        """Return the conversation. Raises NotFound."""
        row = await self._database.fetch_one(
            self._tenant_id, ConversationRow, sql.SELECT_CONVERSATION, {"id": conversation_id, "visitor": visitor_id}
        )
        if row is None:
            raise NotFound("conversation", conversation_id)
        return row.to_conversation()

    async def path(
        self,
        conversation_id: ConversationId,
        *,
        visitor_id: VisitorId | None = None,
        leaf: MessageId | None = None,
        limit: int = 50,
    ) -> Path:
        """Return the conversation with one branch of its messages, in one statement. Raises NotFound."""
        rows = await self._database.fetch(
            self._tenant_id,
            PathRow,
            sql.SELECT_PATH,
            {"id": conversation_id, "visitor": visitor_id, "leaf": leaf, "limit": limit},
        )
        if not rows:
            raise NotFound("conversation", conversation_id)
        if leaf is not None and rows[0].id is None:
            raise NotFound("message", leaf)
        return Path(rows[0].to_conversation(), tuple(message_of(row) for row in rows if row.id is not None))

    async def list_newest(
        self, *, visitor_id: VisitorId | None = None, limit: int = 20, before: datetime | None = None
    ) -> Sequence[Conversation]:
        """Return conversations by their last change, newest first."""
        rows = await self._database.fetch(
            self._tenant_id,
            ConversationRow,
            sql.SELECT_NEWEST,
            {"visitor": visitor_id, "before": before, "limit": limit},
        )
        return [row.to_conversation() for row in rows]

    async def begin(self, turn: Turn) -> Turn | None:
        """Store the question and the pending answer, or return the turn that the key stood for already."""
        statement = sql.OPEN_CONVERSATION_AND_BEGIN if turn.opens else sql.BEGIN
        try:
            if await self._database.fetch_one(self._tenant_id, Stored, statement, _turn_parameters(turn)):
                return None
        except psycopg.errors.ForeignKeyViolation as error:
            raise NotFound(_MISSING.get(violated(error), "visitor")) from error
        except psycopg.errors.UniqueViolation as error:
            raise Conflict("this conversation or message exists already") from error
        return await self._earlier(turn)

    async def complete(self, turn: Turn) -> None:
        """Store the answer as it ended and add its usage to the running totals, once."""
        parameters = _turn_parameters(turn)
        try:
            try:
                await self._database.run(self._tenant_id, sql.COMPLETE, parameters)
            except psycopg.errors.UniqueViolation:
                # Somebody stored the same turn at this very moment; now it can be seen.
                await self._database.run(self._tenant_id, sql.COMPLETE, parameters)
        except psycopg.errors.ForeignKeyViolation as error:
            raise NotFound(_MISSING.get(violated(error), "visitor")) from error

    async def find_message(self, message_id: MessageId, visitor_id: VisitorId | None = None) -> Message | None:
        """Return the message or None."""
        row = await self._database.fetch_one(
            self._tenant_id, MessageRow, sql.SELECT_MESSAGE, {"id": message_id, "visitor": visitor_id}
        )
        return message_of(row) if row else None

    async def give_feedback(
        self, message_id: MessageId, feedback: Feedback, visitor_id: VisitorId | None = None
    ) -> None:
        """Keep the feedback on an answer in place of an earlier one. Raises NotFound when there is no such answer."""
        stored = await self._database.run(
            self._tenant_id,
            sql.UPSERT_FEEDBACK,
            {"id": message_id, "visitor": visitor_id, **asdict(feedback)},
        )
        if not stored:
            raise NotFound("answer", message_id)

    async def _earlier(self, turn: Turn) -> Turn:
        """Return the turn that made `begin` store nothing. Raises NotFound, Conflict."""
        rows = await self._database.fetch(
            self._tenant_id,
            PathRow,
            sql.SELECT_EARLIER_TURN,
            {
                "question": turn.question.id,
                "visitor": turn.conversation.visitor_id,
                "key": turn.idempotency_key,
            },
        )
        if len(rows) < 2:
            raise NotFound("conversation", turn.conversation.id)
        question, answer = message_of(rows[0]), message_of(rows[1])
        if question.text != turn.question.text:
            raise Conflict("this idempotency key was used for another message", code="key_reused")
        return Turn(rows[0].to_conversation(), question, answer, turn.opens, turn.idempotency_key)


def _turn_parameters(turn: Turn) -> dict[str, object]:
    conversation, question, answer = turn.conversation, turn.question, turn.answer
    day = answer.created_at.astimezone(UTC).date()
    return {
        "conversation": conversation.id,
        "assistant": conversation.assistant_id,
        "visitor": conversation.visitor_id,
        "state": conversation.state,
        "metadata": Jsonb(dict(conversation.metadata)),
        "opened_at": conversation.created_at,
        "changed_at": answer.completed_at or answer.created_at,
        "key": turn.idempotency_key,
        "question": question.id,
        "question_parent": question.parent_id,
        "question_text": question.text,
        "question_at": question.created_at,
        "question_trace": question.trace_id,
        "answer": answer.id,
        "answer_text": answer.text,
        "answer_at": answer.created_at,
        "completed_at": answer.completed_at,
        "status": answer.status,
        "provider": answer.provider,
        "model": answer.model,
        "citations": Jsonb([asdict(citation) for citation in answer.citations]),
        "finish_reason": answer.finish_reason,
        "error_code": answer.error_code,
        "trace": answer.trace_id,
        "day": day,
        "month": day.replace(day=1),
        **asdict(answer.usage),
    }
