"""Where conversations are kept."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chatconnect.domain.conversation import Conversation, Feedback, Message, Turn
from chatconnect.domain.identifiers import ConversationId, MessageId, TenantId, VisitorId


@dataclass(frozen=True, slots=True)
class Path:
    """A conversation with one branch of its messages, oldest first."""

    conversation: Conversation
    messages: tuple[Message, ...]


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

    async def list_newest(
        self, *, visitor_id: VisitorId | None = None, limit: int = 20, before: datetime | None = None
    ) -> Sequence[Conversation]:
        """Return conversations by their last change, newest first."""
        ...

    async def begin(self, turn: Turn) -> Turn | None:
        """Store the question and the pending answer (and the conversation when the turn opens it), all or nothing.

        Returns None when stored. When the turn's idempotency key was used before, stores nothing and returns the
        earlier turn. Raises NotFound when the conversation or the parent does not exist, Conflict with code
        "key_reused" when the key was used for another text.
        """
        ...

    async def complete(self, turn: Turn) -> None:
        """Store the answer as it ended, with usage and citations, and add its usage to the running totals, once.

        Works for a turn whose `begin` never arrived, and does nothing the second time.
        """
        ...

    async def find_message(self, message_id: MessageId, visitor_id: VisitorId | None = None) -> Message | None:
        """Return the message or None."""
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
