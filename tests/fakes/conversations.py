"""Conversations in memory, for the tests of what uses them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chatconnect.domain.conversation import Conversation, Feedback, Message, MessageStatus, Role, Turn
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import ConversationId, MessageId, TenantId, VisitorId
from chatconnect.ports.conversations import Path


@dataclass
class StoredConversations:
    """What a MemoryConversations of every tenant shares."""

    conversations: dict[tuple[TenantId, ConversationId], Conversation] = field(default_factory=dict)
    messages: dict[tuple[TenantId, MessageId], Message] = field(default_factory=dict)
    keys: dict[tuple[TenantId, VisitorId | None, str], Turn] = field(default_factory=dict)
    feedback: dict[tuple[TenantId, MessageId], Feedback] = field(default_factory=dict)


class MemoryConversations:
    """One tenant's conversations."""

    def __init__(self, stored: StoredConversations, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def get(self, conversation_id: ConversationId, visitor_id: VisitorId | None = None) -> Conversation:
        found = self._stored.conversations.get((self._tenant_id, conversation_id))
        if found is None or visitor_id not in (None, found.visitor_id):
            raise NotFound("conversation", conversation_id)
        return found

    async def path(
        self,
        conversation_id: ConversationId,
        *,
        visitor_id: VisitorId | None = None,
        leaf: MessageId | None = None,
        limit: int = 50,
    ) -> Path:
        conversation = await self.get(conversation_id, visitor_id)
        known = {message.id: message for message in self._messages_of(conversation_id)}
        newest = max(known.values(), key=lambda message: message.created_at, default=None)
        step = known.get(leaf) if leaf else newest
        if leaf and step is None:
            raise NotFound("message", leaf)
        branch: list[Message] = []
        while step and len(branch) < limit:
            branch.append(step)
            step = known.get(step.parent_id) if step.parent_id else None
        return Path(conversation, tuple(reversed(branch)))

    async def list_newest(
        self, *, visitor_id: VisitorId | None = None, limit: int = 20, before: datetime | None = None
    ) -> Sequence[Conversation]:
        own = [c for (tenant, _), c in self._stored.conversations.items() if tenant == self._tenant_id]
        wanted = [c for c in own if visitor_id in (None, c.visitor_id) and (before is None or c.updated_at < before)]
        return sorted(wanted, key=lambda c: (c.updated_at, c.id), reverse=True)[:limit]

    async def begin(self, turn: Turn) -> Turn | None:
        earlier = self._earlier(turn)
        if earlier is not None:
            if earlier.question.text != turn.question.text:
                raise Conflict("this idempotency key was used for another message", code="key_reused")
            return earlier
        if not turn.opens:
            kept = await self.get(turn.conversation.id)
            if kept.visitor_id != turn.conversation.visitor_id:
                raise NotFound("conversation", kept.id)
        self._check_parent(turn)
        self._store(turn)
        return None

    async def complete(self, turn: Turn) -> None:
        stored = self._stored.messages.get((self._tenant_id, turn.answer.id))
        if stored and stored.status is not MessageStatus.PENDING:
            return
        if stored is None:
            self._check_parent(turn)
        self._store(turn)

    async def find_message(self, message_id: MessageId, visitor_id: VisitorId | None = None) -> Message | None:
        message = self._stored.messages.get((self._tenant_id, message_id))
        if message is None:
            return None
        conversation = self._stored.conversations[self._tenant_id, message.conversation_id]
        return message if visitor_id in (None, conversation.visitor_id) else None

    async def give_feedback(
        self, message_id: MessageId, feedback: Feedback, visitor_id: VisitorId | None = None
    ) -> None:
        message = await self.find_message(message_id, visitor_id)
        if message is None or message.role is not Role.ASSISTANT:
            raise NotFound("answer", message_id)
        self._stored.feedback[self._tenant_id, message_id] = feedback

    def _messages_of(self, conversation_id: ConversationId) -> list[Message]:
        # Of messages of one instant the last stored one is the newest, so it comes first: max() takes the first.
        stored = reversed(self._stored.messages.items())
        return [m for (tenant, _), m in stored if tenant == self._tenant_id and m.conversation_id == conversation_id]

    def _earlier(self, turn: Turn) -> Turn | None:
        known = None
        if turn.idempotency_key is not None:
            key = (self._tenant_id, turn.conversation.visitor_id, turn.idempotency_key)
            known = self._stored.keys.get(key)
        if known is None and (self._tenant_id, turn.question.id) in self._stored.messages:
            known = turn
        if known is None:
            return None
        conversation = self._stored.conversations[self._tenant_id, known.conversation.id]
        answer = self._stored.messages[self._tenant_id, known.answer.id]
        return replace(known, conversation=conversation, answer=answer, opens=turn.opens)

    def _check_parent(self, turn: Turn) -> None:
        parent_id = turn.question.parent_id
        parent = self._stored.messages.get((self._tenant_id, parent_id)) if parent_id else None
        if parent_id and (parent is None or parent.conversation_id != turn.conversation.id):
            raise NotFound("message")

    def _store(self, turn: Turn) -> None:
        place = (self._tenant_id, turn.conversation.id)
        changed_at = turn.answer.completed_at or turn.answer.created_at
        kept = self._stored.conversations.get(place)
        conversation = kept or turn.conversation
        at = max(kept.updated_at, changed_at) if kept else changed_at
        self._stored.conversations[place] = replace(conversation, updated_at=at)
        self._stored.messages.setdefault((self._tenant_id, turn.question.id), turn.question)
        self._stored.messages[self._tenant_id, turn.answer.id] = turn.answer
        if turn.idempotency_key is not None:
            self._stored.keys.setdefault((self._tenant_id, turn.conversation.visitor_id, turn.idempotency_key), turn)
