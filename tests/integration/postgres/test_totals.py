"""Running totals say the same as the messages that they were made of."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.conversation import MessageStatus, Turn, Usage
from chatconnect.domain.identifiers import TenantId
from tests.factories import a_conversation, a_tenant, a_turn, answered
from tests.postgres import conninfo

DAY = 24 * 60 * 60
FIGURES = ("answers", "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "cost_microusd")

figures_of_usage = st.integers(0, 10_000)
usages = st.builds(
    Usage, *(figures_of_usage for _ in range(4)), estimated=st.booleans(), cache_write_tokens=figures_of_usage
)
endings = st.sampled_from(
    [
        (MessageStatus.COMPLETE, "stop", None),
        (MessageStatus.PARTIAL, "cancelled", None),
        (MessageStatus.PARTIAL, "error", "provider_failed"),
        (MessageStatus.FAILED, "error", "provider_busy"),
    ]
)


@dataclass(frozen=True)
class Step:
    """What happens to one turn: in which conversation and when, how it ended, and how often each call arrives."""

    conversation: int
    day: int
    usage: Usage
    ending: tuple[MessageStatus, str, str | None]
    begins: int
    completions: int


steps = st.builds(
    Step,
    st.integers(0, 2),
    st.integers(0, 40),
    usages,
    endings,
    begins=st.integers(0, 2),
    completions=st.integers(0, 3),
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps, max_size=8))
def test_totals_are_the_sums_of_the_answers(app_url: str, plan: list[Step]) -> None:
    asyncio.run(check_totals(app_url, plan))


async def check_totals(app_url: str, plan: Sequence[Step]) -> None:
    database = PostgresDatabase(conninfo(app_url), pool_size=3)
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    store = PostgresConversations(database, new.tenant.id)
    conversations = [a_conversation(new.tenant.id, new.assistant.id) for _ in range(3)]

    expected: Counter[tuple[str, UUID, str, str, str]] = Counter()
    for step in plan:
        known = {each.id for each in await store.list_newest()}
        conversation = conversations[step.conversation]
        turn = a_turn(conversation, at=step.day * DAY, opens=conversation.id not in known)
        status, reason, code = step.ending
        finished = answered(turn, usage=step.usage, status=status, finish_reason=reason, error_code=code)
        for _ in range(step.begins):
            await store.begin(turn)
        await asyncio.gather(*(store.complete(finished) for _ in range(step.completions)))
        if step.completions:
            expected += figures(new.tenant.id, finished)

    assert await stored_totals(database, new.tenant.id) == expected
    assert await sums_of_messages(database, new.tenant.id) == expected
    await database.aclose()


async def sums_of_messages(database: PostgresDatabase, tenant_id: TenantId) -> Counter[tuple[str, UUID, str, str, str]]:
    """What the answers took by whom and when, as the messages themselves say."""
    async with database.transaction(tenant_id) as connection:
        rows = await (
            await connection.execute(
                "SELECT subject, subjects.id, period, date_trunc(period, m.created_at AT TIME ZONE 'UTC')::date::text,"
                " count(*),"
                " sum(input_tokens), sum(output_tokens), sum(cached_tokens), sum(cache_write_tokens),"
                " sum(cost_microusd)"
                " FROM messages m,"
                " LATERAL (VALUES ('tenant', tenant_id), ('visitor', visitor_id), ('conversation', conversation_id))"
                " AS subjects (subject, id), (VALUES ('day'), ('month')) AS periods (period)"
                " WHERE role = 'assistant' AND status <> 'pending' AND subjects.id IS NOT NULL GROUP BY 1, 2, 3, 4"
            )
        ).fetchall()
    return _counted(rows)


def figures(tenant_id: TenantId, turn: Turn) -> Counter[tuple[str, UUID, str, str, str]]:
    day = turn.answer.created_at.date()
    usage = turn.answer.usage
    tokens = (usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cache_write_tokens)
    taken = (1, *tokens, usage.cost_microusd)
    subjects = [
        ("tenant", tenant_id),
        ("conversation", turn.conversation.id),
        ("visitor", turn.conversation.visitor_id),
    ]
    return +Counter(
        {
            (subject, id_, period, start.isoformat(), name): figure
            for subject, id_ in subjects
            if id_ is not None
            for period, start in (("day", day), ("month", day.replace(day=1)))
            for name, figure in zip(FIGURES, taken, strict=True)
        }
    )


async def stored_totals(database: PostgresDatabase, tenant_id: TenantId) -> Counter[tuple[str, UUID, str, str, str]]:
    async with database.transaction(tenant_id) as connection:
        rows = await (
            await connection.execute(
                "SELECT subject, subject_id, period, starts_on::text, answers, input_tokens, output_tokens,"
                " cached_tokens, cache_write_tokens, cost_microusd FROM usage_totals"
            )
        ).fetchall()
    return _counted(rows)


def _counted(rows: Sequence[tuple[Any, ...]]) -> Counter[tuple[str, UUID, str, str, str]]:
    found: Counter[tuple[str, UUID, str, str, str]] = Counter()
    for subject, id_, period, start, *values in rows:
        for name, figure in zip(FIGURES, values, strict=True):
            found[subject, id_, period, start, name] += int(figure)
    return +found


async def test_totals_of_a_servers_conversation_have_no_visitor(database: PostgresDatabase) -> None:
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    turn = answered(a_turn(a_conversation(new.tenant.id, new.assistant.id, visitor_id=None)))

    await PostgresConversations(database, new.tenant.id).complete(turn)

    assert {subject for subject, *_ in await stored_totals(database, new.tenant.id)} == {"tenant", "conversation"}
