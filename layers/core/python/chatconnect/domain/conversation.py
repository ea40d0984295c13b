"""Conversations and their messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from chatconnect.domain.context import PromptContext
from chatconnect.domain.controls import NO_CONTROLS, Controls
from chatconnect.domain.errors import Conflict, Invalid
from chatconnect.domain.identifiers import (
    AssistantId,
    ConversationId,
    DocumentId,
    MessageId,
    TenantId,
    VersionId,
    VisitorId,
)
from chatconnect.domain.moderation import ModerationResult
from chatconnect.domain.text import cleaned, is_visible

MAX_MESSAGE = 2_000
MAX_METADATA = 20


class State(StrEnum):
    """Who speaks in a conversation, if anybody."""

    ACTIVE = "active"
    PAUSED = "paused"
    HANDED_OVER = "handed_over"
    ARCHIVED = "archived"


_NEXT = {
    State.ACTIVE: {State.PAUSED, State.HANDED_OVER, State.ARCHIVED},
    State.PAUSED: {State.ACTIVE, State.ARCHIVED},
    State.HANDED_OVER: {State.ACTIVE, State.ARCHIVED},
    State.ARCHIVED: {State.ACTIVE},
}


class Role(StrEnum):
    """Who wrote a message."""

    USER = "user"
    ASSISTANT = "assistant"
    STAFF = "staff"


class MessageStatus(StrEnum):
    """How far an answer has come; everything but an answer is complete from the start."""

    PENDING = "pending"
    COMPLETE = "complete"
    PARTIAL = "partial"  # stopped or cut off; what there is is kept
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A thread of messages between one visitor (or one server) and one assistant.

    `controls` are its own instructions, which hold for all its answers; its visitor neither sets nor sees them.
    """

    id: ConversationId
    tenant_id: TenantId
    assistant_id: AssistantId
    created_at: datetime
    updated_at: datetime
    visitor_id: VisitorId | None = None
    state: State = State.ACTIVE
    metadata: Mapping[str, str] = field(default_factory=dict)
    forked_from: MessageId | None = None
    controls: Controls = NO_CONTROLS

    def moved_to(self, state: State) -> "Conversation":
        """Return the conversation in `state`. Raises Conflict when the rules do not allow it."""
        if state not in _NEXT[self.state]:
            raise Conflict(f"a conversation that is {self.state} cannot become {state}")
        return replace(self, state=state)

    def check_takes_messages(self) -> None:
        """Raise Conflict with code "conversation_archived" or "conversation_paused" when it takes none."""
        if self.state in (State.ARCHIVED, State.PAUSED):
            raise Conflict(f"this conversation is {self.state}", code=f"conversation_{self.state}")


@dataclass(frozen=True, slots=True)
class Citation:
    """A marker of an answer and the chunk it stands for. `start` and `end` index the document's text."""

    marker: int
    document_id: DocumentId
    version_id: VersionId
    title: str
    quote: str
    start: int
    end: int
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer took. Money in millionths of a US dollar, times in milliseconds from the request's arrival.

    `input_tokens` is the whole input: `cached_tokens` of it were read from the provider's cache, `cache_write_tokens`
    put there. `estimated`: the provider did not report all of the tokens, because the answer broke off, say.
    `from_cache`: the answer was given before, so that no model was asked.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cost_microusd: int = 0
    first_token_ms: int | None = None
    total_ms: int | None = None
    estimated: bool = False
    cache_write_tokens: int = 0
    from_cache: bool = False

    def plus(self, other: "Usage") -> "Usage":
        """Return both together, with the times of this one."""
        return replace(
            self,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            cost_microusd=self.cost_microusd + other.cost_microusd,
            estimated=self.estimated or other.estimated,
        )


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `created_at`: when it was sent (an answer: begun); `completed_at`: when it was there in full.

    `timings` are the milliseconds that the steps of making an answer took.
    """

    id: MessageId
    conversation_id: ConversationId
    role: Role
    text: str
    created_at: datetime
    parent_id: MessageId | None = None
    status: MessageStatus = MessageStatus.COMPLETE
    completed_at: datetime | None = None
    provider: str | None = None
    model: str | None = None
    usage: Usage = Usage()
    citations: tuple[Citation, ...] = ()
    finish_reason: str | None = None
    error_code: str | None = None
    trace_id: str | None = None
    assistant_version: int | None = None
    moderation: ModerationResult | None = None
    timings: Mapping[str, float] = field(default_factory=dict, hash=False)


class Beginning(StrEnum):
    """How a turn joins its conversation's tree of messages."""

    FOLLOWS = "follows"  # after whatever is the newest message at the moment it is stored
    BRANCHES = "branches"  # after the question's own parent, wherever that is; without one, at the root
    REPEATS = "repeats"  # a further answer to a question that is stored already


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and the answer to it. `conversation` is new when `opens` is true.

    `idempotency_key` is the client's own name for the request, unique within the conversation's tenant and visitor.
    `context` says what the prompt was made of, once it was made.
    """

    conversation: Conversation
    question: Message
    answer: Message
    opens: bool
    idempotency_key: str | None = None
    beginning: Beginning = Beginning.BRANCHES
    context: PromptContext | None = None

    def check_asks_again(self, earlier: "Turn") -> None:
        """Raise Conflict with code "key_reused" when `earlier`, which has this turn's key, asked something else.

        A turn that opens a conversation asks for the same as the one that has opened it.
        """
        if self.beginning is Beginning.REPEATS:
            same_place = earlier.question.id == self.question.id
        elif self.opens:
            same_place = earlier.question.parent_id is None
        else:
            same_place = earlier.conversation.id == self.conversation.id
        if not same_place or earlier.question.text != self.question.text:
            raise key_reused()


@dataclass(frozen=True, slots=True)
class Branch:
    """One way through a conversation, named by its last message; `preview` is the beginning of the last question."""

    leaf_id: MessageId
    preview: str
    messages: int
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Sibling:
    """One of the messages that follow the same message: an edit of a question, a further answer to it."""

    id: MessageId
    parent_id: MessageId | None
    status: MessageStatus


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a visitor thought of an answer."""

    rating: str
    reason: str | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        if self.rating not in ("up", "down"):
            raise Invalid("the rating is up or down", details={"field": "rating"})
        object.__setattr__(self, "reason", cleaned(self.reason or "") or None)
        object.__setattr__(self, "text", cleaned(self.text or "", keep="\n\t") or None)


def key_reused() -> Conflict:
    """Return the refusal of a request under an idempotency key that stands for another one."""
    return Conflict("this idempotency key was used for another message", code="key_reused")


def checked_message(text: str) -> str:
    """Return the text as it will be stored: control characters gone, white space trimmed, 1-2,000 characters.

    Raises Invalid with code "empty_message" or "message_too_long".
    """
    message = cleaned(text.replace("\r\n", "\n").replace("\r", "\n"), keep="\n\t")
    if not is_visible(message):
        raise Invalid("the message is empty", code="empty_message", details={"field": "message"})
    if len(message) > MAX_MESSAGE:
        raise Invalid(
            f"a message has at most {MAX_MESSAGE:,} characters",
            code="message_too_long",
            details={"field": "message", "length": len(message), "longest": MAX_MESSAGE},
        )
    return message


def checked_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata as it is kept.

    Raises Invalid for more than 20 entries, a key over 64 or a value over 500 characters, and for keys that are empty
    or the same without their control characters.
    """
    if len(metadata) > MAX_METADATA or any(len(k) > 64 or len(v) > 500 for k, v in metadata.items()):
        raise Invalid(
            f"metadata has at most {MAX_METADATA} entries of 64 and 500 characters", details={"field": "metadata"}
        )
    kept = {cleaned(key): cleaned(value) for key, value in metadata.items()}
    if "" in kept or len(kept) < len(metadata):
        raise Invalid("each key of metadata is a text of its own", details={"field": "metadata"})
    return kept
