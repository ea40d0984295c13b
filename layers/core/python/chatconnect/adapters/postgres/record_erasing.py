"""Removing rows of one tenant, within a transaction of the caller; each function returns how many, by table.

Names of tables and columns come from the catalogue, never from a request.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection

from chatconnect.adapters.postgres.record_tables import REQUESTS, Table
from chatconnect.ports.data_rights import Counts

LOCK_PEOPLE = "SELECT FROM visitors WHERE tenant_id = %(tenant)s AND id = ANY (%(visitors)s) FOR UPDATE"
SELECT_RETURNED = """
SELECT id FROM visitors WHERE tenant_id = %(tenant)s AND id = ANY (%(visitors)s) AND last_seen_at >= %(before)s LIMIT 1
"""
PRUNE_AUDIT = "SELECT prune_audit_log(%(limit)s) AS rows"


async def erase_conversations(
    connection: AsyncConnection, tables: Sequence[Table], selection: str, given: Mapping[str, Any]
) -> Counts:
    """Remove the conversations that a statement selects, with everything that belongs to them."""
    cursor = await connection.execute(selection.encode(), given)
    conversations = [conversation_id for (conversation_id,) in await cursor.fetchall()]
    if not conversations:
        return {}
    given = {**given, "conversations": conversations}
    return await _erase(connection, tables, lambda table: table.of_conversations, given)


async def erase_people(
    connection: AsyncConnection, tables: Sequence[Table], given: Mapping[str, Any], *, anew: bool
) -> Counts:
    """Remove what is visitors' own. `anew`: unless one of them, who are one person, has come back since the erasure."""
    if not given["visitors"]:
        return {}
    if anew and await (await connection.execute(SELECT_RETURNED, given)).fetchone():
        return {}
    await connection.execute(LOCK_PEOPLE, given)
    return await _erase(connection, tables, lambda table: table.of_visitors, given)


async def erase_strangers(connection: AsyncConnection, tables: Sequence[Table], given: Mapping[str, Any]) -> Counts:
    """Remove what visitors left of themselves who never asked, or were forgotten before."""
    return await _erase(connection, tables, lambda table: table.of_strangers, given)


async def erase_rows(connection: AsyncConnection, tables: Sequence[Table], given: Mapping[str, Any]) -> Counts:
    """Remove a batch of the first table that still has rows, of those that can be emptied bit by bit."""
    cursor = await connection.execute(PRUNE_AUDIT, given)
    if pruned := (await cursor.fetchall())[0][0]:
        return {"audit_log": pruned}
    for table in tables:
        if table.deletable and not table.tied and table.name not in (REQUESTS, "members"):
            some = f"ctid = ANY (ARRAY(SELECT ctid FROM {table.name} WHERE {table.tenant} LIMIT %(limit)s))"
            if erased := await empty(connection, tables, table, some, given):
                return erased
    return {}


async def empty(
    connection: AsyncConnection, tables: Sequence[Table], table: Table, condition: str, given: Mapping[str, Any]
) -> Counts:
    """Remove rows, and count those too that go with them: of tables from which we may not remove any ourselves."""
    followers = [each for each in tables if not each.deletable and table.name in each.parents]
    before = [await _count(connection, each, given) for each in followers]
    erased = {table.name: await _run(connection, _delete(table, condition), given)}
    for each, rows in zip(followers, before, strict=True):
        erased[each.name] = rows - await _count(connection, each, given)
    return {name: rows for name, rows in erased.items() if rows}


async def _erase(
    connection: AsyncConnection,
    tables: Sequence[Table],
    condition_of: Callable[[Table], str | None],
    given: Mapping[str, Any],
) -> Counts:
    """Remove the rows of the condition that each table has, if it has one."""
    counts: dict[str, int] = {}
    for table in tables:
        if condition := condition_of(table):
            counts[table.name] = await _run(connection, _delete(table, condition), given)
    return {name: rows for name, rows in counts.items() if rows}


def _delete(table: Table, condition: str) -> str:
    return f"DELETE FROM {table.name} WHERE {table.tenant} AND {condition}"


async def _count(connection: AsyncConnection, table: Table, given: Mapping[str, Any]) -> int:
    statement = f"SELECT count(*) FROM {table.name} WHERE {table.tenant}"
    [[rows]] = await (await connection.execute(statement.encode(), given)).fetchall()
    return int(rows)


async def _run(connection: AsyncConnection, statement: str, given: Mapping[str, Any]) -> int:
    return (await connection.execute(statement.encode(), given)).rowcount
