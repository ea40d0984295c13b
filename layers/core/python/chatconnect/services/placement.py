"""Where in which conversation a question goes, and the turn that begins there."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from chatconnect.domain.assistant import MAX_HISTORY, Assistant
from chatconnect.domain.controls import CHAT, NO_CONTROLS, Controls
from chatconnect.domain.conversation import (
    Beginning,
    Conversation,
    Message,
    MessageStatus,
    Role,
    Turn,
    checked_metadata,
)
from chatconnect.domain.errors import Forbidden, Invalid, NotFound
from chatconnect.domain.identifiers import ConversationId, MessageId, VisitorId, new_id
from chatconnect.domain.principals import Asker, Server, Visitor
from chatconnect.ports.clock import Clock
from chatconnect.ports.conversations import ConversationsOf
from chatconnect.services.cached_tenants import TenantReads

# More than any assistant's window, so that what fell out of it lately can be seen too.
LONGEST_MEMORY = MAX_HISTORY + 50


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks, in a text that was checked. `arrived` is `time.perf_counter()` at the request's arrival.

    With a `conversation_id` alone it follows the newest message there; with `parent_id` it stands beside what else
    follows that message; with `at_root` beside the conversation's first question. `regenerate` asks for a further
    answer instead: to a question, or beside an answer; then there is no text.

    `route` is the endpoint that it came by; a server may name one of its tenant's in `endpoint` instead, and give a
    conversation that it opens `controls` of its own, or ask the assistant's newest version, published or not, with
    `draft`. `agent` is what the asker's program calls itself.
    """

    text: str
    trace_id: str
    conversation_id: ConversationId | None = None
    parent_id: MessageId | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None
    arrived: float = field(default_factory=time.perf_counter)
    at_root: bool = False
    regenerate: MessageId | None = None
    route: str = CHAT
    endpoint: str | None = None
    controls: Controls = NO_CONTROLS
    agent: str | None = None
    draft: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """What a question meets: the branch before it, and who answers. `asked` is the question when it is stored."""

    conversation: Conversation
    history: tuple[Message, ...]
    assistant: Assistant
    beginning: Beginning
    opens: bool = False
    asked: Message | None = None

    @property
    def remembered(self) -> tuple[Message, ...]:
        """Return the most of the branch that may go into the prompt word for word."""
        return self.history[max(0, len(self.history) - self.assistant.config.history_messages) :]


class Placement:
    """Finds places for questions."""

    def __init__(self, *, conversations_of: ConversationsOf, clock: Clock) -> None:
        self._conversations_of, self._clock = conversations_of, clock

    async def find(self, asker: Asker, question: Question, tenants: TenantReads) -> Place:
        """Return the question's place; `tenants` reads the asker's tenant.

        Raises Invalid (metadata, a parent without its conversation), Forbidden (a visitor's
        instructions), NotFound (a conversation or message that is not the asker's), Conflict (the conversation takes no
        messages).
        """
        _check_may_control(asker, question)
        metadata = checked_metadata(question.metadata)
        if question.regenerate is not None:
            if question.text or question.conversation_id or question.parent_id:
                raise Invalid("a new answer needs no message and no place", details={"field": "regenerate"})
            return await self._beside_answer(asker, question.regenerate, tenants)
        if question.conversation_id is not None:
            return await self._in_conversation(asker, question, question.conversation_id, tenants)
        if question.parent_id is not None:
            raise Invalid("a parent needs its conversation", details={"field": "parent_id"})
        return await self._in_new_conversation(asker, metadata, question.controls, tenants)

    def turn(self, place: Place, question: Question) -> Turn:
        """Return the turn that begins at the place; its answer is pending."""
        now, config = self._clock(), place.assistant.config
        asked = place.asked or Message(
            id=MessageId(new_id()),
            conversation_id=place.conversation.id,
            role=Role.USER,
            text=question.text,
            created_at=now,
            parent_id=place.history[-1].id if place.history else None,
            completed_at=now,
            trace_id=question.trace_id,
        )
        answer = Message(
            id=MessageId(new_id()),
            conversation_id=place.conversation.id,
            role=Role.ASSISTANT,
            text="",
            created_at=now,
            parent_id=asked.id,
            status=MessageStatus.PENDING,
            provider=config.provider,
            model=config.model,
            trace_id=question.trace_id,
            assistant_version=place.assistant.version,
        )
        return Turn(place.conversation, asked, answer, place.opens, question.idempotency_key, place.beginning)

    async def _in_conversation(
        self, asker: Asker, question: Question, conversation_id: ConversationId, tenants: TenantReads
    ) -> Place:
        conversations, visitor_id = self._conversations_of(asker.tenant_id), visitor_of(asker)
        if question.at_root:
            conversation = await conversations.get(conversation_id, visitor_id)
            _check_within_reach(asker, conversation)
            return await self._there(tenants, conversation, (), Beginning.BRANCHES)
        path = await conversations.path(
            conversation_id, visitor_id=visitor_id, leaf=question.parent_id, limit=LONGEST_MEMORY
        )
        _check_within_reach(asker, path.conversation)
        beginning = Beginning.FOLLOWS if question.parent_id is None else Beginning.BRANCHES
        return await self._there(tenants, path.conversation, path.messages, beginning)

    async def _beside_answer(self, asker: Asker, message_id: MessageId, tenants: TenantReads) -> Place:
        conversations, visitor_id = self._conversations_of(asker.tenant_id), visitor_of(asker)
        message = await conversations.find_message(message_id, visitor_id)
        if message is None:
            raise NotFound("answer", message_id)
        question_id = message.id if message.role is Role.USER else message.parent_id
        if question_id is None:
            raise NotFound("answer", message_id)
        path = await conversations.path(
            message.conversation_id, visitor_id=visitor_id, leaf=question_id, limit=LONGEST_MEMORY + 1
        )
        _check_within_reach(asker, path.conversation)
        *before, asked = path.messages
        if asked.role is not Role.USER:
            raise NotFound("answer", message_id)
        return await self._there(tenants, path.conversation, tuple(before), Beginning.REPEATS, asked)

    async def _in_new_conversation(
        self, asker: Asker, metadata: Mapping[str, str], controls: Controls, tenants: TenantReads
    ) -> Place:
        assistant = await (
            tenants.assistant(asker.assistant_id) if asker.assistant_id is not None else tenants.default_assistant()
        )
        now = self._clock()
        conversation = Conversation(
            id=ConversationId(new_id()),
            tenant_id=asker.tenant_id,
            assistant_id=assistant.id,
            created_at=now,
            updated_at=now,
            visitor_id=visitor_of(asker),
            metadata=metadata,
            controls=controls,
        )
        return Place(conversation, (), assistant, Beginning.BRANCHES, opens=True)

    async def _there(
        self,
        tenants: TenantReads,
        conversation: Conversation,
        history: tuple[Message, ...],
        beginning: Beginning,
        asked: Message | None = None,
    ) -> Place:
        conversation.check_takes_messages()
        assistant = await tenants.assistant(conversation.assistant_id)
        return Place(conversation, history, assistant, beginning, asked=asked)


def _check_may_control(asker: Asker, question: Question) -> None:
    """Raise Forbidden when a visitor gives instructions, Invalid when they come too late."""
    gives = question.controls != NO_CONTROLS
    if isinstance(asker, Visitor) and (gives or question.endpoint is not None or question.draft):
        raise Forbidden("instructions, endpoints and drafts are chosen by servers", code="secret_key_required")
    if gives and (question.conversation_id is not None or question.regenerate is not None):
        raise Invalid("a conversation is given its instructions when it is opened", details={"field": "instructions"})


def is_within_reach(asker: Asker, conversation: Conversation) -> bool:
    """Return whether the asker's key reaches a conversation: one that is for an assistant alone reaches no other's."""
    return not isinstance(asker, Server) or asker.assistant_id in (None, conversation.assistant_id)


def _check_within_reach(asker: Asker, conversation: Conversation) -> None:
    if not is_within_reach(asker, conversation):
        raise NotFound("conversation", conversation.id)


def visitor_of(asker: Asker) -> VisitorId | None:
    """Return the visitor that an asker is; a server is none."""
    return asker.visitor_id if isinstance(asker, Visitor) else None
