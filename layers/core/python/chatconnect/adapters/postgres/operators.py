"""What operators see and change of tenants, in Postgres."""

import asyncio
from collections.abc import Sequence

import psycopg

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.tenant_rows import TenantRow
from chatconnect.adapters.postgres.tenant_statements import SELECT_TENANT
from chatconnect.domain.errors import Invalid, NotFound
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.tenant import Tenant

SELECT_IDS = """
SELECT id FROM tenant_ids() AS id WHERE %(after)s::uuid IS NULL OR id > %(after)s ORDER BY id LIMIT %(limit)s
"""
UPDATE_PLAN = "UPDATE tenants SET plan = %(plan)s WHERE id = %(tenant)s"
UPDATE_SUSPENSION = """
UPDATE tenants SET suspended_at = CASE WHEN %(suspended)s THEN coalesce(suspended_at, now()) END WHERE id = %(tenant)s
"""


class PostgresOperatedTenants:
    """All tenants. Only their ids can be asked for together; everything else is read as each tenant, one by one."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def page(self, after: TenantId | None, limit: int) -> Sequence[Tenant]:
        """Return up to `limit` tenants with ids above `after`, oldest first."""
        async with self._database.shared_transaction() as connection:
            rows = await (await connection.execute(SELECT_IDS, {"after": after, "limit": limit})).fetchall()
        return await asyncio.gather(*(self.get(TenantId(tenant_id)) for (tenant_id,) in rows))

    async def get(self, tenant_id: TenantId) -> Tenant:
        """Return one tenant. Raises NotFound."""
        row = await self._database.fetch_one(tenant_id, TenantRow, SELECT_TENANT, {})
        if row is None:
            raise NotFound("tenant", tenant_id)
        return row.to_tenant()

    async def set_plan(self, tenant_id: TenantId, plan: str) -> None:
        """Give a tenant a plan. Raises NotFound, Invalid with code "unknown_plan"."""
        try:
            changed = await self._database.run(tenant_id, UPDATE_PLAN, {"plan": plan})
        except psycopg.errors.ForeignKeyViolation as error:
            raise Invalid("there is no such plan", code="unknown_plan", details={"field": "plan"}) from error
        if not changed:
            raise NotFound("tenant", tenant_id)

    async def set_suspended(self, tenant_id: TenantId, *, suspended: bool) -> None:
        """Suspend a tenant, since when is kept, or end that. Raises NotFound."""
        if not await self._database.run(tenant_id, UPDATE_SUSPENSION, {"suspended": suspended}):
            raise NotFound("tenant", tenant_id)
