"""How one tenant's turns begin and end in Postgres."""

from dataclasses import fields, replace
from datetime import UTC, datetime

import psycopg
from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres import turn_statements as sql
from chatconnect.adapters.postgres.configurations import controls_json
from chatconnect.adapters.postgres.conversation_rows import PathRow, message_of
from chatconnect.adapters.postgres.database import PostgresDatabase, violated
from chatconnect.adapters.postgres.rows import IdRow
from chatconnect.domain.conversation import Beginning, Turn, Usage, key_reused
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.memory import Summary

_USAGE = tuple(field.name for field in fields(Usage))
# What a broken foreign key says about a turn.
_MISSING = {
    "messages_tenant_id_conversation_id_parent_id_fkey": "message",
    "messages_tenant_id_conversation_id_fkey": "conversation",
    "conversations_tenant_id_assistant_id_fkey": "assistant",
}


class PostgresTurns:
    """One tenant's turns: the part of its conversations that is written while answers are made."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def begin(self, turn: Turn) -> Turn | None:
        """Store the question and the pending answer, or return the turn that the key stood for already."""
        try:
            if await self._begun(turn):
                return None
        except psycopg.errors.ForeignKeyViolation as error:
            raise NotFound(_MISSING.get(violated(error), "visitor")) from error
        except psycopg.errors.UniqueViolation as error:
            raise Conflict("this conversation or message exists already") from error
        return await self._earlier(turn)

    async def find_earlier(self, turn: Turn) -> Turn | None:
        """Return the turn that the key stands for already, or None."""
        try:
            return await self._earlier(turn)
        except NotFound:
            return None

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

    async def close_lost(self, before: datetime) -> int:
        """End the pending answers begun before a moment as failed; return how many there were."""
        return await self._database.run(self._tenant_id, sql.CLOSE_LOST, {"before": before})

    async def add_summary(self, summary: Summary, turn: Turn, usage: Usage) -> None:
        """Keep a summary and count what it took, in one statement. Raises NotFound."""
        parameters = _turn_parameters(replace(turn, answer=replace(turn.answer, usage=usage))) | {
            "answers": 0,
            "last_message": summary.last_message_id,
            "summary_text": summary.text,
            "summary_model": summary.model,
            "summarised_at": summary.created_at,
        }
        try:
            await self._database.run(self._tenant_id, sql.INSERT_SUMMARY, parameters)
        except psycopg.errors.ForeignKeyViolation as error:
            raise NotFound("message", summary.last_message_id) from error

    async def _begun(self, turn: Turn) -> bool:
        """Store the beginning of a turn; say whether it was new."""
        before = None
        if turn.opens:
            statement = sql.OPEN_CONVERSATION_AND_BEGIN
        elif turn.beginning is Beginning.FOLLOWS:
            before, statement = sql.LOCK_CONVERSATION, sql.BEGIN_FOLLOWING
        elif turn.beginning is Beginning.REPEATS:
            statement = sql.BEGIN_REPEAT
        else:
            statement = sql.BEGIN_BRANCH
        parameters = _turn_parameters(turn)
        if turn.beginning is Beginning.REPEATS:
            parameters["answer_key"] = turn.idempotency_key
        return bool(await self._database.fetch(self._tenant_id, IdRow, statement, parameters, before=before))

    async def _earlier(self, turn: Turn) -> Turn:
        """Return the turn that made `begin` store nothing. Raises NotFound, Conflict."""
        repeats = turn.beginning is Beginning.REPEATS
        parameters = {
            "question": turn.question.id,
            "answer": turn.answer.id,
            "visitor": turn.conversation.visitor_id,
            "key": turn.idempotency_key,
        }
        statement = sql.SELECT_EARLIER_ANSWER if repeats else sql.SELECT_EARLIER_TURN
        rows = await self._database.fetch(self._tenant_id, PathRow, statement, parameters)
        if len(rows) < 2:
            # A key is a question's or a further answer's; the other of them has it.
            if await self._database.fetch(self._tenant_id, IdRow, sql.SELECT_KEYS_MESSAGE, parameters):
                raise key_reused()
            raise NotFound("conversation", turn.conversation.id)
        question, answer = message_of(rows[0]), message_of(rows[1])
        earlier = Turn(rows[0].to_conversation(), question, answer, turn.opens, turn.idempotency_key)
        turn.check_asks_again(earlier)
        return earlier


def _turn_parameters(turn: Turn) -> dict[str, object]:
    conversation, question, answer = turn.conversation, turn.question, turn.answer
    day = answer.created_at.astimezone(UTC).date()
    return {
        "conversation": conversation.id,
        "assistant": conversation.assistant_id,
        "visitor": conversation.visitor_id,
        "state": conversation.state,
        "metadata": Jsonb(dict(conversation.metadata)),
        "controls": Jsonb(controls_json(conversation.controls)),
        "opened_at": conversation.created_at,
        "changed_at": answer.completed_at or answer.created_at,
        "key": None if turn.beginning is Beginning.REPEATS else turn.idempotency_key,
        "question": question.id,
        "question_parent": question.parent_id,
        "question_text": question.text,
        "question_at": question.created_at,
        "question_trace": question.trace_id,
        "answer": answer.id,
        "answer_key": None,
        "answers": 1,
        "assistant_version": answer.assistant_version,
        "context": None if turn.context is None else Jsonb(turn.context),
        "answer_text": answer.text,
        "answer_at": answer.created_at,
        "completed_at": answer.completed_at,
        "status": answer.status,
        "provider": answer.provider,
        "model": answer.model,
        "moderation": None if answer.moderation is None else Jsonb(answer.moderation),
        "citations": Jsonb(answer.citations),
        "finish_reason": answer.finish_reason,
        "error_code": answer.error_code,
        "trace": answer.trace_id,
        "timings": Jsonb(dict(answer.timings)),
        "day": day,
        "month": day.replace(day=1),
        **{name: getattr(answer.usage, name) for name in _USAGE},
    }
