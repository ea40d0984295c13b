"""A thousand questions while a fifth of the provider's calls fail: what was promised of streams and books must hold.

The whole product runs as `make dev` runs it. Its provider fails by a seeded plan (`bench.faults`), and visitors stay,
leave, come back, cancel and ask twice (`bench.visits`). Then every stream has ended in exactly one `done` or `error`
and none was silent for too long, every question is stored once with its answer, and the running totals in Postgres and
the budgets in Redis are the sums over the messages (`bench.books`). Prints JSON; ends with status 1 on a violation.

Run as `python -m bench.soak [--seed N] [--visitors N] [--questions N]`.
"""

import argparse
import asyncio
import json
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import httpx
import uvloop
from redis.asyncio import Redis

from bench.books import Books
from bench.faults import Fault, FaultyProvider
from bench.machine import raise_file_limit
from bench.visits import Visit, Visitor
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.secret import Secret
from local.services import free_port, running
from local.services.process import HOST
from tests.integration.api.clients import Caller, Company
from tests.stack import RunningStack, running_stack

MODEL = "gpt-4o-mini"  # it has a price
VISITORS, QUESTIONS = 50, 20
PROVIDER_SECONDS = 20.0  # the product's own limit for a provider's silence
_ARRIVAL_SECONDS = 0.1  # a visitor comes so long after the one before; all at once would test the load, not the faults
_LONGEST_PAUSE = 0.5  # before a question
_SLACK_SECONDS = 8.0  # for a machine with much to do


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is asked: every visitor asks so many questions, one after the other.

    `silence` is the product's limit for its provider's silence, in seconds.
    """

    seed: int
    visitors: int = VISITORS
    questions: int = QUESTIONS
    silence: float = PROVIDER_SECONDS

    @property
    def patience(self) -> float:
        """The longest silence within a stream that is no fault."""
        return self.silence + _SLACK_SECONDS


async def soaked(stack: RunningStack, api_url: str, plan: Plan, folder: Path) -> dict[str, Any]:
    """Run the plan against an API of the stack; return what came of it. What went wrong is in "violations"."""
    provider = FaultyProvider(folder, free_port(), plan.seed)
    async with running(provider), _client(api_url, plan) as http, _stores(stack) as (database, redis):
        with _closed_port() as closed:
            served = await _company(http, "Served", provider.url)
            unserved = await _company(http, "Unserved", f"http://{HOST}:{closed}/v1")
            began = time.monotonic()
            visits = await _all_visits(served, unserved, plan)
            seconds = time.monotonic() - began
            violations = [wrong for visit in visits for wrong in visit.wrong]
            for company, theirs in (
                (served, [visit for visit in visits if visit.script.fault is not Fault.REFUSED]),
                (unserved, [visit for visit in visits if visit.script.fault is Fault.REFUSED]),
            ):
                books = Books(database, redis, TenantId(UUID(company.tenant_id)))
                await books.closed(2 * plan.patience)
                violations += await books.faults(theirs)
        tries = await _tries(provider)
    violations += _try_faults(visits, tries)
    return _report(plan, visits, tries, seconds, violations)


async def _all_visits(served: Company, unserved: Company, plan: Plan) -> list[Visit]:
    """Let all visitors ask at the same time and return what they heard, in the order of the questions."""

    async def one(number: int, callers: dict[bool, Caller]) -> list[Visit]:
        visitor, visits = Visitor(callers, plan.patience), []
        await asyncio.sleep(number * _ARRIVAL_SECONDS)
        for at in range(plan.questions):
            visits.append(visit := Visit.planned(plan.seed, number * plan.questions + at))
            await asyncio.sleep(visit.chance.uniform(0, _LONGEST_PAUSE))
            await visitor.visit(visit)
        return visits

    callers = [{True: await served.visitor(), False: await unserved.visitor()} for _ in range(plan.visitors)]
    return [visit for some in await asyncio.gather(*map(one, range(plan.visitors), callers)) for visit in some]


def _try_faults(visits: Sequence[Visit], tries: Counter[int]) -> list[str]:
    """Say which questions the provider was asked too often, or not often enough."""
    return [
        f"the provider was asked question {visit.number} {tries[visit.number]} times, not {visit.script.asked}"
        for visit in visits
        if tries[visit.number] > visit.script.asked
        or (tries[visit.number] < visit.script.asked and visit.outcome != "done cancelled")
    ]


def _report(
    plan: Plan, visits: Sequence[Visit], tries: Counter[int], seconds: float, violations: list[str]
) -> dict[str, Any]:
    outcomes: dict[str, list[float]] = {}
    for visit in visits:
        outcomes.setdefault(visit.outcome, []).append(visit.seconds)
    return {
        "seed": plan.seed,
        "questions": len(visits),
        "streams": sum(visit.streams for visit in visits),
        "provider_calls": tries.total(),
        "failing_share": round(sum(visit.script.fault is not Fault.NONE for visit in visits) / len(visits), 3),
        "faults": Counter(visit.script.fault.value for visit in visits),
        "manners": Counter(visit.manner.value for visit in visits),
        "outcomes": {
            outcome: {
                "count": len(took),
                "median_seconds": round(median(took), 2),
                "longest_seconds": round(max(took), 2),
            }
            for outcome, took in sorted(outcomes.items())
        },
        "longest_silence_seconds": round(max(visit.silence for visit in visits), 2),
        "silence_limit_seconds": plan.patience,
        "seconds": round(seconds, 1),
        "violations": violations,
    }


async def _company(http: httpx.AsyncClient, name: str, base_url: str) -> Company:
    company = await Company.opened(http, name)
    await company.uses("openai", base_url, model=MODEL, access_token="sk-of-the-soak", max_tokens=200)
    return company


async def _tries(provider: FaultyProvider) -> Counter[int]:
    async with httpx.AsyncClient(trust_env=False) as http:
        counted = (await http.get(f"{provider.url}/tries")).raise_for_status().json()
    return Counter({int(number): tries for number, tries in counted.items()})


@asynccontextmanager
async def _client(api_url: str, plan: Plan) -> AsyncIterator[httpx.AsyncClient]:
    # Each request has a connection of its own: one that waits to be used again may be closed in that very moment.
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=api_url, timeout=plan.patience, trust_env=False, limits=limits) as http:
        yield http


@asynccontextmanager
async def _stores(stack: RunningStack) -> AsyncIterator[tuple[PostgresDatabase, Redis]]:
    async def conninfo() -> Secret:
        return Secret(stack.settings["DATABASE_URL"])

    database, redis = PostgresDatabase(conninfo, pool_size=2), Redis.from_url(stack.settings["REDIS_URL"])
    try:
        yield database, redis
    finally:
        await database.aclose()
        await redis.aclose()


@contextmanager
def _closed_port() -> Iterator[int]:
    """Give a port at which every connection is refused, and that nobody else can take meanwhile."""
    with socket.socket() as kept:
        kept.bind((HOST, 0))
        port: int = kept.getsockname()[1]
        yield port


async def _whole(plan: Plan) -> dict[str, Any]:
    raise_file_limit()
    with tempfile.TemporaryDirectory() as folder:
        async with running_stack(Path(folder) / "stack") as stack:
            return await soaked(stack, stack.api_url, plan, Path(folder) / "provider")


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--visitors", type=int, default=VISITORS)
    parser.add_argument("--questions", type=int, default=QUESTIONS, help="of each visitor")
    arguments = parser.parse_args()
    report = uvloop.run(_whole(Plan(arguments.seed, arguments.visitors, arguments.questions)))
    print(json.dumps(report, indent=2))
    sys.exit(1 if report["violations"] else 0)


if __name__ == "__main__":
    _main()
