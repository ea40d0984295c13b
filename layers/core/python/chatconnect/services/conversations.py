"""Reading conversations, and feedback on their answers."""

from collections.abc import Sequence
from datetime import datetime

from chatconnect.domain.conversation import Conversation, Feedback
from chatconnect.domain.identifiers import ConversationId, MessageId, TenantId, VisitorId
from chatconnect.ports.conversations import ConversationsOf, Path

LONGEST_PATH = 500


class ConversationService:
    """Reads a tenant's conversations; with a visitor given, only theirs."""

    def __init__(self, *, conversations_of: ConversationsOf) -> None:
        self._conversations_of = conversations_of

    async def list_newest(
        self, tenant_id: TenantId, visitor_id: VisitorId | None, *, limit: int, before: datetime | None
    ) -> Sequence[Conversation]:
        """Return conversations by their last change, newest first."""
        return await self._conversations_of(tenant_id).list_newest(visitor_id=visitor_id, limit=limit, before=before)

    async def read(self, tenant_id: TenantId, conversation_id: ConversationId, visitor_id: VisitorId | None) -> Path:
        """Return a conversation with its newest branch, oldest message first. Raises NotFound."""
        return await self._conversations_of(tenant_id).path(conversation_id, visitor_id=visitor_id, limit=LONGEST_PATH)

    async def give_feedback(
        self, tenant_id: TenantId, message_id: MessageId, feedback: Feedback, visitor_id: VisitorId | None
    ) -> None:
        """Keep what somebody thought of an answer. Raises NotFound."""
        await self._conversations_of(tenant_id).give_feedback(message_id, feedback, visitor_id)
