"""Conversations in memory, for the tests of what uses them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chatconnect.domain.context import PromptContext, ToolRound
from chatconnect.domain.controls import Controls
from chatconnect.domain.conversation import (
    Beginning,
    Branch,
    Conversation,
    Feedback,
    Message,
    MessageStatus,
    Role,
    Sibling,
    State,
    Turn,
    Usage,
    key_reused,
)
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import ConversationId, MessageId, TenantId, VisitorId, new_id
from chatconnect.domain.memory import Summary
from chatconnect.ports.conversations import Path


@dataclass
class StoredConversations:
    """What a MemoryConversations of every tenant shares."""

    conversations: dict[tuple[TenantId, ConversationId], Conversation] = field(default_factory=dict)
    messages: dict[tuple[TenantId, MessageId], Message] = field(default_factory=dict)
    keys: dict[tuple[TenantId, VisitorId | None, str], Turn] = field(default_factory=dict)
    feedback: dict[tuple[TenantId, MessageId], Feedback] = field(default_factory=dict)
    contexts: dict[tuple[TenantId, MessageId], PromptContext] = field(default_factory=dict)
    summaries: dict[tuple[TenantId, ConversationId, MessageId], Summary] = field(default_factory=dict)


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
        path = await self.path(conversation_id, visitor_id=visitor_id, leaf=leaf, limit=10_000)
        within = [
            message
            for message in path.messages
            if (since is None or message.created_at >= since) and (until is None or message.created_at < until)
        ]
        return Path(path.conversation, tuple(within[-limit:]))

    async def newest_after(
        self, conversation_id: ConversationId, message_id: MessageId, visitor_id: VisitorId | None = None
    ) -> MessageId:
        await self.path(conversation_id, visitor_id=visitor_id, leaf=message_id)
        messages = self._messages_of(conversation_id)
        after = [message_id]
        for parent_id in after:  # grows while it is looked through
            after += [message.id for message in messages if message.parent_id == parent_id]
        return max((m for m in messages if m.id in after), key=lambda message: message.created_at).id

    async def siblings(
        self, conversation_id: ConversationId, parents: Collection[MessageId | None]
    ) -> Mapping[MessageId | None, Sequence[Sibling]]:
        messages = self._messages_of(conversation_id)[::-1]
        messages.sort(key=lambda message: message.created_at)
        found = {
            parent: [Sibling(m.id, m.parent_id, m.status) for m in messages if m.parent_id == parent]
            for parent in parents
        }
        return {parent: siblings for parent, siblings in found.items() if len(siblings) > 1}

    async def branches(
        self, conversation_id: ConversationId, visitor_id: VisitorId | None = None, *, limit: int = 100
    ) -> Sequence[Branch]:
        await self.get(conversation_id, visitor_id)
        messages = self._messages_of(conversation_id)
        parents = {message.parent_id for message in messages}
        found = []
        for leaf in (message for message in messages if message.id not in parents):
            way = (await self.path(conversation_id, leaf=leaf.id, limit=10_000)).messages
            asked = leaf if leaf.role is Role.USER else way[-2] if len(way) > 1 else None
            changed_at = leaf.completed_at or leaf.created_at
            found.append(Branch(leaf.id, asked.text[:120] if asked else "", len(way), changed_at))
        return sorted(found, key=lambda branch: branch.changed_at, reverse=True)[:limit]

    async def fork(
        self, message_id: MessageId, fork: Conversation, visitor_id: VisitorId | None = None
    ) -> Conversation:
        message = await self.find_message(message_id, visitor_id)
        if message is None:
            raise NotFound("message", message_id)
        path = await self.path(message.conversation_id, leaf=message_id, limit=10_000)
        self._stored.conversations[self._tenant_id, fork.id] = fork
        copies: dict[MessageId | None, MessageId | None] = {None: None}
        for each in path.messages:
            copy_id = MessageId(new_id())
            copies[each.id] = copy_id
            copy = replace(
                each,
                id=copy_id,
                conversation_id=fork.id,
                parent_id=copies[each.parent_id],
                usage=Usage(),
                status=MessageStatus.FAILED if each.status is MessageStatus.PENDING else each.status,
            )
            self._stored.messages[self._tenant_id, copy_id] = copy
            if context := self._stored.contexts.get((self._tenant_id, each.id)):
                self._stored.contexts[self._tenant_id, copy_id] = context
        return fork

    async def move(self, conversation_id: ConversationId, state: State, *, among: Collection[State]) -> bool:
        kept = self._stored.conversations.get((self._tenant_id, conversation_id))
        if kept is None or kept.state not in among:
            return False
        self._stored.conversations[self._tenant_id, conversation_id] = replace(kept, state=state)
        return True

    async def save_controls(self, conversation_id: ConversationId, controls: Controls) -> None:
        kept = await self.get(conversation_id)
        self._stored.conversations[self._tenant_id, conversation_id] = replace(kept, controls=controls)

    async def list_newest(
        self,
        *,
        visitor_id: VisitorId | None = None,
        limit: int = 20,
        after: tuple[datetime, ConversationId] | None = None,
    ) -> Sequence[Conversation]:
        own = [c for (tenant, _), c in self._stored.conversations.items() if tenant == self._tenant_id]
        theirs = sorted((c for c in own if visitor_id in (None, c.visitor_id)), key=_place, reverse=True)
        return [c for c in theirs if after is None or _place(c) < after][:limit]

    async def begin(self, turn: Turn) -> Turn | None:
        if (earlier := await self.find_earlier(turn)) is not None:
            return earlier
        if not turn.opens:
            kept = await self.get(turn.conversation.id)
            if kept.visitor_id != turn.conversation.visitor_id:
                raise NotFound("conversation", kept.id)
        if turn.beginning is Beginning.FOLLOWS and not turn.opens:
            turn = self._following(turn)
        self._check_parent(turn)
        self._store(turn)
        return None

    async def find_earlier(self, turn: Turn) -> Turn | None:
        earlier = self._earlier(turn)
        if earlier is not None:
            if (earlier.beginning is Beginning.REPEATS) is not (turn.beginning is Beginning.REPEATS):
                raise key_reused()
            turn.check_asks_again(earlier)
        return earlier

    async def complete(self, turn: Turn) -> None:
        stored = self._stored.messages.get((self._tenant_id, turn.answer.id))
        if stored and stored.status is not MessageStatus.PENDING and stored.error_code != "answer_interrupted":
            return
        if stored is None:
            self._check_parent(turn)
        else:
            turn = replace(turn, answer=replace(turn.answer, created_at=stored.created_at))
        self._store(turn)

    async def close_lost(self, before: datetime) -> int:
        lost = [
            (place, message)
            for place, message in self._stored.messages.items()
            if place[0] == self._tenant_id and message.status is MessageStatus.PENDING and message.created_at < before
        ]
        for place, message in lost:
            self._stored.messages[place] = replace(
                message, status=MessageStatus.FAILED, error_code="answer_interrupted", finish_reason="error"
            )
        return len(lost)

    async def find_message(self, message_id: MessageId, visitor_id: VisitorId | None = None) -> Message | None:
        message = self._stored.messages.get((self._tenant_id, message_id))
        if message is None:
            return None
        conversation = self._stored.conversations[self._tenant_id, message.conversation_id]
        return message if visitor_id in (None, conversation.visitor_id) else None

    async def messages(self, message_ids: Sequence[MessageId]) -> Sequence[Message]:
        kept = (self._stored.messages.get((self._tenant_id, each)) for each in message_ids)
        return [message for message in kept if message]

    async def rounds(self, message_ids: Collection[MessageId]) -> Mapping[MessageId, Sequence[ToolRound]]:
        contexts = {each: self._stored.contexts.get((self._tenant_id, each)) for each in message_ids}
        return {each: context.rounds for each, context in contexts.items() if context is not None and context.rounds}

    async def find_context(self, message_id: MessageId) -> PromptContext | None:
        return self._stored.contexts.get((self._tenant_id, message_id))

    async def find_summary(self, conversation_id: ConversationId, branch: Sequence[MessageId]) -> Summary | None:
        kept = (self._stored.summaries.get((self._tenant_id, conversation_id, each)) for each in reversed(branch))
        return next((summary for summary in kept if summary), None)

    async def add_summary(self, summary: Summary, turn: Turn, usage: Usage) -> None:
        place = (self._tenant_id, summary.conversation_id, summary.last_message_id)
        self._stored.summaries.setdefault(place, summary)
        answer = self._stored.messages[self._tenant_id, turn.answer.id]
        self._stored.messages[self._tenant_id, answer.id] = replace(answer, usage=answer.usage.plus(usage))

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
        new = turn.answer if turn.beginning is Beginning.REPEATS else turn.question
        if known is None and (self._tenant_id, new.id) in self._stored.messages:
            known = turn
        if known is None:
            return None
        conversation = self._stored.conversations[self._tenant_id, known.conversation.id]
        answer = self._stored.messages[self._tenant_id, known.answer.id]
        return replace(known, conversation=conversation, answer=answer, opens=turn.opens)

    def _following(self, turn: Turn) -> Turn:
        newest = max(self._messages_of(turn.conversation.id), key=lambda message: message.created_at)
        at = max(turn.question.created_at, newest.created_at)
        question = replace(turn.question, parent_id=newest.id, created_at=at, completed_at=at)
        return replace(turn, question=question, answer=replace(turn.answer, created_at=at))

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
        if turn.context is not None:
            self._stored.contexts[self._tenant_id, turn.answer.id] = turn.context
        if turn.idempotency_key is not None:
            self._stored.keys.setdefault((self._tenant_id, turn.conversation.visitor_id, turn.idempotency_key), turn)


def _place(conversation: Conversation) -> tuple[datetime, ConversationId]:
    return conversation.updated_at, conversation.id
