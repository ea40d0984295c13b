"""Requests about data in Postgres, and how long tenants keep what."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.data_rights import DataRequest, RequestKind, RequestStatus, Retention
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import DataRequestId, MemberId, TenantId, VisitorId

_COLUMNS = """
    tenant_id, id, kind, visitor_id, requested_by, status, progress, receipt, signature, requested_at, finished_at,
    expires_at, next_at
"""
_IS_UNDER_WAY = """
    tenant_id = %(tenant)s AND kind = %(kind)s AND visitor_id IS NOT DISTINCT FROM %(visitor)s::uuid
    AND status IN ('waiting', 'open')
"""
INSERT = f"""
INSERT INTO data_requests ({_COLUMNS})
VALUES (%(tenant)s, %(id)s, %(kind)s, %(visitor)s, %(requested_by)s, %(status)s, '{{}}', NULL, NULL, %(requested_at)s,
        NULL, NULL, %(next_at)s)
ON CONFLICT (tenant_id, kind, visitor_id) WHERE status IN ('waiting', 'open') DO NOTHING
RETURNING {_COLUMNS}
"""
SELECT_UNDER_WAY = f"SELECT {_COLUMNS} FROM data_requests WHERE {_IS_UNDER_WAY}"
SELECT_REQUEST = f"SELECT {_COLUMNS} FROM data_requests WHERE tenant_id = %(tenant)s AND id = %(id)s"
SELECT_NEWEST = f"""
SELECT {_COLUMNS} FROM data_requests
WHERE tenant_id = %(tenant)s AND (%(tenant_wide)s OR visitor_id IS NOT NULL)
  AND (%(before)s::uuid IS NULL OR (requested_at, id) < (
      SELECT requested_at, id FROM data_requests WHERE tenant_id = %(tenant)s AND id = %(before)s))
ORDER BY requested_at DESC, id DESC LIMIT %(limit)s
"""
CLAIM = f"""
UPDATE data_requests SET next_at = %(until)s,
    status = CASE status WHEN 'waiting' THEN 'open' ELSE status END
WHERE tenant_id = %(tenant)s AND id = (
    SELECT id FROM data_requests
    WHERE tenant_id = %(tenant)s AND next_at <= %(at)s AND (%(only)s::uuid IS NULL OR id = %(only)s)
    ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING {_COLUMNS}
"""
UPDATE = """
UPDATE data_requests SET status = %(status)s, progress = %(progress)s, receipt = %(receipt)s, signature = %(signature)s,
    finished_at = %(finished_at)s, expires_at = %(expires_at)s, next_at = %(next_at)s
WHERE tenant_id = %(tenant)s AND id = %(id)s AND next_at IS NOT DISTINCT FROM %(held_until)s::timestamptz
"""
CANCEL = """
UPDATE data_requests SET status = 'cancelled', next_at = NULL, finished_at = %(at)s
WHERE tenant_id = %(tenant)s AND id = %(id)s AND status = 'waiting'
"""
SELECT_EXPORTS_WITH = f"""
SELECT {_COLUMNS} FROM data_requests
WHERE tenant_id = %(tenant)s AND kind = 'export' AND status IN ('open', 'done')
  AND (visitor_id IS NULL OR visitor_id = ANY (%(visitors)s)) AND requested_at <= %(until)s
ORDER BY id
"""
VOID = """
UPDATE data_requests SET status = 'expired', progress = '{}', next_at = NULL
WHERE tenant_id = %(tenant)s AND id = %(id)s AND status IN ('open', 'done')
"""
SELECT_DUE = "SELECT * FROM tenants_with_data_requests(%(at)s)"
SELECT_RETENTION = "SELECT conversation_days, audit_days FROM retention_settings WHERE tenant_id = %(tenant)s"
UPSERT_RETENTION = """
INSERT INTO retention_settings (tenant_id, conversation_days, audit_days)
VALUES (%(tenant)s, %(conversation_days)s, %(audit_days)s)
ON CONFLICT (tenant_id) DO UPDATE SET
    conversation_days = excluded.conversation_days, audit_days = excluded.audit_days, updated_at = now()
"""


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A row of data_requests."""

    tenant_id: UUID
    id: UUID
    kind: str
    visitor_id: UUID | None
    requested_by: UUID | None
    status: str
    progress: Mapping[str, Any]
    receipt: Mapping[str, Any] | None
    signature: str | None
    requested_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None
    next_at: datetime | None

    def to_request(self) -> DataRequest:
        """Return the request."""
        return DataRequest(
            id=DataRequestId(self.id),
            tenant_id=TenantId(self.tenant_id),
            kind=RequestKind(self.kind),
            visitor_id=VisitorId(self.visitor_id) if self.visitor_id else None,
            requested_by=MemberId(self.requested_by) if self.requested_by else None,
            requested_at=self.requested_at,
            status=RequestStatus(self.status),
            progress=self.progress,
            receipt=self.receipt,
            signature=self.signature,
            finished_at=self.finished_at,
            expires_at=self.expires_at,
            next_at=self.next_at,
        )


class PostgresDataRequests:
    """One tenant's requests."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def add(self, request: DataRequest) -> DataRequest:
        """Store a request and return it; the one of its kind and visitor that is under way, if there is one."""
        given = {
            "id": request.id,
            "kind": request.kind.value,
            "visitor": request.visitor_id,
            "requested_by": request.requested_by,
            "status": request.status.value,
            "requested_at": request.requested_at,
            "next_at": request.next_at,
        }
        stored = await self._requests(INSERT, given) or await self._requests(SELECT_UNDER_WAY, given)
        return stored[0] if stored else await self.add(request)

    async def get(self, request_id: DataRequestId) -> DataRequest:
        """Return the request. Raises NotFound."""
        found = await self._requests(SELECT_REQUEST, {"id": request_id})
        if not found:
            raise NotFound("data request", request_id)
        return found[0]

    async def newest(self, *, tenant_wide: bool, limit: int, before: DataRequestId | None) -> Sequence[DataRequest]:
        """Return requests, newest first; those of the whole tenant only if `tenant_wide`."""
        return await self._requests(SELECT_NEWEST, {"tenant_wide": tenant_wide, "limit": limit, "before": before})

    async def claim(self, at: datetime, until: datetime, only: DataRequestId | None = None) -> DataRequest | None:
        """Take a request that is due, for oneself until then; None when none is due."""
        found = await self._requests(CLAIM, {"at": at, "until": until, "only": only})
        return found[0] if found else None

    async def save(self, request: DataRequest, held_until: datetime | None) -> None:
        """Store how a request stands. Raises Conflict when the run no longer has it."""
        given = {
            "id": request.id,
            "status": request.status.value,
            "progress": Jsonb(request.progress),
            "receipt": None if request.receipt is None else Jsonb(request.receipt),
            "signature": request.signature,
            "finished_at": request.finished_at,
            "expires_at": request.expires_at,
            "next_at": request.next_at,
            "held_until": held_until,
        }
        if not await self._database.run(self._tenant_id, UPDATE, given):
            raise Conflict("another run has this request")

    async def cancel(self, request_id: DataRequestId, at: datetime) -> bool:
        """Call a waiting request off; False when it is not waiting."""
        return await self._database.run(self._tenant_id, CANCEL, {"id": request_id, "at": at}) > 0

    async def exports_with(self, visitors: Collection[VisitorId], until: datetime) -> Sequence[DataRequest]:
        """Return the exports, done or under way, that may contain one of the visitors and were asked for until then."""
        return await self._requests(SELECT_EXPORTS_WITH, {"visitors": list(visitors), "until": until})

    async def void(self, request_id: DataRequestId) -> None:
        """Have an export be over: its archive is gone, or will never be made."""
        await self._database.run(self._tenant_id, VOID, {"id": request_id})

    async def _requests(self, statement: str, given: Mapping[str, object]) -> list[DataRequest]:
        rows = await self._database.fetch(self._tenant_id, RequestRow, statement, given)
        return [row.to_request() for row in rows]


class PostgresDueRequests:
    """Which tenants have requests that are due: all that can be learned of several tenants at once."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def tenants(self, at: datetime) -> Sequence[TenantId]:
        """Return the tenants of requests that are due, erased ones too."""
        async with self._database.shared_transaction() as connection:
            rows = await (await connection.execute(SELECT_DUE, {"at": at})).fetchall()
        return [TenantId(tenant_id) for (tenant_id,) in rows]


@dataclass(frozen=True, slots=True)
class RetentionRow:
    """The periods of retention_settings."""

    conversation_days: int | None
    audit_days: int | None


class PostgresRetention:
    """How long one tenant keeps what."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def get(self) -> Retention:
        """Return the periods; without any, everything is kept for ever."""
        row = await self._database.fetch_one(self._tenant_id, RetentionRow, SELECT_RETENTION, {})
        return Retention(row.conversation_days, row.audit_days) if row else Retention()

    async def save(self, retention: Retention) -> None:
        """Keep these in place of the earlier ones."""
        given = {"conversation_days": retention.conversation_days, "audit_days": retention.audit_days}
        await self._database.run(self._tenant_id, UPSERT_RETENTION, given)
