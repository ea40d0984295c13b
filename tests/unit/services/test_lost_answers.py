"""Which answers are given up."""

from collections.abc import AsyncIterator
from datetime import timedelta

from chatconnect.domain.conversation import MessageStatus
from chatconnect.domain.identifiers import AssistantId, TenantId, new_id
from chatconnect.services.lost_answers import GIVEN_UP_AFTER, LostAnswersService
from tests.factories import a_conversation, a_turn
from tests.fakes.conversations import MemoryConversations, StoredConversations

ACME, GLOBEX = TenantId(new_id()), TenantId(new_id())


class Both:
    """The two tenants there are."""

    async def tenant_ids(self) -> AsyncIterator[TenantId]:
        for tenant_id in (ACME, GLOBEX):
            yield tenant_id


async def test_an_answer_is_given_up_when_it_should_have_ended_long_ago_whoever_asked_for_it() -> None:
    stored = StoredConversations()
    turns = [a_turn(a_conversation(tenant_id, AssistantId(new_id()))) for tenant_id in (ACME, GLOBEX)]
    for turn in turns:
        await MemoryConversations(stored, turn.conversation.tenant_id).begin(turn)
    begun = turns[0].answer.created_at

    def service(age: timedelta) -> LostAnswersService:
        return LostAnswersService(
            directory=Both(),
            conversations_of=lambda tenant_id: MemoryConversations(stored, tenant_id),
            clock=lambda: begun + age,
        )

    early = await service(GIVEN_UP_AFTER).close_all()
    late = await service(GIVEN_UP_AFTER + timedelta(seconds=1)).close_all()

    assert (early, late) == (0, 2)
    assert all(message.status is not MessageStatus.PENDING for message in stored.messages.values())
