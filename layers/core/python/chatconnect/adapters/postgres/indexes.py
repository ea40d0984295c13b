"""What is recorded of one tenant's indexes, in Postgres."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.embedding import EmbeddingModel, IndexState
from chatconnect.domain.identifiers import TenantId, VersionId
from chatconnect.domain.knowledge import Progress

_COLUMNS = "active, next, former, progress_done, progress_total, left_at"

SELECT_INDEX = f"SELECT {_COLUMNS} FROM knowledge_indexes WHERE tenant_id = %(tenant)s"

CLAIM_INDEX = f"""
WITH claimed AS (
    INSERT INTO knowledge_indexes (tenant_id, active) VALUES (%(tenant)s, %(model)s)
    ON CONFLICT (tenant_id) DO NOTHING
    RETURNING {_COLUMNS}
)
SELECT {_COLUMNS} FROM claimed
UNION ALL
SELECT {_COLUMNS} FROM knowledge_indexes WHERE tenant_id = %(tenant)s
"""

BEGIN_INDEX = """
UPDATE knowledge_indexes
SET next = %(model)s, former = array_remove(former, %(model)s), progress_done = 0, progress_total = 0
WHERE tenant_id = %(tenant)s AND active <> %(model)s AND next IS NULL
"""

UPDATE_PROGRESS = """
UPDATE knowledge_indexes SET progress_done = %(done)s, progress_total = %(total)s
WHERE tenant_id = %(tenant)s AND next = %(model)s
"""

# Taken before the switch looks at what answers: an activation holds the row, too, so the one sees the other.
LOCK_INDEX = "SELECT FROM knowledge_indexes WHERE tenant_id = %(tenant)s FOR UPDATE"

SWITCH_INDEX = f"""
UPDATE knowledge_indexes
SET active = next, next = NULL, former = array_append(array_remove(former, active), active), left_at = %(at)s
WHERE tenant_id = %(tenant)s AND next = %(model)s
  AND NOT EXISTS (
      SELECT FROM documents
      WHERE tenant_id = %(tenant)s AND active_version_id IS NOT NULL AND active_version_id <> ALL (%(complete)s)
  )
RETURNING {_COLUMNS}
"""

ABANDON_INDEX = """
UPDATE knowledge_indexes
SET next = NULL, former = array_append(array_remove(former, next), next), left_at = %(at)s,
    progress_done = 0, progress_total = 0
WHERE tenant_id = %(tenant)s AND next IS NOT NULL
"""

FORGET_INDEX = """
UPDATE knowledge_indexes SET former = array_remove(former, %(model)s) WHERE tenant_id = %(tenant)s
"""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A row of knowledge_indexes."""

    active: str
    next: str | None
    former: Sequence[str]
    progress_done: int
    progress_total: int
    left_at: datetime | None

    def to_state(self) -> IndexState:
        """Return the value."""
        return IndexState(
            EmbeddingModel.parse(self.active),
            EmbeddingModel.parse(self.next) if self.next else None,
            tuple(map(EmbeddingModel.parse, self.former)),
            Progress(self.progress_done, self.progress_total),
            self.left_at,
        )


class PostgresIndexes:
    """What is recorded of one tenant's indexes."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def find(self) -> IndexState | None:
        """Return the record; None when nothing was ever indexed."""
        row = await self._database.fetch_one(self._tenant_id, IndexRow, SELECT_INDEX, {})
        return row.to_state() if row else None

    async def claim(self, model: EmbeddingModel) -> IndexState:
        """Return the record; where there is none yet, make one with `model` as the active one."""
        row = await self._database.fetch_one(self._tenant_id, IndexRow, CLAIM_INDEX, {"model": str(model)})
        # Of several who claim at once one inserts, and the others' statements cannot see that row yet.
        return row.to_state() if row else await self.find() or IndexState(model)

    async def begin(self, model: EmbeddingModel) -> bool:
        """Have the index of `model` filled next. False when it is active, or another one is being filled."""
        return await self._database.run(self._tenant_id, BEGIN_INDEX, {"model": str(model)}) > 0

    async def set_progress(self, model: EmbeddingModel, progress: Progress) -> None:
        """Store how far the index of `model` is filled, if it is still the next one."""
        await self._database.run(self._tenant_id, UPDATE_PROGRESS, {"model": str(model), **asdict(progress)})

    async def switch(self, model: EmbeddingModel, complete: Collection[VersionId], at: datetime) -> bool:
        """Make the next index the active one, unless some version answers that is not complete there."""
        parameters = {"model": str(model), "complete": list(complete), "at": at}
        rows = await self._database.fetch(self._tenant_id, IndexRow, SWITCH_INDEX, parameters, before=LOCK_INDEX)
        return bool(rows)

    async def abandon(self, at: datetime) -> bool:
        """Make the next index a former one. False when there is no next one."""
        return await self._database.run(self._tenant_id, ABANDON_INDEX, {"at": at}) > 0

    async def forget(self, model: EmbeddingModel) -> None:
        """Strike a former index out: nothing is left of it."""
        await self._database.run(self._tenant_id, FORGET_INDEX, {"model": str(model)})
