"""Which tenants there are."""

from collections.abc import AsyncIterator

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.identifiers import TenantId

SELECT_TENANT_IDS = "SELECT * FROM tenant_ids()"


class PostgresDirectory:
    """The ids of all tenants: all that anything outside a tenant's own transaction can learn."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def tenant_ids(self) -> AsyncIterator[TenantId]:
        """Yield the ids of all tenants, oldest first; no connection is held meanwhile. Raises Unavailable."""
        async with self._database.shared_transaction() as connection:
            rows = await (await connection.execute(SELECT_TENANT_IDS)).fetchall()
        for (tenant_id,) in rows:
            yield TenantId(tenant_id)
