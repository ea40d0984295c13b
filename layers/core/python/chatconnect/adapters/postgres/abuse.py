"""One tenant's signals of abuse in Postgres: a row for each kind, visitor and hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.abuse import Signal, SignalKind
from chatconnect.domain.identifiers import ConversationId, MessageId, TenantId, VisitorId
from chatconnect.ports.abuse import Occasion, RecordedSignal

# The visitor may be one whose first question was refused, or is just being written.
UPSERT_SIGNALS = """
WITH visitor AS (
    INSERT INTO visitors (tenant_id, id, first_seen_at, last_seen_at)
    SELECT %(tenant)s, %(visitor)s::uuid, %(at)s, %(at)s WHERE %(visitor)s::uuid IS NOT NULL
    ON CONFLICT (tenant_id, id) DO NOTHING
)
INSERT INTO abuse_signals AS stored (
    tenant_id, visitor_id, kind, hour, score, times, reasons, throttled, conversation_id, message_id, first_seen_at,
    last_seen_at)
SELECT %(tenant)s, %(visitor)s::uuid, kind, %(hour)s, score, 1, reasons, %(throttled)s, %(conversation)s::uuid,
       %(message)s::uuid, %(at)s, %(at)s
FROM jsonb_to_recordset(%(signals)s) AS signal (kind text, score integer, reasons jsonb)
ORDER BY kind -- in one order always, so that two of them never wait for each other in a circle
ON CONFLICT (tenant_id, visitor_id, kind, hour) DO UPDATE SET
    score = greatest(stored.score, excluded.score), times = stored.times + 1,
    reasons = stored.reasons || excluded.reasons, throttled = stored.throttled OR excluded.throttled,
    conversation_id = coalesce(excluded.conversation_id, stored.conversation_id),
    message_id = coalesce(excluded.message_id, stored.message_id),
    last_seen_at = greatest(stored.last_seen_at, excluded.last_seen_at)
"""
SELECT_NEWEST = """
SELECT id, visitor_id, kind, score, times, reasons, throttled, conversation_id, message_id, first_seen_at,
       last_seen_at
FROM abuse_signals
WHERE tenant_id = %(tenant)s AND (%(visitor)s::uuid IS NULL OR visitor_id = %(visitor)s)
  AND (%(kind)s::text IS NULL OR kind = %(kind)s) AND (%(throttled)s::boolean IS NULL OR throttled = %(throttled)s)
  AND (%(before)s::bigint IS NULL OR id < %(before)s)
ORDER BY id DESC
LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A row of abuse_signals; `reasons` is an object whose keys they are."""

    id: int
    visitor_id: UUID | None
    kind: str
    score: int
    times: int
    reasons: Mapping[str, bool]
    throttled: bool
    conversation_id: UUID | None
    message_id: UUID | None
    first_seen_at: datetime
    last_seen_at: datetime

    def to_signal(self) -> RecordedSignal:
        """Return the signal."""
        return RecordedSignal(
            id=self.id,
            visitor_id=VisitorId(self.visitor_id) if self.visitor_id else None,
            kind=SignalKind(self.kind),
            score=self.score,
            count=self.times,
            reasons=tuple(sorted(self.reasons)),
            throttled=self.throttled,
            conversation_id=ConversationId(self.conversation_id) if self.conversation_id else None,
            message_id=MessageId(self.message_id) if self.message_id else None,
            first_seen_at=self.first_seen_at,
            last_seen_at=self.last_seen_at,
        )


class PostgresSignals:
    """One tenant's signals."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def record(self, visitor_id: VisitorId | None, signals: Sequence[Signal], occasion: Occasion) -> None:
        """Add to what is recorded of the hour, in one statement."""
        rows = [
            {"kind": each.kind, "score": each.score, "reasons": dict.fromkeys(each.reasons, True)} for each in signals
        ]
        parameters = {
            "visitor": visitor_id,
            "signals": Jsonb(rows),
            "at": occasion.at,
            "hour": occasion.at.astimezone(UTC).replace(minute=0, second=0, microsecond=0),
            "throttled": occasion.throttled,
            "conversation": occasion.conversation_id,
            "message": occasion.message_id,
        }
        await self._database.run(self._tenant_id, UPSERT_SIGNALS, parameters)

    async def list_newest(
        self,
        *,
        visitor_id: VisitorId | None = None,
        kind: SignalKind | None = None,
        throttled: bool | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> Sequence[RecordedSignal]:
        """Return signals by when the first of the hour was seen, newest first."""
        parameters = {"visitor": visitor_id, "kind": kind, "throttled": throttled, "limit": limit, "before": before}
        rows = await self._database.fetch(self._tenant_id, SignalRow, SELECT_NEWEST, parameters)
        return [row.to_signal() for row in rows]
