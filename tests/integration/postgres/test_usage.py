"""What the running totals tell a counter that has lost its memory."""

from datetime import timedelta

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.usage import PostgresUsage
from chatconnect.domain.budget import Measure, Period
from chatconnect.domain.conversation import Usage
from chatconnect.domain.moderation import ModerationResult
from tests.factories import NOON, a_conversation, a_tenant, a_turn, answered

DAY = 24 * 60 * 60


async def test_a_day_and_its_month_are_told_apart_and_other_tenants_do_not_count(database: PostgresDatabase) -> None:
    for _ in range(2):
        new = a_tenant()
        await PostgresAccounts(database).open_tenant(new)
        store = PostgresConversations(database, new.tenant.id)
        for at, usage in ((0, Usage(100, 20, 10, 1_234)), (-DAY, Usage(200, 40, 0, 2_000))):
            turn = a_turn(a_conversation(new.tenant.id, new.assistant.id), at=at)
            await store.complete(answered(turn, usage=usage))

    used = await PostgresUsage(database)(new.tenant.id, NOON + timedelta(hours=3))

    assert used == {
        (Measure.MESSAGES, Period.DAY): 1,
        (Measure.TOKENS, Period.DAY): 120,
        (Measure.MONEY, Period.DAY): 1_234,
        (Measure.MESSAGES, Period.MONTH): 2,
        (Measure.TOKENS, Period.MONTH): 360,
        (Measure.MONEY, Period.MONTH): 3_234,
    }


async def test_an_estimate_and_a_moderation_are_read_back_as_they_were_written(database: PostgresDatabase) -> None:
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    store = PostgresConversations(database, new.tenant.id)
    result = ModerationResult(output=("violence",))
    turn = a_turn(a_conversation(new.tenant.id, new.assistant.id))
    finished = answered(turn, usage=Usage(100, 20, 10, 1_234, 5, 9, estimated=True), moderation=result)
    await store.begin(turn)

    await store.complete(finished)

    assert await store.find_message(turn.answer.id) == finished.answer
