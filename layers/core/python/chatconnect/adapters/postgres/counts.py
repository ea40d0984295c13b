"""How much of something a tenant has."""

from dataclasses import dataclass

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.identifiers import TenantId


@dataclass(frozen=True, slots=True)
class _CountRow:
    rows: int


async def counted(database: PostgresDatabase, tenant_id: TenantId, table: str) -> int:
    """Return how many rows of a table are the tenant's. Raises Unavailable."""
    statement = f"SELECT count(*) AS rows FROM {table} WHERE tenant_id = %(tenant)s"
    [count] = await database.fetch(tenant_id, _CountRow, statement, {})
    return count.rows
