"""Reading, forking and archiving conversations, and feedback on their answers."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chatconnect.domain.controls import Controls
from chatconnect.domain.conversation import Branch, Conversation, Feedback, State
from chatconnect.domain.errors import Conflict, Invalid
from chatconnect.domain.identifiers import ConversationId, MessageId, TenantId, VisitorId, new_id
from chatconnect.domain.moments import in_utc
from chatconnect.domain.principals import Reader
from chatconnect.domain.tenant import StaffRole
from chatconnect.ports.clock import Clock
from chatconnect.ports.conversations import Conversations, ConversationsOf, Path

LONGEST_PATH = 500


class ConversationService:
    """Reads and forks a tenant's conversations; with a visitor given, only theirs."""

    def __init__(self, *, conversations_of: ConversationsOf, clock: Clock) -> None:
        self._conversations_of, self._clock = conversations_of, clock

    async def list_newest(
        self,
        tenant_id: TenantId,
        visitor_id: VisitorId | None,
        *,
        limit: int,
        after: tuple[datetime, ConversationId] | None,
    ) -> Sequence[Conversation]:
        """Return conversations by their last change, newest first, those after a place in this order."""
        return await self._conversations_of(tenant_id).list_newest(visitor_id=visitor_id, limit=limit, after=after)

    async def read(
        self,
        tenant_id: TenantId,
        conversation_id: ConversationId,
        visitor_id: VisitorId | None,
        *,
        leaf: MessageId | None = None,
        through: MessageId | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Path:
        """Return a conversation with one branch, oldest message first, and the siblings beside its messages.

        The newest branch, the one that ends in `leaf`, or the newest that passes `through` a message. Of a window only
        messages sent from `since` on and before `until`, the newest 500 of them. Raises NotFound, Invalid for a moment
        without a time zone and for `leaf` together with `through`.
        """
        conversations = self._conversations_of(tenant_id)
        if through is not None:
            if leaf is not None:
                raise Invalid("a branch is named by leaf or by through, not by both", details={"field": "through"})
            leaf = await conversations.newest_after(conversation_id, through, visitor_id)
        path = await self._path(conversations, conversation_id, visitor_id, leaf, since, until)
        if not path.messages:
            return path
        parents = [message.parent_id for message in path.messages]
        if visitor_id is not None:  # what the tools gave is no visitor's business
            return replace(path, siblings=await conversations.siblings(conversation_id, parents))
        siblings, rounds = await asyncio.gather(
            conversations.siblings(conversation_id, parents),
            conversations.rounds([message.id for message in path.messages]),
        )
        return replace(path, siblings=siblings, rounds=rounds)

    async def _path(
        self,
        conversations: Conversations,
        conversation_id: ConversationId,
        visitor_id: VisitorId | None,
        leaf: MessageId | None,
        since: datetime | None,
        until: datetime | None,
    ) -> Path:
        if since is None and until is None:
            return await conversations.path(conversation_id, visitor_id=visitor_id, leaf=leaf, limit=LONGEST_PATH)
        return await conversations.window(
            conversation_id,
            visitor_id=visitor_id,
            leaf=leaf,
            since=None if since is None else in_utc(since, "since"),
            until=None if until is None else in_utc(until, "until"),
            limit=LONGEST_PATH,
        )

    async def branches(
        self, tenant_id: TenantId, conversation_id: ConversationId, visitor_id: VisitorId | None
    ) -> Sequence[Branch]:
        """Return a conversation's branches by their last change, newest first. Raises NotFound."""
        return await self._conversations_of(tenant_id).branches(conversation_id, visitor_id)

    async def fork(self, reader: Reader, conversation_id: ConversationId, message_id: MessageId) -> Path:
        """Return a new conversation that begins with the branch up to a message of this one.

        A visitor's fork is the visitor's; what staff or a server fork, the visitor does not see. Raises Forbidden for
        members below agent, NotFound.
        """
        reader.check_may(StaffRole.AGENT)
        conversations = self._conversations_of(reader.tenant_id)
        path = await conversations.path(conversation_id, visitor_id=reader.visitor_id, leaf=message_id, limit=1)
        now = self._clock()
        fork = replace(
            path.conversation,
            id=ConversationId(new_id()),
            visitor_id=reader.visitor_id,
            state=State.ACTIVE,
            created_at=now,
            updated_at=now,
            forked_from=message_id,
        )
        stored = await conversations.fork(message_id, fork, reader.visitor_id)
        return await conversations.path(stored.id, visitor_id=reader.visitor_id, limit=LONGEST_PATH)

    async def controls(self, tenant_id: TenantId, conversation_id: ConversationId) -> Controls:
        """Return a conversation's own instructions. Raises NotFound."""
        return (await self._conversations_of(tenant_id).get(conversation_id)).controls

    async def set_controls(self, tenant_id: TenantId, conversation_id: ConversationId, controls: Controls) -> None:
        """Replace a conversation's own instructions. Raises NotFound."""
        await self._conversations_of(tenant_id).save_controls(conversation_id, controls)

    async def archive(self, tenant_id: TenantId, conversation_id: ConversationId) -> Conversation:
        """Let a conversation take no more messages. Raises NotFound, Conflict when it is archived already."""
        return await self._move(tenant_id, conversation_id, State.ARCHIVED)

    async def unarchive(self, tenant_id: TenantId, conversation_id: ConversationId) -> Conversation:
        """Let an archived conversation take messages again. Raises NotFound, Conflict when it is not archived."""
        return await self._move(tenant_id, conversation_id, State.ACTIVE)

    async def _move(self, tenant_id: TenantId, conversation_id: ConversationId, state: State) -> Conversation:
        conversations = self._conversations_of(tenant_id)
        stored = await conversations.get(conversation_id)
        if state is State.ACTIVE and stored.state is not State.ARCHIVED:
            raise Conflict("this conversation is not archived")
        moved = stored.moved_to(state)
        if not await conversations.move(conversation_id, state, among=(stored.state,)):
            raise Conflict("this conversation has just been changed by somebody else")
        return moved

    async def give_feedback(
        self, tenant_id: TenantId, message_id: MessageId, feedback: Feedback, visitor_id: VisitorId | None
    ) -> None:
        """Keep what somebody thought of an answer. Raises NotFound."""
        await self._conversations_of(tenant_id).give_feedback(message_id, feedback, visitor_id)
