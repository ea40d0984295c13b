"""The audit log in Postgres. Its lines come from triggers: see migration 0034."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.audit import Actor, ActorKind, AuditEntry, AuditFilters, FieldChange
from chatconnect.domain.identifiers import AccountId, TenantId
from chatconnect.ports.audit import AuditPlace

# `text` is sought in everything that a line tells, as it is stored: in the action, names, fields and values.
# Moments and places that are not given are the first and the last there can be, so that every plan begins at the place;
# by CASE, because row-level security lets nothing by coalesce into an index's condition.
SELECT_ENTRIES = """
SELECT l.id, l.happened_at, l.actor_kind, l.actor_id, coalesce(k.name, a.email) AS actor_name, l.action, l.target_kind,
       l.target_id, l.target_name, l.details, l.actor_address, l.trace_id
FROM audit_log l
LEFT JOIN api_keys k ON l.actor_kind = 'key' AND k.tenant_id = %(tenant)s AND k.id = l.actor_id
LEFT JOIN accounts a ON l.actor_kind = 'member' AND a.id = l.actor_id
WHERE l.tenant_id = %(tenant)s
  AND (%(actor_kind)s::text IS NULL OR l.actor_kind = %(actor_kind)s)
  AND (%(actor_id)s::uuid IS NULL OR l.actor_id = %(actor_id)s)
  AND (%(action)s::text IS NULL OR l.action = %(action)s OR split_part(l.action, '.', 1) = %(action)s)
  AND (%(object_kind)s::text IS NULL OR l.target_kind = %(object_kind)s)
  AND (%(object_id)s::uuid IS NULL OR l.target_id = %(object_id)s)
  AND l.happened_at >= CASE WHEN %(since)s::timestamptz IS NULL THEN '-infinity' ELSE %(since)s END
  AND l.happened_at < CASE WHEN %(until)s::timestamptz IS NULL THEN 'infinity' ELSE %(until)s END
  AND (l.happened_at, l.id)
      < (CASE WHEN %(before_at)s::timestamptz IS NULL THEN 'infinity' ELSE %(before_at)s END, %(before_id)s::uuid)
  AND (%(text)s::text IS NULL OR strpos(lower(concat_ws(' ', l.action, l.target_name, (
      SELECT string_agg(concat_ws(' ', key, value ->> 'before', value ->> 'after'), ' ') FROM jsonb_each(l.details)
  ))), lower(%(text)s)) > 0)
ORDER BY l.happened_at DESC, l.id DESC
LIMIT %(limit)s
"""

NOTE_EXPORT = """
SELECT audit_entry(
    %(tenant)s, 'audit.exported', 'audit', NULL, NULL,
    jsonb_build_object('format', jsonb_build_object('before', NULL, 'after', %(format)s::text)))
"""

NOTE_REFUSAL = "SELECT audit_person(%(account)s, 'session.refused', '{}')"


class PostgresAuditLog:
    """One tenant's log."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def page(self, filters: AuditFilters, *, before: AuditPlace | None, limit: int) -> Sequence[AuditEntry]:
        """Return up to `limit` lines, newest first, those before a place when there is one."""
        place = {"before_at": before.at if before else None, "before_id": before.id if before else None}
        parameters = {**asdict(filters), **place, "limit": limit}
        rows = await self._database.fetch(self._tenant_id, EntryRow, SELECT_ENTRIES, parameters)
        return [row.to_entry() for row in rows]

    async def note_export(self, form: str) -> None:
        """Add the line "audit.exported": somebody took lines out in this form."""
        await self._database.run(self._tenant_id, NOTE_EXPORT, {"format": form})


class PostgresRefusedLogIns:
    """Tells the tenants of a person of log-ins that failed."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def note_refusal(self, account_id: AccountId | None) -> None:
        """Add the line "session.refused" to the log of each tenant that the account has a place in."""
        async with self._database.shared_transaction() as connection:
            await connection.execute(NOTE_REFUSAL, {"account": account_id})


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A row of audit_log, with what its actor is called today."""

    id: UUID
    happened_at: datetime
    actor_kind: str
    actor_id: UUID | None
    actor_name: str | None
    action: str
    target_kind: str
    target_id: UUID | None
    target_name: str | None
    details: Mapping[str, Mapping[str, Any]]
    actor_address: str | None
    trace_id: str | None

    def to_entry(self) -> AuditEntry:
        """Return the value."""
        changes = [FieldChange(name, each["before"], each["after"]) for name, each in sorted(self.details.items())]
        return AuditEntry(
            self.id,
            self.happened_at,
            Actor(ActorKind(self.actor_kind), self.actor_id, self.actor_name),
            self.action,
            self.target_kind,
            self.target_id,
            self.target_name,
            changes,
            self.actor_address,
            self.trace_id,
        )
