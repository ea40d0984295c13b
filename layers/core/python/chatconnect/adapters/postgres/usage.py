"""What tenants have used, from the running totals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.budget import Measure, Period
from chatconnect.domain.identifiers import TenantId

_SELECT_TOTALS = """
SELECT period, answers, input_tokens + output_tokens AS tokens, cost_microusd FROM usage_totals
WHERE tenant_id = %(tenant)s AND subject = 'tenant' AND subject_id = %(tenant)s
  AND (period, starts_on) IN (('day', %(day)s), ('month', %(month)s))
"""


@dataclass(frozen=True, slots=True)
class _TotalRow:
    """A row of usage_totals."""

    period: str
    answers: int
    tokens: int
    cost_microusd: int


class PostgresUsage:
    """The truth about what was used."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def __call__(self, tenant_id: TenantId, at: datetime) -> Mapping[tuple[Measure, Period], int]:
        """Return what a tenant has used in the day and in the month of `at`. Raises Unavailable."""
        day = at.astimezone(UTC).date()
        rows = await self._database.fetch(
            tenant_id, _TotalRow, _SELECT_TOTALS, {"day": day, "month": day.replace(day=1)}
        )
        used: dict[tuple[Measure, Period], int] = {}
        for row in rows:
            period = Period(row.period)
            used[Measure.MESSAGES, period] = row.answers
            used[Measure.TOKENS, period] = row.tokens
            used[Measure.MONEY, period] = row.cost_microusd
        return used
