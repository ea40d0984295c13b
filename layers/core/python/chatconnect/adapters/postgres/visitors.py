"""One tenant's visitors in Postgres, and who of them is blocked."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

import psycopg

from chatconnect.adapters.postgres.database import PostgresDatabase, violated
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import MemberId, TenantId, VisitorId, new_id
from chatconnect.domain.identity import Identity
from chatconnect.domain.visitor import Block, KnownVisitor, Recognised

_VISITORS = """
SELECT v.id, v.external_id, v.name, v.email, v.first_seen_at, v.last_seen_at, v.merged_into,
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
# Two devices of one person at once: the second waits, and finds the visitor that the first has made.
LOCK_IDENTITY = "SELECT pg_advisory_xact_lock(hashtextextended(%(tenant)s::text || %(external_id)s, 0))"
# In this order: the visitor of this identity; the anonymous one who came with the id, stored or not; a new one.
UPSERT_IDENTIFIED = """
WITH known AS (
    UPDATE visitors SET name = coalesce(%(name)s, name), email = coalesce(%(email)s, email),
        last_seen_at = greatest(last_seen_at, %(at)s)
    WHERE tenant_id = %(tenant)s AND external_id = %(external_id)s
    RETURNING id
), became AS (
    INSERT INTO visitors AS kept (tenant_id, id, external_id, name, email, first_seen_at, last_seen_at)
    SELECT %(tenant)s, %(id)s, %(external_id)s, %(name)s, %(email)s, %(at)s, %(at)s
    WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT (tenant_id, id) DO UPDATE SET external_id = excluded.external_id, name = excluded.name,
        email = excluded.email, last_seen_at = greatest(kept.last_seen_at, excluded.last_seen_at)
    WHERE kept.external_id IS NULL AND kept.merged_into IS NULL
    RETURNING id
), made AS (
    INSERT INTO visitors (tenant_id, id, external_id, name, email, first_seen_at, last_seen_at)
    SELECT %(tenant)s, %(new_id)s, %(external_id)s, %(name)s, %(email)s, %(at)s, %(at)s
    WHERE NOT EXISTS (SELECT FROM known) AND NOT EXISTS (SELECT FROM became)
    RETURNING id
)
SELECT id, id = %(id)s FROM known
UNION ALL SELECT id, true FROM became
UNION ALL SELECT id, false FROM made
"""
# A key that the person has used on both devices stays that of the first. Whoever was merged before stays so.
MERGE_ANONYMOUS = """
WITH merged AS (
    UPDATE visitors SET merged_into = %(into)s
    WHERE tenant_id = %(tenant)s AND id = %(id)s AND external_id IS NULL AND merged_into IS NULL
    RETURNING id
), moved AS (
    UPDATE conversations SET visitor_id = %(into)s
    WHERE tenant_id = %(tenant)s AND visitor_id IN (SELECT id FROM merged)
    RETURNING id
), followed AS (
    UPDATE messages m SET visitor_id = %(into)s, idempotency_key = CASE WHEN NOT EXISTS (
        SELECT FROM messages other
        WHERE other.tenant_id = %(tenant)s AND other.visitor_id = %(into)s
          AND other.idempotency_key = m.idempotency_key
    ) THEN m.idempotency_key END
    WHERE m.tenant_id = %(tenant)s AND m.conversation_id IN (SELECT id FROM moved)
)
SELECT EXISTS (SELECT FROM merged) OR EXISTS (
    SELECT FROM visitors WHERE tenant_id = %(tenant)s AND id = %(id)s AND merged_into = %(into)s
)
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
    merged_into: UUID | None
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
            VisitorId(self.id),
            self.first_seen_at,
            self.last_seen_at,
            self.external_id,
            self.name,
            self.email,
            block,
            VisitorId(self.merged_into) if self.merged_into else None,
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
        visitor = await self.find(visitor_id, at)
        if visitor is None:
            raise NotFound("visitor", visitor_id)
        return visitor

    async def find(self, visitor_id: VisitorId, at: datetime) -> KnownVisitor | None:
        """Return the visitor as of a moment; None for one who has neither written nor proven who they are."""
        row = await self._database.fetch_one(self._tenant_id, VisitorRow, SELECT_VISITOR, {"id": visitor_id, "at": at})
        return row.to_visitor() if row else None

    async def recognise(self, identity: Identity, claimed: VisitorId | None, at: datetime) -> Recognised:
        """Return the one visitor of an identity, and keep what it says of them."""
        given = {
            "tenant": self._tenant_id,
            "id": claimed or VisitorId(new_id()),
            "new_id": VisitorId(new_id()),
            "at": at,
            **asdict(identity),
        }
        async with self._database.transaction(self._tenant_id) as connection:
            await connection.execute(LOCK_IDENTITY, given)
            cursor = await connection.execute(UPSERT_IDENTIFIED, given)
            (visitor_id, returning), *_ = await cursor.fetchall()
            if claimed is not None and visitor_id != claimed:
                cursor = await connection.execute(MERGE_ANONYMOUS, {**given, "into": visitor_id})
                returning = bool((await cursor.fetchall())[0][0])
        return Recognised(await self.get(VisitorId(visitor_id), at), claimed is not None and returning)

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
