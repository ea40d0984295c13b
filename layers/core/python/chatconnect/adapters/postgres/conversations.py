"""One tenant's conversations in Postgres."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime

from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres import conversation_statements as sql
from chatconnect.adapters.postgres.configurations import controls_json
from chatconnect.adapters.postgres.conversation_rows import (
    BranchRow,
    ContextRow,
    ConversationRow,
    MessageRow,
    PathRow,
    RoundsRow,
    SiblingRow,
    SummaryRow,
    message_of,
)
from chatconnect.adapters.postgres.rows import IdRow
from chatconnect.adapters.postgres.turns import PostgresTurns
from chatconnect.domain.context import PromptContext, ToolRound
from chatconnect.domain.controls import Controls
from chatconnect.domain.conversation import (
    Branch,
    Conversation,
    Feedback,
    Message,
    Sibling,
    State,
)
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import ConversationId, MessageId, VisitorId
from chatconnect.domain.memory import Summary
from chatconnect.ports.conversations import Path

_DEEPEST = 10_000  # messages of one branch that are looked through for a window


class PostgresConversations(PostgresTurns):
    """One tenant's conversations."""

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
        parameters = {"id": conversation_id, "visitor": visitor_id, "leaf": leaf, "depth": limit, "since": None}
        rows = await self._database.fetch(self._tenant_id, PathRow, sql.SELECT_PATH, parameters)
        path = _path(rows, conversation_id)
        if leaf is not None and not path.messages:
            raise NotFound("message", leaf)
        return path

    async def window(
        self,
        conversation_id: ConversationId,
        *,
        visitor_id: VisitorId | None = None,
        leaf: MessageId | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
    ) -> Path:
        """Return one branch's messages from `since` on and before `until`, in one statement. Raises NotFound."""
        if leaf is not None:
            await self.path(conversation_id, visitor_id=visitor_id, leaf=leaf, limit=1)
        parameters = {
            "id": conversation_id,
            "visitor": visitor_id,
            "leaf": leaf,
            "since": since,
            "until": until,
            "depth": _DEEPEST,
            "limit": limit,
        }
        rows = await self._database.fetch(self._tenant_id, PathRow, sql.SELECT_WINDOW, parameters)
        return _path(rows, conversation_id)

    async def newest_after(
        self, conversation_id: ConversationId, message_id: MessageId, visitor_id: VisitorId | None = None
    ) -> MessageId:
        """Return the newest message that comes after a message, or its own id. Raises NotFound."""
        parameters = {"id": conversation_id, "message": message_id, "visitor": visitor_id}
        row = await self._database.fetch_one(self._tenant_id, IdRow, sql.SELECT_NEWEST_AFTER, parameters)
        if row is None:
            raise NotFound("message", message_id)
        return MessageId(row.id)

    async def siblings(
        self, conversation_id: ConversationId, parents: Collection[MessageId | None]
    ) -> Mapping[MessageId | None, Sequence[Sibling]]:
        """Return, for each of the parents that more than one message follows, those messages, oldest first."""
        parameters = {
            "id": conversation_id,
            "parents": [parent for parent in parents if parent is not None],
            "root": None in parents,
        }
        followers: dict[MessageId | None, list[Sibling]] = defaultdict(list)
        for row in await self._database.fetch(self._tenant_id, SiblingRow, sql.SELECT_SIBLINGS, parameters):
            sibling = row.to_sibling()
            followers[sibling.parent_id].append(sibling)
        return {parent: siblings for parent, siblings in followers.items() if len(siblings) > 1}

    async def branches(
        self, conversation_id: ConversationId, visitor_id: VisitorId | None = None, *, limit: int = 100
    ) -> Sequence[Branch]:
        """Return the conversation's branches by their last change, newest first. Raises NotFound."""
        await self.get(conversation_id, visitor_id)
        parameters = {"id": conversation_id, "limit": limit}
        rows = await self._database.fetch(self._tenant_id, BranchRow, sql.SELECT_BRANCHES, parameters)
        return [row.to_branch() for row in rows]

    async def fork(
        self, message_id: MessageId, fork: Conversation, visitor_id: VisitorId | None = None
    ) -> Conversation:
        """Store `fork` with copies of the messages up to `message_id`, in one statement. Raises NotFound."""
        parameters = {
            "message": message_id,
            "visitor": visitor_id,
            "id": fork.id,
            "owner": fork.visitor_id,
            "now": fork.created_at,
        }
        row = await self._database.fetch_one(self._tenant_id, ConversationRow, sql.FORK, parameters)
        if row is None:
            raise NotFound("message", message_id)
        return row.to_conversation()

    async def move(self, conversation_id: ConversationId, state: State, *, among: Collection[State]) -> bool:
        """Put the conversation into `state` if it is in one of `among`."""
        parameters = {"id": conversation_id, "state": state, "among": list(among)}
        return await self._database.run(self._tenant_id, sql.MOVE, parameters) > 0

    async def save_controls(self, conversation_id: ConversationId, controls: Controls) -> None:
        """Keep the conversation's own instructions in place of the earlier ones. Raises NotFound."""
        parameters = {"id": conversation_id, "controls": Jsonb(controls_json(controls))}
        if not await self._database.run(self._tenant_id, sql.UPDATE_CONVERSATION_CONTROLS, parameters):
            raise NotFound("conversation", conversation_id)

    async def list_newest(
        self,
        *,
        visitor_id: VisitorId | None = None,
        limit: int = 20,
        after: tuple[datetime, ConversationId] | None = None,
    ) -> Sequence[Conversation]:
        """Return conversations by their last change, newest first, those after a place in this order."""
        statement = sql.SELECT_NEWEST if visitor_id is None else sql.SELECT_NEWEST_OF_VISITOR
        at, last_id = after or (None, None)
        parameters = {"visitor": visitor_id, "at": at, "id": last_id, "limit": limit}
        rows = await self._database.fetch(self._tenant_id, ConversationRow, statement, parameters)
        return [row.to_conversation() for row in rows]

    async def find_message(self, message_id: MessageId, visitor_id: VisitorId | None = None) -> Message | None:
        """Return the message or None."""
        row = await self._database.fetch_one(
            self._tenant_id, MessageRow, sql.SELECT_MESSAGE, {"id": message_id, "visitor": visitor_id}
        )
        return message_of(row) if row else None

    async def messages(self, message_ids: Sequence[MessageId]) -> Sequence[Message]:
        """Return those of the messages that there are, in the order asked for."""
        parameters = {"ids": list(message_ids)}
        rows = await self._database.fetch(self._tenant_id, MessageRow, sql.SELECT_MESSAGES, parameters)
        return [message_of(row) for row in rows]

    async def rounds(self, message_ids: Collection[MessageId]) -> Mapping[MessageId, Sequence[ToolRound]]:
        """Return what the tools did, of those of the answers whose models called any."""
        rows = await self._database.fetch(self._tenant_id, RoundsRow, sql.SELECT_ROUNDS, {"ids": list(message_ids)})
        return {MessageId(row.id): row.to_rounds() for row in rows}

    async def find_context(self, message_id: MessageId) -> PromptContext | None:
        """Return what an answer's prompt was made of, or None."""
        row = await self._database.fetch_one(self._tenant_id, ContextRow, sql.SELECT_CONTEXT, {"id": message_id})
        return row.to_context() if row else None

    async def find_summary(self, conversation_id: ConversationId, branch: Sequence[MessageId]) -> Summary | None:
        """Return the summary that reaches furthest along a branch."""
        parameters = {"id": conversation_id, "branch": list(branch)}
        row = await self._database.fetch_one(self._tenant_id, SummaryRow, sql.SELECT_SUMMARY, parameters)
        return row.to_summary() if row else None

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


def _path(rows: Sequence[PathRow], conversation_id: ConversationId) -> Path:
    """Return the branch that rows tell of, leaf first. Raises NotFound."""
    if not rows:
        raise NotFound("conversation", conversation_id)
    return Path(rows[0].to_conversation(), tuple(message_of(row) for row in reversed(rows) if row.id is not None))
