"""The tables of tenants' rows as the catalogue knows them, and which of a table's rows are whose.

What is exported and erased is read from the catalogue and listed nowhere, so that a table that is added later is
neither left out of an archive nor left behind by an erasure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.identifiers import TenantId

SELECT_TABLES = """
SELECT c.relname::text AS name, jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)) AS columns,
       (SELECT jsonb_agg(k.attname ORDER BY key.place)
        FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS key (number, place), pg_attribute k
        WHERE i.indrelid = c.oid AND i.indisprimary AND k.attrelid = c.oid AND k.attnum = key.number) AS key,
       (SELECT coalesce(jsonb_agg(DISTINCT p.relname), '[]') FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid
        WHERE f.conrelid = c.oid AND f.contype = 'f' AND NOT f.condeferrable AND p.oid <> c.oid) AS parents,
       EXISTS (SELECT FROM pg_constraint f
               WHERE f.contype = 'f' AND f.condeferrable AND c.oid IN (f.conrelid, f.confrelid)) AS tied,
       has_table_privilege(c.oid, 'DELETE') AS deletable
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relrowsecurity
GROUP BY c.oid, c.relname
"""
REQUESTS = "data_requests"  # they outlive what they are about
_SECRET = re.compile(r"(^|_)(secret|token|password|hash)(_|$)")
# An archive has the files that chunks were made of.
_NOT_EXPORTED = frozenset({REQUESTS, "chunks"})
_OF_MESSAGE = """message_id IN (
    SELECT id FROM messages WHERE tenant_id = %(tenant)s AND conversation_id = ANY (%(conversations)s))"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of tenants' rows. `parents` are the tables that have to be emptied after it; one that is `tied` only
    together with others, because each needs the other.
    """

    name: str
    columns: Mapping[str, str]
    key: Sequence[str]
    parents: Sequence[str]
    tied: bool
    deletable: bool

    @property
    def tenant(self) -> str:
        """The condition that a row is the tenant's."""
        return f"{'id' if self.name == 'tenants' else 'tenant_id'} = %(tenant)s"

    @property
    def row_key(self) -> Sequence[str]:
        """The columns that name a row among its tenant's."""
        return [column for column in self.key if column != "tenant_id"] or self.key

    @property
    def hidden(self) -> Sequence[str]:
        """The columns that no archive has: secrets, sealed or hashed, and what is about their keys."""
        return sorted(name for name, kind in self.columns.items() if kind == "bytea" or _SECRET.search(name))

    @property
    def exported(self) -> bool:
        """Whether an archive has its rows."""
        return self.name not in _NOT_EXPORTED

    @property
    def of_conversations(self) -> str | None:
        """The condition that a row belongs to one of `conversations`; None where none does."""
        if self.name == REQUESTS:
            return None
        if self.name == "conversations":
            return "id = ANY (%(conversations)s)"
        if self.name == "usage_totals":
            return "subject = 'conversation' AND subject_id = ANY (%(conversations)s)"
        if "conversation_id" in self.columns:
            return "conversation_id = ANY (%(conversations)s)"
        return _OF_MESSAGE if "message_id" in self.columns else None

    @property
    def of_visitors(self) -> str | None:
        """The condition that a row belongs to one of `visitors` without a conversation in between; None: none does."""
        if self.name in (REQUESTS, "conversations", "messages"):
            return None
        if self.name == "visitors":
            return "id = ANY (%(visitors)s)"
        if self.name == "usage_totals":
            return "subject = 'visitor' AND subject_id = ANY (%(visitors)s)"
        return "visitor_id = ANY (%(visitors)s)" if "visitor_id" in self.columns else None

    @property
    def of_strangers(self) -> str | None:
        """The condition that a row is from before a moment and of a visitor who is not known; None: none can be."""
        alone = "visitor_id" in self.columns and "visitors" not in self.parents and self.of_conversations is None
        if not alone or self.name == REQUESTS or "created_at" not in self.columns:
            return None
        known = "SELECT FROM visitors v WHERE v.tenant_id = %(tenant)s AND v.id = visitor_id"
        return f"created_at < %(before)s AND NOT EXISTS ({known})"

    @property
    def of_people(self) -> str | None:
        """The condition that a row is about one of `visitors`, in whichever way; None: none is."""
        either = [f"({part})" for part in (self.of_conversations, self.of_visitors) if part]
        return f"({' OR '.join(either)})" if either else None


class RecordTables:
    """The tables, read once and kept: they change with a migration alone, after which processes are new."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database
        self._known: list[Table] | None = None

    async def all(self, tenant_id: TenantId) -> list[Table]:
        """Return the tables in the order in which they can be emptied. Raises Unavailable."""
        if self._known is None:
            self._known = in_order(await self._database.fetch(tenant_id, Table, SELECT_TABLES, {}))
        return self._known


def in_order(tables: Sequence[Table]) -> list[Table]:
    """Return the tables, each before those that its rows refer to."""
    left = {table.name: table for table in sorted(tables, key=lambda table: table.name)}
    ordered: list[Table] = []
    while left:
        needed = {parent for table in left.values() for parent in table.parents}
        free = [name for name in left if name not in needed]
        if not free:
            raise ValueError(f"tables refer to each other in a circle: {', '.join(left)}")
        ordered += [left.pop(name) for name in free]
    return ordered
