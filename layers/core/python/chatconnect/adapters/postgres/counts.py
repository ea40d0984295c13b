"""How much of something a tenant has."""

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.rows import CountRow
from chatconnect.domain.identifiers import TenantId


async def counted(database: PostgresDatabase, tenant_id: TenantId, table: str) -> int:
    """Return how many rows of a table are the tenant's. Raises Unavailable."""
    statement = f"SELECT count(*) AS rows FROM {table} WHERE tenant_id = %(tenant)s"
    [count] = await database.fetch(tenant_id, CountRow, statement, {})
    return count.rows
