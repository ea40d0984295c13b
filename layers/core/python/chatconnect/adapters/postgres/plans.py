"""The plans in Postgres, which belong to no tenant."""

from psycopg.rows import class_row

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.tenant_rows import PlanRow
from chatconnect.adapters.postgres.tenant_statements import PLAN
from chatconnect.domain.tenant import Plan

SELECT_PLANS = f"SELECT {PLAN} FROM plans p ORDER BY p.requests_per_minute, p.name"


class PostgresPlans:
    """What tenants can pay for."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def offered(self) -> list[Plan]:
        """Return all plans, the smallest first. Raises Unavailable."""
        async with (
            self._database.shared_transaction() as connection,
            connection.cursor(row_factory=class_row(PlanRow)) as cursor,
        ):
            await cursor.execute(SELECT_PLANS)
            return [row.to_plan() for row in await cursor.fetchall()]
