"""Where Postgres keeps tenants' secrets, each sealed and beside the name of the key that sealed it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.rows import CountRow
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.secrets import SealedValue


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values; `row` are the columns that name a row beside its tenant."""

    table: str
    value: str = "secret"
    key: str = "secret_key"
    row: tuple[str, ...] = ("id",)

    @property
    def selection(self) -> str:
        """Return the statement that finds the values of older keys."""
        row = ", ".join(f"'{name}', {name}" for name in self.row)
        return (
            f"SELECT '{self.table}' AS table, jsonb_build_object({row}) AS row, {self.value} AS sealed "
            f"FROM {self.table} WHERE tenant_id = %(tenant)s AND {self.key} <> %(key)s"
        )

    @property
    def replacement(self) -> str:
        """Return the statement that puts a value in the place of another."""
        row = " AND ".join(f"{name} = %({name})s" for name in self.row)
        return (
            f"UPDATE {self.table} SET {self.value} = %(sealed)s, {self.key} = %(key)s "
            f"WHERE tenant_id = %(tenant)s AND {row} AND {self.value} = %(former)s"
        )


SEALED = {
    column.table: column
    for column in (
        SealedColumn("assistant_versions", "access_token", "access_token_key", ("assistant_id", "number")),
        SealedColumn("identity_secrets"),
        SealedColumn("knowledge_sources"),
        SealedColumn("mcp_servers"),
        SealedColumn("tools"),
        SealedColumn("webhooks"),
    )
}
_OLDER = " UNION ALL ".join(column.selection for column in SEALED.values())
SELECT_OLDER = f"SELECT * FROM ({_OLDER}) o ORDER BY o.table, o.row OFFSET %(skip)s LIMIT %(limit)s"
COUNT_OLDER = f"SELECT count(*) AS rows FROM ({_OLDER}) o"


class PostgresSealedValues:
    """One tenant's sealed values."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def count_older(self, key_id: str) -> int:
        """Return how many values another key than this one sealed."""
        row = await self._database.fetch_one(self._tenant_id, CountRow, COUNT_OLDER, {"key": key_id})
        return row.rows if row else 0

    async def older(self, key_id: str, *, skip: int, limit: int) -> Sequence[SealedValue]:
        """Return values that another key sealed, in a fixed order, without the first `skip`."""
        parameters = {"key": key_id, "skip": skip, "limit": limit}
        rows = await self._database.fetch(self._tenant_id, _SealedRow, SELECT_OLDER, parameters)
        return [SealedValue(row.table, row.row, row.sealed) for row in rows]

    async def replace(self, value: SealedValue, sealed: bytes, key_id: str) -> bool:
        """Put the same value, sealed by this key, in its place; False when it is no longer there."""
        parameters = {**value.row, "sealed": sealed, "key": key_id, "former": value.sealed}
        return await self._database.run(self._tenant_id, SEALED[value.table].replacement, parameters) > 0


@dataclass(frozen=True, slots=True)
class _SealedRow:
    table: str
    row: Mapping[str, Any]
    sealed: bytes
