"""Removes one tenant filter after the other from the statements that run, and looks whether anybody notices.

`python -m tests.tenant_filters [operations] [seed]`, or `make mutate`. First every statement is taken as it is and
row-level security is switched off: the filters hold by themselves. Then each of them is left out in turn: several
tenants with things of the same ids (see side_by_side.py) must meet each other's rows. At last all are left out at once
and row-level security is on again: it holds by itself. What is found is printed as JSON; the status is 1 when anything
survives.
"""

import asyncio
import json
import random
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import psycopg
from psycopg import AsyncConnection, AsyncCursor, sql

from chatconnect.adapters.postgres import database as statements
from chatconnect.adapters.postgres.database import PostgresDatabase
from local.database import prepare_database
from local.services import Postgres, free_port
from tests.postgres import conninfo
from tests.side_by_side import Side, open_sides, run
from tests.side_operations import OPERATIONS, THINGS, Operation, Things, removes_document

FILTER = re.compile(r"(?:\w+\.)?(?:tenant_id|id) = %\(tenant\)s|\w+\.tenant_id = \w+\.tenant_id")
TENANTS = 3
TRIES = 6
_FILLING = ("begins", "completes", "rates", "adds", "processes", "keeps", "activates", "recognises", "blocks")
_LOOKING = ("reads", "looks", "lists")
FILLING = [each for each in dict.fromkeys(OPERATIONS) if each.__name__.startswith(_FILLING)]
LOOKING = [each for each in dict.fromkeys(OPERATIONS) if each.__name__.startswith(_LOOKING)]

Place = tuple[str, int]
"""A statement, and which of its filters."""

# What cannot show here, by what stands around the filter.
UNOBSERVABLE: Mapping[str, str] = {
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
    """The statements that run, and what is left out of them."""

    def __init__(self) -> None:
        self.seen: dict[str, set[Operation]] = {}
        self.left_out: Place | None = None
        self.all_left_out = False

    def rewritten(self, statement: str) -> str:
        """Note a statement, and return it as it is to run."""
        doing = _doing.get()
        if doing is not None and FILTER.search(statement):
            self.seen.setdefault(statement, set()).add(doing)
        if self.all_left_out:
            return FILTER.sub("true", statement) if doing is not None else statement
        if self.left_out is None or statement != self.left_out[0]:
            return statement
        found = list(FILTER.finditer(statement))[self.left_out[1]]
        return f"{statement[: found.start()]}true{statement[found.end() :]}"


@contextmanager
def rewriting(kept: Statements) -> Iterator[None]:
    """Have every statement of the repositories go through `kept`."""
    numbered, execute = statements._with_numbers, AsyncCursor.execute

    def with_numbers(statement: str) -> tuple[bytes, tuple[str, ...]]:
        return numbered(kept.rewritten(statement))

    async def executed(self: AsyncCursor[Any], query: Any, *arguments: Any, **named: Any) -> Any:
        return await execute(self, kept.rewritten(query) if isinstance(query, str) else query, *arguments, **named)

    with patch.object(statements, "_with_numbers", with_numbers), patch.object(AsyncCursor, "execute", executed):
        yield


def watched(operation: Operation) -> Operation:
    """The operation, whose statements can be told from those that open tenants."""

    async def doing(of: Any, things: Things, number: int) -> object:
        token = _doing.set(operation)
        try:
            return await operation(of, things, number)
        finally:
            _doing.reset(token)

    doing.__name__ = operation.__name__
    return doing


async def look(database: PostgresDatabase, kept: Statements, operations: int, seed: int) -> dict[str, Any]:
    """Run what there is once as it is and once without each filter; return what nobody noticed."""
    script = random.Random(seed).randbytes(3 * operations)
    every = [watched(operation) for operation in OPERATIONS]
    await run(await open_sides(database, TENANTS), script, every)
    places = [(text, number) for text in kept.seen for number in range(len(FILTER.findall(text)))]
    by_operation = {operation: watched(operation) for operation in OPERATIONS}
    survivors, unobservable = [], dict[str, str]()
    for place in places:
        near = [by_operation[operation] for operation in kept.seen[place[0]]]
        if not await is_noticed(database, kept, place, near, random.Random(seed)):
            text = shown(place)
            reason = next((reason for around, reason in UNOBSERVABLE.items() if re.search(around, text)), None)
            if reason is None:
                survivors.append(text)
            else:
                unobservable[text] = reason
    return {"statements": len(kept.seen), "filters": len(places), "unobservable": unobservable, "survivors": survivors}


async def is_noticed(
    database: PostgresDatabase, kept: Statements, place: Place, operations: list[Operation], chance: random.Random
) -> bool:
    """Whether tenants meet each other without a filter: all have everything, use the statement, and look again."""
    for _ in range(TRIES):
        sides = await open_sides(database, TENANTS)
        await asyncio.gather(*(does_all(side, FILLING, chance, share=0.6) for side in sides))
        await asyncio.gather(*(does_all(side, [removes_document], chance, share=0.3) for side in sides))
        kept.left_out = place
        try:
            for _ in range(5):
                await run(sides, chance.randbytes(3 * 6), operations)
                await asyncio.gather(*(does_all(side, LOOKING, chance) for side in sides))
        except (AssertionError, psycopg.Error, ValueError, LookupError):
            return True
        finally:
            kept.left_out = None
    return False


async def does_all(side: Side, operations: Sequence[Operation], chance: random.Random, *, share: float = 0.8) -> None:
    """Let a tenant do each operation with most of its things."""
    for operation in operations:
        for number in range(THINGS):
            if chance.random() < share:
                await side.does(operation, number)


def shown(place: Place) -> str:
    """A filter that survived: its statement in one line, the filter marked."""
    text, number = place
    found = list(FILTER.finditer(text))[number]
    marked = f"{text[: found.start()]}>>> {found[0]} <<<{text[found.end() :]}"
    return " ".join(marked.split())


async def switch_row_level_security(owner_url: str, *, on: bool) -> None:
    """Switch it off or on for every table that has it."""
    async with await AsyncConnection.connect(owner_url, autocommit=True) as connection:
        found = await connection.execute("SELECT DISTINCT tablename FROM pg_policies WHERE schemaname = 'public'")
        for (table,) in await found.fetchall():
            verb = sql.SQL("ENABLE" if on else "DISABLE")
            await connection.execute(
                sql.SQL("ALTER TABLE {} {} ROW LEVEL SECURITY").format(sql.Identifier(table), verb)
            )


async def main(operations: int, seed: int) -> dict[str, Any]:
    """Return what was found; see the module."""
    kept = Statements()
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the server runs as somebody else
        async with Postgres(Path(folder) / "postgres", free_port(), durable=False) as server:
            url = await prepare_database(server, "chatconnect")
            owner_url = server.database_url("chatconnect")
            database = PostgresDatabase(conninfo(url), pool_size=4, prepare=False)
            try:
                with rewriting(kept):
                    await switch_row_level_security(owner_url, on=False)
                    found = await look(database, kept, operations, seed)
                    await switch_row_level_security(owner_url, on=True)
                    kept.all_left_out = True
                    every = [watched(operation) for operation in OPERATIONS]
                    script = random.Random(seed).randbytes(3 * operations)
                    found["by_row_level_security_alone"] = await run(await open_sides(database, TENANTS), script, every)
            finally:
                await database.aclose()
    return {"seed": seed, **found}


if __name__ == "__main__":
    wanted = [int(argument) for argument in sys.argv[1:]]
    outcome = asyncio.run(main(*(wanted + [1_500, 7][len(wanted) :])))
    sys.stdout.write(json.dumps(outcome, indent=2) + "\n")
    sys.exit(1 if outcome["survivors"] else 0)
