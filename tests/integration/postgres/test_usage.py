"""What the running totals tell a counter that has lost its memory, and a tenant; and the tenant's own caps."""

from datetime import timedelta

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.adapters.postgres.usage import PostgresUsage, PostgresUsageRecords
from chatconnect.domain.budget import Cap, Measure, Period
from chatconnect.domain.conversation import Usage
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.knowledge import Embedded
from chatconnect.domain.moderation import ModerationResult
from chatconnect.ports.usage import Subject, Total
from tests.factories import NOON, a_conversation, a_document, a_tenant, a_turn, answered
from tests.fakes.encryption import ReversingEncryption

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


async def test_totals_are_shown_of_a_tenant_a_visitor_and_a_conversation_in_a_stretch_of_time(
    database: PostgresDatabase,
) -> None:
    new, other = a_tenant(), a_tenant()
    for each in (new, other):
        await PostgresAccounts(database).open_tenant(each)
    store, records = PostgresConversations(database, new.tenant.id), PostgresUsageRecords(database, new.tenant.id)
    first, second = (a_conversation(new.tenant.id, new.assistant.id) for _ in range(2))
    for conversation, at in ((first, 0), (second, 0), (first, 2 * DAY), (first, 40 * DAY)):
        known = {each.id for each in await store.list_newest()}
        turn = a_turn(conversation, at=at, opens=conversation.id not in known)
        await store.complete(answered(turn, usage=Usage(100, 20, 10, 1_234, cache_write_tokens=5)))
    today = NOON.date()
    soon = {"since": today, "until": today + timedelta(days=30)}

    days = await records.totals(Subject.TENANT, new.tenant.id, Period.DAY, **soon)
    months = await records.totals(
        Subject.TENANT, new.tenant.id, Period.MONTH, since=today.replace(day=1), until=today + timedelta(days=60)
    )

    assert days == [
        Total(today + timedelta(days=2), 1, 100, 20, 10, 5, 1_234),
        Total(today, 2, 200, 40, 20, 10, 2_468),
    ]
    assert [(each.starts_on.month, each.answers) for each in months] == [(4, 1), (3, 3)]
    assert first.visitor_id
    of_visitor = await records.totals(Subject.VISITOR, first.visitor_id, Period.DAY, **soon)
    of_second = await records.totals(Subject.CONVERSATION, second.id, Period.DAY, **soon)
    assert [(each.starts_on, each.answers) for each in of_visitor] == [(today + timedelta(days=2), 1), (today, 1)]
    assert [(each.starts_on, each.answers) for each in of_second] == [(today, 1)]
    foreign = PostgresUsageRecords(database, other.tenant.id)
    assert await foreign.totals(Subject.CONVERSATION, second.id, Period.DAY, **soon) == []


async def test_what_was_embedded_adds_up_beside_the_answers(database: PostgresDatabase) -> None:
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    documents, document = PostgresDocuments(database, new.tenant.id), a_document(new.tenant.id)
    await documents.add(document)
    first = NOON.date().replace(day=1)

    for day in (first, first, first + timedelta(days=1)):
        await documents.add_embedded(document.newest.id, Embedded(1_000, 20), day)

    records, until = PostgresUsageRecords(database, new.tenant.id), first + timedelta(days=5)
    days = await records.totals(Subject.TENANT, new.tenant.id, Period.DAY, since=first, until=until)
    months = await records.totals(Subject.TENANT, new.tenant.id, Period.MONTH, since=first, until=until)
    assert [(each.starts_on, each.embedding_tokens, each.embedding_cost_microusd) for each in days] == [
        (first + timedelta(days=1), 1_000, 20),
        (first, 2_000, 40),
    ]
    assert months == [Total(first, 0, 0, 0, 0, 0, 0, 3_000, 60)]


async def test_a_tenants_own_caps_replace_each_other_and_come_with_its_plan(database: PostgresDatabase) -> None:
    new, other = a_tenant(), a_tenant()
    for each in (new, other):
        await PostgresAccounts(database).open_tenant(each)
    records = PostgresUsageRecords(database, new.tenant.id)
    tokens, money = Cap(Measure.TOKENS, Period.DAY, 500, 300), Cap(Measure.MONEY, Period.MONTH, 9_000)

    await records.save_caps([Cap(Measure.TOKENS, Period.DAY, 5), Cap(Measure.MESSAGES, Period.HOUR, 7)])
    await records.save_caps([tokens, money])

    plan = await tenants(database, new.tenant.id).plan()
    assert set(plan.own_caps) == {tokens, money}
    assert tokens in plan.caps
    assert (await tenants(database, other.tenant.id).plan()).own_caps == ()
    await records.save_caps([])
    assert (await tenants(database, new.tenant.id).plan()).own_caps == ()


async def test_the_timings_of_an_answer_are_read_back_as_they_were_written(database: PostgresDatabase) -> None:
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    store = PostgresConversations(database, new.tenant.id)
    finished = answered(a_turn(a_conversation(new.tenant.id, new.assistant.id)), timings={"admit": 0.4, "search": 12})

    await store.complete(finished)

    assert await store.find_message(finished.answer.id) == finished.answer


def tenants(database: PostgresDatabase, tenant_id: TenantId) -> PostgresTenants:
    return PostgresTenants(database, tenant_id, encryption=ReversingEncryption())
