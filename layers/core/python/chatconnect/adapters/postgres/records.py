"""One tenant's rows in all tables, for exporting and erasing them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.record_erasing import (
    PRUNE_AUDIT,
    empty,
    erase_conversations,
    erase_people,
    erase_rows,
    erase_strangers,
)
from chatconnect.adapters.postgres.record_tables import REQUESTS, RecordTables, Table
from chatconnect.adapters.postgres.rows import CountRow, IdRow
from chatconnect.domain.data_rights import DataRequest
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import AccountId, TenantId, VisitorId
from chatconnect.ports.data_rights import Counts, Original, Page, Whose

# Somebody who is known by another id now is that visitor, with all others who turned out to be them.
SELECT_PEOPLE = """
WITH person AS (
    SELECT coalesce(merged_into, id) AS id FROM visitors WHERE tenant_id = %(tenant)s AND id = %(visitor)s
)
SELECT v.id FROM visitors v, person
WHERE v.tenant_id = %(tenant)s AND (v.id = person.id OR v.merged_into = person.id)
ORDER BY v.merged_into IS NOT NULL, v.id
"""
SELECT_CONVERSATIONS = """
SELECT id FROM conversations
WHERE tenant_id = %(tenant)s AND (%(visitors)s::uuid[] IS NULL OR visitor_id = ANY (%(visitors)s))
  AND (%(before)s::timestamptz IS NULL OR created_at < %(before)s)
ORDER BY id LIMIT %(limit)s
"""
SELECT_UNTOUCHED = """
SELECT c.id FROM conversations c
WHERE c.tenant_id = %(tenant)s AND c.updated_at < %(before)s AND NOT EXISTS (
    SELECT FROM messages m
    WHERE m.tenant_id = %(tenant)s AND m.conversation_id = c.id AND m.status = 'pending'
)
ORDER BY c.updated_at LIMIT %(limit)s FOR UPDATE OF c SKIP LOCKED -- somebody writes to it
"""
# Who is blocked stays so, and who was merged stays known for as long as the visitor is.
SELECT_FORGOTTEN = """
SELECT v.id FROM visitors v
WHERE v.tenant_id = %(tenant)s AND v.last_seen_at < %(before)s
  AND NOT EXISTS (SELECT FROM conversations c WHERE c.tenant_id = %(tenant)s AND c.visitor_id = v.id)
  AND NOT EXISTS (SELECT FROM blocked_visitors b WHERE b.tenant_id = %(tenant)s AND b.visitor_id = v.id)
  AND NOT EXISTS (SELECT FROM visitors kept WHERE kept.tenant_id = %(tenant)s AND kept.id = v.merged_into)
LIMIT %(limit)s FOR UPDATE OF v SKIP LOCKED
"""
SELECT_UNFINISHED = """
SELECT id FROM messages
WHERE tenant_id = %(tenant)s AND status = 'pending'
  AND (%(conversations)s::uuid[] IS NULL OR conversation_id = ANY (%(conversations)s))
"""
SELECT_RECENT = """
SELECT id FROM messages
WHERE tenant_id = %(tenant)s AND conversation_id = ANY (%(conversations)s) AND created_at >= %(since)s
"""
SELECT_ORIGINALS = """
SELECT id AS version_id, document_id, number, filename FROM document_versions
WHERE tenant_id = %(tenant)s AND purged_at IS NULL AND (%(after)s::uuid IS NULL OR id > %(after)s)
ORDER BY id LIMIT %(limit)s
"""
SAVE_ERASED = """
UPDATE data_requests SET progress = jsonb_set(progress, '{erased}', %(erased)s)
WHERE tenant_id = %(tenant)s AND id = %(request)s
"""
REMOVE_TENANT = "SELECT remove_erased_tenant() AS rows"
REMOVE_OTHER_REQUESTS = "DELETE FROM data_requests WHERE tenant_id = %(tenant)s AND id <> %(request)s"
SELECT_ACCOUNTS = "SELECT account_id FROM members WHERE tenant_id = %(tenant)s"
# A place at another tenant, or something written there, keeps it: the database says so.
REMOVE_ACCOUNT = "DELETE FROM accounts WHERE id = %(account)s AND NOT is_operator"
_ALL_CONVERSATIONS = 100_000
_RECENT = 5_000


@dataclass(frozen=True, slots=True)
class _PageRow:
    line: str
    key: Sequence[str]


@dataclass(frozen=True, slots=True)
class _OriginalRow:
    version_id: UUID
    document_id: UUID
    number: int
    filename: str


class PostgresRecords:
    """One tenant's rows. Names of tables and columns come from the catalogue, never from a request."""

    def __init__(self, database: PostgresDatabase, tables: RecordTables, tenant_id: TenantId) -> None:
        self._database, self._tables, self._tenant_id = database, tables, tenant_id

    async def people(self, visitor_id: VisitorId) -> tuple[VisitorId, ...]:
        """Return all ids of a person, the one that they are known by first. Raises NotFound."""
        found = await self._ids(SELECT_PEOPLE, {"visitor": visitor_id})
        if found:
            return tuple(VisitorId(each) for each in found)
        # Whoever has not asked yet may have left something of themselves.
        if not await self.count(Whose((visitor_id,))):
            raise NotFound("visitor", visitor_id)
        return (visitor_id,)

    async def exported_tables(self, whose: Whose) -> Sequence[str]:
        """Return the tables of which an archive has rows, by name."""
        tables = await self._tables.all(self._tenant_id)
        return sorted(t.name for t in tables if t.exported and (whose.visitors is None or t.of_people))

    async def page(self, table: str, whose: Whose, *, after: Sequence[str] | None, limit: int) -> Page:
        """Return rows of a table in the order of its key, without what is secret."""
        found = await self._named(table)
        given = {**await self._whose(whose), "limit": limit, "hidden": list(found.hidden)}
        given |= {f"after_{place}": value for place, value in enumerate(after or ())}
        rows = await self._database.fetch(self._tenant_id, _PageRow, _page_of(found, whose, after), given)
        return Page([row.line for row in rows], rows[-1].key if len(rows) == limit else None)

    async def originals(self, after: UUID | None, limit: int) -> Sequence[Original]:
        """Return files of documents that may be there, by version."""
        rows = await self._database.fetch(
            self._tenant_id, _OriginalRow, SELECT_ORIGINALS, {"after": after, "limit": limit}
        )
        return [
            Original(
                row.version_id,
                f"{self._tenant_id}/{row.document_id}/{row.version_id}/{row.filename}",
                f"documents/{row.document_id}/{row.number}-{row.filename}",
            )
            for row in rows
        ]

    async def count(self, whose: Whose) -> Counts:
        """Return how many rows there are by table, without those where there are none."""
        counts: dict[str, int] = {}
        given = await self._whose(whose)
        for table in await self._tables.all(self._tenant_id):
            condition = table.tenant if whose.visitors is None else table.of_people
            if condition is None or table.name == REQUESTS:
                continue
            statement = f"SELECT count(*) AS rows FROM {table.name} WHERE {table.tenant} AND {condition}"
            row = await self._database.fetch_one(self._tenant_id, CountRow, statement, given)
            if row and row.rows:
                counts[table.name] = row.rows
        return counts

    async def unfinished(self, whose: Whose) -> Sequence[UUID]:
        """Return the answers that are being made."""
        given = await self._whose(whose)
        wanted = None if whose.visitors is None else given["conversations"]
        return await self._ids(SELECT_UNFINISHED, {"conversations": wanted})

    async def recent_ids(self, whose: Whose, since: datetime) -> Sequence[UUID]:
        """Return the ids that keys of the short memory may have, of the newest conversations if there are very many."""
        conversations = (await self._whose(whose))["conversations"][-_RECENT:]
        return [*conversations, *await self._ids(SELECT_RECENT, {"conversations": conversations, "since": since})]

    async def erase_some(self, whose: Whose, request: DataRequest, limit: int) -> Counts:
        """Remove up to so many conversations or rows with what hangs on them; return how many; none: all is gone.

        Raises Conflict when something was written meanwhile that hangs on what is removed: nothing is removed then.
        """
        try:
            return await self._erase_some(whose, request, limit)
        except psycopg.errors.ForeignKeyViolation as error:
            raise Conflict("something was written while it was erased") from error

    async def _erase_some(self, whose: Whose, request: DataRequest, limit: int) -> Counts:
        tables = await self._tables.all(self._tenant_id)
        given: dict[str, Any] = {"tenant": self._tenant_id, "request": request.id, "limit": limit}
        given |= {"visitors": _visitors(whose), "before": whose.before}
        async with self._database.transaction(self._tenant_id) as connection:
            erased = await erase_conversations(connection, tables, SELECT_CONVERSATIONS, given)
            if not erased and whose.visitors is not None:
                erased = await erase_people(connection, tables, given, anew=whose.before is not None)
            elif not erased:
                erased = await erase_rows(connection, tables, given)
            if erased:
                total = Counter(request.progress.get("erased", {})) + Counter(erased)
                await connection.execute(SAVE_ERASED, {**given, "erased": Jsonb(dict(total))})
        if erased or whose.visitors is not None:
            return erased
        return await self._erase_tenant(tables, request)

    async def erase_older(self, before: datetime, limit: int) -> Counts:
        """Remove conversations without a message since then, and the rows of visitors who have none."""
        tables = await self._tables.all(self._tenant_id)
        given: dict[str, Any] = {"tenant": self._tenant_id, "before": before, "limit": limit}
        async with self._database.transaction(self._tenant_id) as connection:
            erased = await erase_conversations(connection, tables, SELECT_UNTOUCHED, given)
            if not erased:
                cursor = await connection.execute(SELECT_FORGOTTEN, given)
                given["visitors"] = [visitor_id for (visitor_id,) in await cursor.fetchall()]
                erased = await erase_people(connection, tables, given, anew=False)
            if not erased:
                erased = await erase_strangers(connection, tables, given)
        return erased

    async def prune_audit(self, limit: int) -> int:
        """Remove up to so many lines of the audit log that are older than the tenant keeps them; return how many."""
        row = await self._database.fetch_one(self._tenant_id, CountRow, PRUNE_AUDIT, {"limit": limit})
        return row.rows if row else 0

    async def _erase_tenant(self, tables: Sequence[Table], request: DataRequest) -> Counts:
        """Remove what is left at the end: rows that need each other, and the tenant itself, in one transaction."""
        given = {"tenant": self._tenant_id, "request": request.id}
        erased: Counter[str] = Counter()
        async with self._database.transaction(self._tenant_id) as connection:
            cursor = await connection.execute(SELECT_ACCOUNTS, given)
            accounts = [AccountId(account_id) for (account_id,) in await cursor.fetchall()]
            for table in tables:
                if table.deletable and table.name != REQUESTS:
                    erased.update(await empty(connection, tables, table, "true", given))
            await connection.execute(REMOVE_OTHER_REQUESTS, given)
            cursor = await connection.execute(REMOVE_TENANT)
            erased["tenants"] += (await cursor.fetchall())[0][0]
            found = +erased
            if found:
                total = Counter(request.progress.get("erased", {})) + found
                await connection.execute(SAVE_ERASED, {**given, "erased": Jsonb(dict(total))})
        for account_id in accounts:
            await self._erase_account(account_id)
        return dict(found)

    async def _erase_account(self, account_id: AccountId) -> None:
        try:
            async with self._database.account_transaction(account_id) as connection:
                await connection.execute(REMOVE_ACCOUNT, {"account": account_id})
        except psycopg.errors.ForeignKeyViolation:
            return

    async def _whose(self, whose: Whose) -> dict[str, Any]:
        """Return what the conditions ask for."""
        if whose.visitors is None:
            return {"visitors": None, "conversations": []}
        given = {"visitors": _visitors(whose), "before": whose.before, "limit": _ALL_CONVERSATIONS}
        conversations = await self._ids(SELECT_CONVERSATIONS, given)
        alone = [] if whose.before is not None else list(whose.visitors)
        return {"visitors": alone, "conversations": list(conversations)}

    async def _ids(self, statement: str, parameters: Mapping[str, object]) -> list[UUID]:
        return [row.id for row in await self._database.fetch(self._tenant_id, IdRow, statement, parameters)]

    async def _named(self, name: str) -> Table:
        for table in await self._tables.all(self._tenant_id):
            if table.name == name:
                return table
        raise NotFound("table", name)


def _page_of(table: Table, whose: Whose, after: Sequence[str] | None) -> str:
    keys = table.row_key
    line = "to_jsonb(t)"
    if table.name == "members":
        line += " || jsonb_build_object('email', (SELECT a.email FROM accounts a WHERE a.id = t.account_id))"
    conditions = [table.tenant, "true" if whose.visitors is None else table.of_people or "false"]
    if after is not None:
        values = (f"%(after_{place})s::text::{table.columns[key]}" for place, key in enumerate(keys))
        conditions.append(f"({', '.join(keys)}) > ({', '.join(values)})")
    texts = ", ".join(f"{key}::text" for key in keys)
    return f"""
        SELECT (({line}) - %(hidden)s::text[])::text AS line, jsonb_build_array({texts}) AS key
        FROM {table.name} t WHERE {" AND ".join(conditions)}
        ORDER BY {", ".join(keys)} LIMIT %(limit)s
    """


def _visitors(whose: Whose) -> list[VisitorId] | None:
    return None if whose.visitors is None else list(whose.visitors)
