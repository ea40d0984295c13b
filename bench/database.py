"""The database under a year of conversations: what a turn asks of it, how long that takes, and by which plans.

100,000 conversations with 1,000,000 messages are written with COPY, half of them the tenant's that is measured. Then
visitors ask over HTTP, each first in a new conversation and then in the same, and Postgres logs every statement of
theirs with its time: `by_statement`. A turn's statements are those that ask for something, besides what frames them.
`with_commit` is what the functions' own repositories wait for, on a server that writes each commit to the disk, with
all that this process and its neighbours do meanwhile. `scanned` are the large tables that a statement's plan reads
whole, or all of the tenant's rows of; the plan is the generic one, which has to serve whatever values come.
"""

import asyncio
import os
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import httpx
from psycopg import AsyncConnection

from bench.product import visitors
from bench.seeds import MESSAGES_EACH, Seeded, seed
from bench.texts import question
from bench.times import figures, timed
from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.conversation import Turn
from chatconnect.domain.identifiers import AssistantId, ConversationId, TenantId, VisitorId
from local.configuration import DATABASE
from tests.factories import a_conversation, a_tenant, a_turn, answered
from tests.postgres import conninfo
from tests.stack import RunningStack, running_stack
from tests.statement_log import StatementLog, logged, plan, scanned

CONVERSATIONS = int(os.environ.get("BENCH_CONVERSATIONS", "100000"))
VISITORS, TIMES = 250, 1_000
TARGET = {"statements_per_turn": 4, "p99_ms": 10}
LARGE = frozenset({"conversations", "messages", "visitors", "usage_totals"})
_OTHERS = 9
_DURABLE = ("fsync", "full_page_writes")


def main() -> dict[str, Any]:
    """Return the figures: statements of a turn, milliseconds of each, and the large tables that they scan."""
    os.environ["ABUSE_THROTTLING"] = "false"
    return asyncio.run(_measured())


async def _measured() -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        async with running_stack(Path(folder)) as stack:
            owner_url = stack.services.postgres.database_url(DATABASE)
            database = PostgresDatabase(conninfo(stack.settings["DATABASE_URL"]))
            try:
                own = (UUID(stack.demo.tenant_id), UUID(stack.demo.assistant_id))
                others = [await _a_tenant(database) for _ in range(_OTHERS)]
                seeded = await seed(owner_url, [*[own] * _OTHERS, *others], CONVERSATIONS)
                await _make_durable(owner_url)
                turns = await _turns(stack)
                statements = _by_statement(turns.values())
                for figures in statements:
                    shown = await plan(stack.settings["DATABASE_URL"], own[0], figures["statement"])
                    figures["scanned"] = sorted(set(scanned(shown)) & LARGE)
                    figures["statement"] = " ".join(figures["statement"].split())[:100]
                with_commit = await _with_commit(database, TenantId(own[0]), AssistantId(own[1]), seeded)
                return _report({kind: _counted(log) for kind, log in turns.items()}, statements, with_commit)
            finally:
                await database.aclose()


def _report(turns: dict[str, Any], statements: list[dict[str, Any]], with_commit: dict[str, Any]) -> dict[str, Any]:
    slowest = max(each["p99_ms"] for each in statements)
    met = (
        all(each["statements_per_turn"] <= TARGET["statements_per_turn"] for each in turns.values())
        and slowest < TARGET["p99_ms"]
        and not any(each["scanned"] for each in statements)
    )
    return {
        "target": TARGET,
        "target_met": met,
        "conversations": CONVERSATIONS,
        "messages": CONVERSATIONS * MESSAGES_EACH,
        "turns": turns,
        "by_statement": statements,
        "with_commit": with_commit,
    }


async def _a_tenant(database: PostgresDatabase) -> tuple[UUID, UUID]:
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    return new.tenant.id, new.assistant.id


async def _make_durable(owner_url: str) -> None:
    """Write commits to the disk from now on, as a server does whose data counts."""
    async with await AsyncConnection.connect(owner_url, autocommit=True) as connection:
        for setting in _DURABLE:
            await connection.execute(f"ALTER SYSTEM SET {setting} = on")
        await connection.execute("SELECT pg_reload_conf()")


async def _turns(stack: RunningStack) -> dict[str, StatementLog]:
    """Let visitors ask in new conversations, then each once more; return what the database was asked for that."""
    await stack.worker.stop()  # its jobs ask the database, too
    chance, asked = random.Random(), [{"message": ""} for _ in range(VISITORS)]
    turns = {}
    async with httpx.AsyncClient(base_url=stack.api_url, timeout=30) as http:
        tokens = await visitors(stack, VISITORS)
        for kind in ("opening", "following"):
            async with logged(stack.services.postgres) as turns[kind]:
                for token, body in zip(tokens, asked, strict=True):
                    headers = {"Authorization": f"Bearer {token}", "Origin": stack.api_url}
                    body["message"] = question(chance)
                    answer = (await http.post("/v1/chat", json=body, headers=headers)).raise_for_status().json()
                    body["conversation_id"] = answer["conversation_id"]
    return turns


def _counted(log: StatementLog) -> dict[str, Any]:
    return {
        "turns": VISITORS,
        "statements_per_turn": round(len(log.own) / VISITORS, 2),
        "transactions_per_turn": round(log.transactions / VISITORS, 2),
    }


def _by_statement(logs: Iterable[StatementLog]) -> list[dict[str, Any]]:
    times = defaultdict(list)
    for log in logs:
        for ran in log.own:
            times[ran.text].append(ran.ms)
    return [{"statement": text, **figures(took)} for text, took in times.items() if len(took) > VISITORS // 2]


async def _with_commit(
    database: PostgresDatabase, tenant_id: TenantId, assistant_id: AssistantId, seeded: Sequence[Seeded]
) -> dict[str, Any]:
    """Time what a turn stores and reads, and what a visitor's and a member's lists read, one after the other."""
    conversations, chance = PostgresConversations(database, tenant_id), random.Random(7)
    begun: list[Turn] = []
    number = count()

    async def begin() -> None:
        turn = a_turn(a_conversation(tenant_id, assistant_id), at=next(number))
        await conversations.begin(turn)
        begun.append(turn)

    async def complete() -> None:
        await conversations.complete(answered(begun.pop()))

    async def path() -> None:
        one = chance.choice(seeded)
        found = await conversations.path(ConversationId(one.conversation_id), visitor_id=VisitorId(one.visitor_id))
        if len(found.messages) != MESSAGES_EACH:
            raise RuntimeError("this is not the conversation that was written")

    async def visitors_list() -> None:
        await conversations.list_newest(visitor_id=VisitorId(chance.choice(seeded).visitor_id))

    async def tenants_list() -> None:
        await conversations.list_newest()

    return {work.__name__: await timed(TIMES, work) for work in (begin, complete, path, visitors_list, tenants_list)}
