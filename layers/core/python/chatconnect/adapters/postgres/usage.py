"""What tenants have used, from the running totals, and what they have capped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.budget import Cap, Measure, Period, Whose
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.usage import Holdings, Subject, Total

_SELECT_USED = """
SELECT period, answers, input_tokens + output_tokens AS tokens, cost_microusd FROM usage_totals
WHERE tenant_id = %(tenant)s AND subject = %(subject)s AND subject_id = %(subject_id)s
  AND (period, starts_on) IN (('day', %(day)s), ('month', %(month)s))
"""

_SELECT_TOTALS = """
SELECT starts_on, answers, input_tokens, output_tokens, cached_tokens, cache_write_tokens, cost_microusd,
       embedding_tokens, embedding_cost_microusd
FROM usage_totals
WHERE tenant_id = %(tenant)s AND subject = %(subject)s AND subject_id = %(subject_id)s AND period = %(period)s
  AND starts_on BETWEEN %(since)s AND %(until)s
ORDER BY starts_on DESC
"""

# As document_statements counts what a plan has room for.
_SELECT_HOLDINGS = """
SELECT (SELECT count(*) FROM documents WHERE tenant_id = %(tenant)s AND deleted_at IS NULL) AS documents,
       (SELECT coalesce(sum(v.size), 0)::bigint FROM document_versions v
        JOIN documents d ON d.tenant_id = %(tenant)s AND d.id = v.document_id AND d.deleted_at IS NULL
        WHERE v.tenant_id = %(tenant)s AND v.purged_at IS NULL) AS storage_bytes,
       (SELECT count(*) FROM members WHERE tenant_id = %(tenant)s) AS members
"""

_REPLACE_CAPS = """
WITH wanted AS (
    SELECT * FROM jsonb_to_recordset(%(caps)s)
        AS cap (subject text, measure text, period text, hard bigint, warns_from bigint)
), removed AS (
    DELETE FROM spend_caps
    WHERE tenant_id = %(tenant)s AND (subject, measure, period) NOT IN (SELECT subject, measure, period FROM wanted)
)
INSERT INTO spend_caps (tenant_id, subject, measure, period, hard, warns_from)
SELECT %(tenant)s, subject, measure, period, hard, warns_from FROM wanted
ON CONFLICT (tenant_id, subject, measure, period) DO UPDATE SET hard = excluded.hard, warns_from = excluded.warns_from
"""


@dataclass(frozen=True, slots=True)
class _UsedRow:
    """A row of usage_totals, as caps measure it."""

    period: str
    answers: int
    tokens: int
    cost_microusd: int


@dataclass(frozen=True, slots=True)
class CapRow:
    """A row of spend_caps."""

    subject: str
    measure: str
    period: str
    hard: int
    warns_from: int | None

    def to_cap(self) -> Cap:
        """Return the value."""
        return Cap(Measure(self.measure), Period(self.period), self.hard, self.warns_from, Whose(self.subject))


class PostgresUsage:
    """The truth about what was used."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def __call__(
        self, tenant_id: TenantId, at: datetime, of: tuple[Whose, UUID] | None = None
    ) -> Mapping[tuple[Measure, Period], int]:
        """Return what a tenant, or one of those who ask it, has used in the day and in the month of `at`.

        Nothing is known of keys. Raises Unavailable.
        """
        (whose, id_), day = of or (Whose.TENANT, tenant_id), at.astimezone(UTC).date()
        parameters = {"subject": whose, "subject_id": id_, "day": day, "month": day.replace(day=1)}
        rows = await self._database.fetch(tenant_id, _UsedRow, _SELECT_USED, parameters)
        used: dict[tuple[Measure, Period], int] = {}
        for row in rows:
            period = Period(row.period)
            used[Measure.MESSAGES, period] = row.answers
            used[Measure.TOKENS, period] = row.tokens
            used[Measure.MONEY, period] = row.cost_microusd
        return used


class PostgresUsageRecords:
    """One tenant's running totals and caps."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def totals(
        self, subject: Subject, subject_id: UUID, period: Period, *, since: date, until: date
    ) -> Sequence[Total]:
        """Return the totals of the days or months from `since` to `until`, newest first."""
        parameters = {
            "subject": subject,
            "subject_id": subject_id,
            "period": period,
            "since": since,
            "until": until,
        }
        return await self._database.fetch(self._tenant_id, Total, _SELECT_TOTALS, parameters)

    async def holdings(self) -> Holdings:
        """Return what the tenant has now."""
        [holdings] = await self._database.fetch(self._tenant_id, Holdings, _SELECT_HOLDINGS, {})
        return holdings

    async def save_caps(self, caps: Sequence[Cap]) -> None:
        """Keep these caps in place of all earlier ones, in one statement."""
        wanted = [
            {
                "subject": cap.whose,
                "measure": cap.measure,
                "period": cap.period,
                "hard": cap.hard,
                "warns_from": cap.warns_from,
            }
            for cap in caps
        ]
        await self._database.run(self._tenant_id, _REPLACE_CAPS, {"caps": Jsonb(wanted)})
