"""Removes one tenant filter after the other from the statements that run, and looks whether anybody notices.

`python -m tests.tenant_filters [operations] [seed]`, or `make mutate`. First every statement is taken as it is and
row-level security is switched off: the filters hold by themselves. Then each of them is left out in turn: several
tenants with things of the same ids (see side_by_side.py) must meet each other's rows. Then all are left out at once
and row-level security is on again: it holds by itself. Redis's keys and Qdrant's conditions are left to tenant_keys.py.
What is found is printed as JSON; the status is 1 when anything survives.
"""

import asyncio
import json
import random
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg import AsyncConnection, AsyncCursor, sql

from chatconnect.adapters.postgres import database as statements
from chatconnect.adapters.postgres.database import PostgresDatabase
from local.database import prepare_database
from local.services import Postgres, Qdrant, Redis, free_port
from tests.postgres import conninfo
from tests.side_by_side import Side, open_sides, remembering, run
from tests.side_operations import DOCUMENTS, TALKS, TOOLS, VISITORS, activates
from tests.side_records import AUDIT, INDEXES, RECORDS, REQUESTS, SEALED, SIGNALS, USAGE
from tests.side_settings import ASSISTANTS, KEYS, PEOPLE
from tests.side_things import THINGS, Operation, Things
from tests.tenant_keys import look as look_at_keys

FILTER = re.compile(r"(?:\w+\.)?(?:tenant_id|id) = %\(tenant\)s|\w+\.(?:tenant_id|id) = \w+\.tenant_id")
_FOR_EACH_TABLE = re.compile(
    r"\s*(SELECT \(\(to_jsonb|(?:SELECT count\(\*\)(?: AS rows)?|DELETE) FROM (?!data_requests))"
)
TENANTS = 3
TRIES = 6


@dataclass(frozen=True)
class Area:
    """What is done with things that have to do with each other, and what has to be there `before` it means anything.

    `alone`: there is no fake of them, so that a tenant's memory is another database.
    """

    operations: Sequence[Operation]
    before: Sequence[Operation] = ()
    alone: bool = False

    @property
    def all(self) -> Sequence[Operation]:
        """Every operation once."""
        return list(dict.fromkeys([*self.before, *self.operations]))


AREAS = (
    *map(Area, (TALKS, DOCUMENTS, TOOLS, VISITORS, PEOPLE, KEYS, ASSISTANTS)),
    Area(SIGNALS, VISITORS, alone=True),
    Area((*INDEXES, activates), DOCUMENTS, alone=True),
    Area(USAGE, (*TALKS, *DOCUMENTS, *PEOPLE), alone=True),
    Area(AUDIT, KEYS, alone=True),
    Area(REQUESTS, (), alone=True),
    Area(SEALED, (*TOOLS, *KEYS, *ASSISTANTS), alone=True),
    Area(RECORDS, (*TALKS, *DOCUMENTS, *VISITORS, *ASSISTANTS, *REQUESTS), alone=True),
)

_FILLING = (
    "asks", "begins", "completes", "rates", "adds", "processes", "keeps", "activates", "recognises", "blocks",
    "invites", "accepts", "saves", "finishes",
)  # fmt: skip
_LOOKING = ("reads", "looks", "lists")
_REMOVING = ("removes_document", "erases_visitor")

Place = tuple[str, int]
"""A statement, and which of its filters."""

# What cannot show here, by what stands around the filter.
UNOBSERVABLE: Mapping[str, str] = {
    r"FROM messages other WHERE >>>|THEN m\.idempotency_key END WHERE >>>": "see postgres/test_merging.py",
    r"SET \w+ = %\(sealed\)s, .*>>>.*= %\(former\)s": "what was sealed for two tenants is never equal",
    r"^SELECT .* of each table >>> 1 <<<": "a message of an equal id is of an equal conversation",
    r"SELECT FROM \w+ WHERE >>>.*FOR (NO KEY )?UPDATE$": "a lock, for which others would only wait",
    r"SELECT p.members FROM tenants t .*>>>": "only a tenant at its limit notices",
    r"WITH room AS .*(count|sum)\(.*>>>.*AS for_(document|file) FROM tenants": "only a tenant at its limit notices",
    r"WHEN NOT EXISTS \( SELECT FROM messages WHERE >>>.*idempotency_key": "only a turn stored late notices",
    r"SELECT active FROM knowledge_indexes WHERE >>>": "no tenant here has an index of its own",
    r"SET knowledge_version = knowledge_version \+ 1 WHERE >>>": "what it changes is read by caches alone",
    r"SELECT id FROM document_versions WHERE >>> \S+ = \S+ <<< AND (document_)?id =": "the id is equal, and all of it",
    r"FROM way JOIN messages m ON >>>": "the way up is the same for equal ids, and only its length counts",
    r"FROM conversations WHERE >>>.*IS NOT DISTINCT FROM": "without one's own conversation a foreign key refuses it",
    r"LEFT JOIN document_versions a ON >>>": "the number of the version, which is the same for all here",
    r"d.active_version_id = v.id WHERE >>>": "one of the tenant's own, by a join; twice is once in a set",
    r"FROM document_versions v WHERE >>> .* AND d.tenant_id = ": "one of the tenant's own, by a join",
}

_doing: ContextVar[Operation | None] = ContextVar("doing", default=None)


class Statements:
    """The statements that run, and what is left out of them. Those of the tenants' memory run as they are."""

    def __init__(self) -> None:
        self.seen: dict[str, dict[Operation, int]] = {}
        self.refused = {operation for area in AREAS for operation in area.all}
        self.left_out: Place | None = None
        self.all_left_out = False

    def rewritten(self, statement: str) -> str:
        """Note a statement, and return it as it is to run."""
        doing = None if remembering.get() else _doing.get()
        found = list(FILTER.finditer(statement))
        if doing is None or not found:
            return statement
        if self.all_left_out:
            return FILTER.sub("true", statement)
        kind = _kind(statement, doing)
        users = self.seen.setdefault(kind, {})
        users[doing] = max(len(found), users.get(doing, 0))
        if self.left_out is None or kind != self.left_out[0] or len(found) <= self.left_out[1]:
            return statement
        filter_ = found[self.left_out[1]]
        return f"{statement[: filter_.start()]}true{statement[filter_.end() :]}"


def _kind(statement: str, doing: Operation) -> str:
    """The statement, or what it begins with when there is one like it for each table."""
    found = _FOR_EACH_TABLE.match(statement) if doing in RECORDS else None
    return f"{found[1]} ... of each table" if found else statement


@contextmanager
def rewriting(kept: Statements) -> Iterator[None]:
    """Have every statement of the repositories go through `kept`."""
    numbered, execute = statements._with_numbers, AsyncCursor.execute

    def with_numbers(statement: str) -> tuple[bytes, tuple[str, ...]]:
        return numbered(kept.rewritten(statement))

    async def executed(self: AsyncCursor[Any], query: Any, *arguments: Any, **named: Any) -> Any:
        text = query.decode() if isinstance(query, bytes) else query
        return await execute(self, kept.rewritten(text) if isinstance(text, str) else text, *arguments, **named)

    with patch.object(statements, "_with_numbers", with_numbers), patch.object(AsyncCursor, "execute", executed):
        yield


class Filters:
    """Runs what there is, in a database that several tenants share and in one in which each is alone."""

    def __init__(self, shared: PostgresDatabase, alone: PostgresDatabase, seed: int) -> None:
        self.kept = Statements()
        self._shared, self._alone, self._seed = shared, alone, seed

    async def run_all(self, operations: int) -> int:
        """Do everything, in no order, and return how often a store was called. Raises Crossed."""
        done, chance = 0, random.Random(self._seed)
        for alone in (False, True):
            every = [watched(each, self.kept) for area in AREAS if area.alone is alone for each in area.all]
            sides = await self._open_sides(alone=alone)
            filling = [each for each in every if each.__name__.startswith(_FILLING)]
            await asyncio.gather(*(does_all(side, filling, chance) for side in sides))
            done += await run(sides, chance.randbytes(3 * operations), every)
        return done

    async def look(self) -> dict[str, Any]:
        """Leave out each filter that was seen; return what nobody noticed."""
        places = [(kind, n) for kind, users in self.kept.seen.items() for n in range(max(users.values()))]
        survivors, unobservable = [], dict[str, str]()
        for place in places:
            if not await self._is_noticed(place):
                text = shown(place)
                reason = next((reason for around, reason in UNOBSERVABLE.items() if re.search(around, text)), None)
                if reason is None:
                    survivors.append(text)
                    sys.stderr.write(f"survives: {text}\n")
                else:
                    unobservable[text] = reason
        # What is always refused shows nothing.
        survivors += [f"{operation.__name__} is refused whenever it is tried" for operation in self.kept.refused]
        found = {"statements": len(self.kept.seen), "filters": len(places)}
        return {**found, "unobservable": unobservable, "survivors": survivors}

    async def _is_noticed(self, place: Place) -> bool:
        users, chance = self.kept.seen[place[0]], random.Random(self._seed)
        for area in AREAS:
            using = [each for each in area.operations if users.get(each, 0) > place[1]]
            if using and await self._is_noticed_in(area, using, place, chance):
                return True
        return False

    async def _is_noticed_in(self, area: Area, using: list[Operation], place: Place, chance: random.Random) -> bool:
        """Whether tenants meet each other without a filter: all have everything, use the statement, and look again."""
        filling, looking, removing = (
            [watched(each, self.kept) for each in area.all if each.__name__.startswith(names)]
            for names in (_FILLING, _LOOKING, _REMOVING)
        )
        for _ in range(TRIES):
            sides = await self._open_sides(alone=area.alone)
            await asyncio.gather(*(does_all(side, filling, chance, share=0.6) for side in sides))
            await asyncio.gather(*(does_all(side, removing, chance, share=0.3) for side in sides))
            self.kept.left_out = place
            try:
                for _ in range(5):
                    await run(sides, chance.randbytes(3 * 6), [watched(each, self.kept) for each in using])
                    await asyncio.gather(*(does_all(side, looking, chance) for side in sides))
            except (AssertionError, psycopg.Error, ValueError, LookupError):
                return True
            finally:
                self.kept.left_out = None
        return False

    async def _open_sides(self, *, alone: bool) -> list[Side]:
        return await open_sides(self._shared, TENANTS, alone=self._alone if alone else None)


def watched(operation: Operation, kept: Statements) -> Operation:
    """The operation, whose statements can be told from those that open tenants; that it was not refused is kept."""

    async def doing(of: Any, things: Things, number: int) -> object:
        token = _doing.set(operation)
        try:
            found = await operation(of, things, number)
            kept.refused.discard(operation)
            return found
        finally:
            _doing.reset(token)

    doing.__name__ = operation.__name__
    return doing


async def does_all(side: Side, operations: Sequence[Operation], chance: random.Random, *, share: float = 0.8) -> None:
    """Let a tenant do each operation with most of its things."""
    for operation in operations:
        for number in range(THINGS):
            if chance.random() < share:
                await side.does(operation, number)


def shown(place: Place) -> str:
    """A filter that survived: its statement in one line, the filter marked."""
    text, number = place
    found = list(FILTER.finditer(text))[number : number + 1]
    if not found:
        return f"{text} >>> {number} <<<"
    start, end = found[0].span()
    return " ".join(f"{text[:start]}>>> {text[start:end]} <<<{text[end:]}".split())


async def switch_row_level_security(owner_url: str, *, on: bool) -> None:
    """Have it let every row pass, or no more; the tables stay those that have it, by which records are found."""
    change = "DROP POLICY everybodys ON {}" if on else "CREATE POLICY everybodys ON {} USING (true) WITH CHECK (true)"
    async with await AsyncConnection.connect(owner_url, autocommit=True) as connection:
        found = await connection.execute("SELECT DISTINCT tablename FROM pg_policies WHERE schemaname = 'public'")
        for (table,) in await found.fetchall():
            await connection.execute(sql.SQL(change).format(sql.Identifier(table)))


async def main(operations: int, seed: int) -> dict[str, Any]:
    """Return what was found; see the module."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # the server runs as somebody else
        async with Redis(folder / "redis", free_port()) as redis, Qdrant(folder / "qdrant", free_port()) as qdrant:
            elsewhere = await look_at_keys(redis.url, qdrant.url)
        async with Postgres(folder / "postgres", free_port(), durable=False) as server:
            return {"seed": seed, **await look_at_filters(server, operations, seed), **elsewhere}


async def look_at_filters(server: Postgres, operations: int, seed: int) -> dict[str, Any]:
    """Return what was found of the filters of the SQL."""
    async with AsyncExitStack() as stack:
        databases = []
        for name in ("chatconnect", "alone"):
            url = await prepare_database(server, name)
            databases.append(PostgresDatabase(conninfo(url), pool_size=4, prepare=False))
            stack.push_async_callback(databases[-1].aclose)
        shared, alone = databases
        filters, owner_url = Filters(shared, alone, seed), server.database_url("chatconnect")
        with rewriting(filters.kept):
            await switch_row_level_security(owner_url, on=False)
            await filters.run_all(operations)
            found = await filters.look()
            await switch_row_level_security(owner_url, on=True)
            filters.kept.all_left_out = True
            found["by_row_level_security_alone"] = await filters.run_all(operations)
    return found


if __name__ == "__main__":
    wanted = [int(argument) for argument in sys.argv[1:]]
    outcome = asyncio.run(main(*(wanted + [1_500, 7][len(wanted) :])))
    sys.stdout.write(json.dumps(outcome, indent=2) + "\n")
    sys.exit(1 if any(found["survivors"] for found in (outcome, outcome["redis"], outcome["qdrant"])) else 0)
