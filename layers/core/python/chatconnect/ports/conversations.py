"""Where conversations are kept."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from chatconnect.domain.context import PromptContext, ToolRound
from chatconnect.domain.controls import Controls
from chatconnect.domain.conversation import Branch, Conversation, Feedback, Message, Sibling, State, Turn, Usage
from chatconnect.domain.identifiers import ConversationId, MessageId, TenantId, VisitorId
from chatconnect.domain.memory import Summary


@dataclass(frozen=True, slots=True)
class Path:
    """A conversation with one branch of its messages, oldest first.

    `siblings` holds, by their parent, the messages that stand beside each other where the branch could have gone
    another way; None is the parent of a conversation's first question. `rounds` are what the tools of its answers did,
    for the tenant's own side alone.
    """

    conversation: Conversation
    messages: tuple[Message, ...]
    siblings: Mapping[MessageId | None, Sequence[Sibling]] = field(default_factory=dict)
    rounds: Mapping[MessageId, Sequence[ToolRound]] = field(default_factory=dict)


class Conversations(Protocol):
    """One tenant's conversations. A visitor given as `visitor_id` sees their own only; None sees all of the tenant."""

    async def get(self, conversation_id: ConversationId, visitor_id: VisitorId | None = None) -> Conversation:
        """Return the conversation. Raises NotFound."""
        ...

    async def path(
        self,
        conversation_id: ConversationId,
        *,
        visitor_id: VisitorId | None = None,
        leaf: MessageId | None = None,
        limit: int = 50,
    ) -> Path:
        """Return the conversation with the last `limit` messages on the way from its root to `leaf`, oldest first.

        `leaf` None means the newest message. Raises NotFound for the conversation or the leaf.
        """
        ...

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
        """Return the branch as `path` does, of it only messages sent from `since` on and before `until`.

        `limit` counts those alone, so that a long conversation can be read part by part.
        """
        ...

    async def newest_after(
        self, conversation_id: ConversationId, message_id: MessageId, visitor_id: VisitorId | None = None
    ) -> MessageId:
        """Return the newest of the messages that come after a message by any way, or its own id when none does.

        Raises NotFound when the conversation has no such message of this visitor.
        """
        ...

    async def siblings(
        self, conversation_id: ConversationId, parents: Collection[MessageId | None]
    ) -> Mapping[MessageId | None, Sequence[Sibling]]:
        """Return, for each of the parents that more than one message follows, those messages, oldest first."""
        ...

    async def branches(
        self, conversation_id: ConversationId, visitor_id: VisitorId | None = None, *, limit: int = 100
    ) -> Sequence[Branch]:
        """Return the conversation's branches by their last change, newest first. Raises NotFound."""
        ...

    async def fork(
        self, message_id: MessageId, fork: Conversation, visitor_id: VisitorId | None = None
    ) -> Conversation:
        """Store `fork` as a conversation that holds copies of the messages from the root to `message_id`.

        Its assistant and metadata are those of the original; the copies cost nothing. An answer that is still being
        made is copied as one that failed. Returns what was stored. Raises NotFound when there is no such message of
        this visitor.
        """
        ...

    async def move(self, conversation_id: ConversationId, state: State, *, among: Collection[State]) -> bool:
        """Put the conversation into `state` if it is in one of `among`; False when it is not, or does not exist."""
        ...

    async def save_controls(self, conversation_id: ConversationId, controls: Controls) -> None:
        """Keep the conversation's own instructions in place of the earlier ones. Raises NotFound."""
        ...

    async def list_newest(
        self,
        *,
        visitor_id: VisitorId | None = None,
        limit: int = 20,
        after: tuple[datetime, ConversationId] | None = None,
    ) -> Sequence[Conversation]:
        """Return conversations by their last change, newest first; of one moment, the greater id first.

        `after`: only those that come after the last change and the id of one.
        """
        ...

    async def begin(self, turn: Turn) -> Turn | None:
        """Store the question and the pending answer (and the conversation when the turn opens it), all or nothing.

        A turn that follows comes after the newest message there is at that moment, so that messages sent at once stand
        one after the other in one branch. Returns None when stored. When the turn's idempotency key was used before,
        stores nothing and returns the earlier turn. Raises NotFound when the conversation or the parent does not exist,
        Conflict with code "key_reused" when the key was used for another text, conversation or kind of request.
        """
        ...

    async def find_earlier(self, turn: Turn) -> Turn | None:
        """Return the turn that `begin` would return as the earlier one, None when it would store this one.

        Raises what `begin` raises of the key.
        """
        ...

    async def complete(self, turn: Turn) -> None:
        """Store the answer as it ended, with usage and citations, and add its usage to the running totals, once.

        Works for a turn whose `begin` never arrived, and does nothing the second time.
        """
        ...

    async def close_lost(self, before: datetime) -> int:
        """End the pending answers begun before a moment as failed ("answer_interrupted"); return how many there were.

        Should one of them be completed after all, it is stored then.
        """
        ...

    async def find_message(self, message_id: MessageId, visitor_id: VisitorId | None = None) -> Message | None:
        """Return the message or None."""
        ...

    async def messages(self, message_ids: Sequence[MessageId]) -> Sequence[Message]:
        """Return those of the messages that there are, in the order asked for."""
        ...

    async def rounds(self, message_ids: Collection[MessageId]) -> Mapping[MessageId, Sequence[ToolRound]]:
        """Return what the tools did, of those of the answers whose models called any."""
        ...

    async def find_context(self, message_id: MessageId) -> PromptContext | None:
        """Return what an answer's prompt was made of; None without an answer, or when it ended before that.

        That of a fork's copy is what the first answer's prompt was made of.
        """
        ...

    async def find_summary(self, conversation_id: ConversationId, branch: Sequence[MessageId]) -> Summary | None:
        """Return the summary that reaches furthest along a branch, given oldest message first."""
        ...

    async def add_summary(self, summary: Summary, turn: Turn, usage: Usage) -> None:
        """Keep a summary unless there is one up to the same message, and add what it took to the turn's answer and to
        the running totals; all or nothing.
        """
        ...

    async def give_feedback(
        self, message_id: MessageId, feedback: Feedback, visitor_id: VisitorId | None = None
    ) -> None:
        """Keep the feedback on an answer in place of an earlier one. Raises NotFound when there is no such answer."""
        ...


ConversationsOf = Callable[[TenantId], Conversations]


class TurnQueue(Protocol):
    """Where turns wait that could not be written."""

    async def put(self, turn: Turn) -> None:
        """Keep the turn until it can be written. Raises Unavailable."""
        ...
