"""One tenant's visitors in Postgres, and who of them is blocked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

import psycopg

from chatconnect.adapters.postgres.database import PostgresDatabase, violated
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import MemberId, TenantId, VisitorId
from chatconnect.domain.visitor import Block, KnownVisitor

_VISITORS = """
SELECT v.id, v.external_id, v.name, v.email, v.first_seen_at, v.last_seen_at,
       b.reason, b.blocked_at, b.blocked_by, b.blocked_until
FROM visitors v
LEFT JOIN blocked_visitors b ON b.tenant_id = %(tenant)s AND b.visitor_id = v.id
    AND (b.blocked_until IS NULL OR b.blocked_until > %(at)s)
WHERE v.tenant_id = %(tenant)s
"""
SELECT_VISITOR = f"{_VISITORS} AND v.id = %(id)s"
SELECT_BLOCKED = f"""
{_VISITORS} AND b.visitor_id IS NOT NULL AND (%(before)s::timestamptz IS NULL OR b.blocked_at < %(before)s)
ORDER BY b.blocked_at DESC, v.id DESC
LIMIT %(limit)s
"""
UPSERT_BLOCK = """
INSERT INTO blocked_visitors (tenant_id, visitor_id, reason, blocked_by, blocked_at, blocked_until)
VALUES (%(tenant)s, %(visitor)s, %(reason)s, %(blocked_by)s, %(blocked_at)s, %(until)s)
ON CONFLICT (tenant_id, visitor_id) DO UPDATE SET
    reason = excluded.reason, blocked_by = excluded.blocked_by, blocked_at = excluded.blocked_at,
    blocked_until = excluded.blocked_until
"""
DELETE_BLOCK = "DELETE FROM blocked_visitors WHERE tenant_id = %(tenant)s AND visitor_id = %(visitor)s"
_BLOCKS = """
SELECT visitor_id, blocked_until FROM blocked_visitors
WHERE tenant_id = %(tenant)s AND (blocked_until IS NULL OR blocked_until > %(at)s)
"""
SELECT_BLOCKS = _BLOCKS
SELECT_BLOCK = f"{_BLOCKS} AND visitor_id = %(visitor)s"


@dataclass(frozen=True, slots=True)
class VisitorRow:
    """A row of visitors with the block in force."""

    id: UUID
    external_id: str | None
    name: str | None
    email: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    reason: str | None
    blocked_at: datetime | None
    blocked_by: UUID | None
    blocked_until: datetime | None

    def to_visitor(self) -> KnownVisitor:
        """Return the visitor."""
        block = None
        if self.blocked_at is not None:
            member = MemberId(self.blocked_by) if self.blocked_by else None
            block = Block(self.reason or "", self.blocked_at, member, self.blocked_until)
        return KnownVisitor(
            VisitorId(self.id), self.first_seen_at, self.last_seen_at, self.external_id, self.name, self.email, block
        )


@dataclass(frozen=True, slots=True)
class BlockRow:
    """Whom a block holds, and until when."""

    visitor_id: UUID
    blocked_until: datetime | None


class PostgresVisitors:
    """One tenant's visitors."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def get(self, visitor_id: VisitorId, at: datetime) -> KnownVisitor:
        """Return the visitor as of a moment. Raises NotFound."""
        row = await self._database.fetch_one(self._tenant_id, VisitorRow, SELECT_VISITOR, {"id": visitor_id, "at": at})
        if row is None:
            raise NotFound("visitor", visitor_id)
        return row.to_visitor()

    async def list_blocked(
        self, at: datetime, *, limit: int = 20, before: datetime | None = None
    ) -> Sequence[KnownVisitor]:
        """Return the visitors who are blocked at a moment, the last blocked first."""
        parameters = {"at": at, "limit": limit, "before": before}
        rows = await self._database.fetch(self._tenant_id, VisitorRow, SELECT_BLOCKED, parameters)
        return [row.to_visitor() for row in rows]

    async def block(self, visitor_id: VisitorId, block: Block) -> None:
        """Keep the visitor from writing; replaces an earlier block. Raises NotFound."""
        try:
            await self._database.run(self._tenant_id, UPSERT_BLOCK, {"visitor": visitor_id, **asdict(block)})
        except psycopg.errors.ForeignKeyViolation as error:
            kind = "member" if violated(error).endswith("blocked_by_fkey") else "visitor"
            raise NotFound(kind, visitor_id if kind == "visitor" else block.blocked_by) from error

    async def unblock(self, visitor_id: VisitorId) -> None:
        """Let the visitor write again. Raises NotFound when they are not blocked."""
        if not await self._database.run(self._tenant_id, DELETE_BLOCK, {"visitor": visitor_id}):
            raise NotFound("block", visitor_id)

    async def is_blocked(self, visitor_id: VisitorId, at: datetime) -> bool:
        """Say whether a visitor, known or not, is blocked."""
        parameters = {"visitor": visitor_id, "at": at}
        return await self._database.fetch_one(self._tenant_id, BlockRow, SELECT_BLOCK, parameters) is not None

    async def blocked(self, at: datetime) -> Mapping[VisitorId, datetime | None]:
        """Return all who are blocked, and until when."""
        rows = await self._database.fetch(self._tenant_id, BlockRow, SELECT_BLOCKS, {"at": at})
        return {VisitorId(row.visitor_id): row.blocked_until for row in rows}
