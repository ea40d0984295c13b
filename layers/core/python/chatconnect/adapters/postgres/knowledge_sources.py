"""One tenant's knowledge sources in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatconnect.adapters.postgres.counts import counted
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.names import unique_name
from chatconnect.adapters.postgres.tenant_secrets import TenantSecrets, all_opened
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import KnowledgeSourceId, TenantId
from chatconnect.domain.knowledge_source import KnowledgeSource
from chatconnect.ports.secrets import Encryption

_SOURCES = """
SELECT id, name, provider, base_url, dataset_id, search_method, secret, created_at, updated_at
FROM knowledge_sources WHERE tenant_id = %(tenant)s
"""
SELECT_SOURCES = f"{_SOURCES} ORDER BY name"
SELECT_SOURCE = f"{_SOURCES} AND id = %(id)s"
INSERT_SOURCE = """
INSERT INTO knowledge_sources (tenant_id, id, name, provider, base_url, dataset_id, search_method, secret, secret_key,
                               created_at, updated_at)
VALUES (%(tenant)s, %(id)s, %(name)s, %(provider)s, %(base_url)s, %(dataset_id)s, %(search_method)s, %(secret)s,
        %(secret_key)s, %(created_at)s, %(updated_at)s)
"""
UPDATE_SOURCE = """
UPDATE knowledge_sources
SET name = %(name)s, provider = %(provider)s, base_url = %(base_url)s, dataset_id = %(dataset_id)s,
    search_method = %(search_method)s, secret = %(secret)s, secret_key = %(secret_key)s, updated_at = %(updated_at)s
WHERE tenant_id = %(tenant)s AND id = %(id)s
"""
DELETE_SOURCE = "DELETE FROM knowledge_sources WHERE tenant_id = %(tenant)s AND id = %(id)s"


@dataclass(frozen=True, slots=True)
class KnowledgeSourceRow:
    """A row of knowledge_sources; `secret` is the sealed API key."""

    id: UUID
    name: str
    provider: str
    base_url: str
    dataset_id: str
    search_method: str | None
    secret: bytes
    created_at: datetime
    updated_at: datetime


class PostgresKnowledgeSources:
    """One tenant's sources. `encryption` seals their keys."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId, *, encryption: Encryption) -> None:
        self._database, self._tenant_id = database, tenant_id
        self._secrets = TenantSecrets(encryption, tenant_id)

    async def list_all(self) -> Sequence[KnowledgeSource]:
        """Return all sources by name."""
        rows = await self._database.fetch(self._tenant_id, KnowledgeSourceRow, SELECT_SOURCES, {})
        return await all_opened(rows, self._opened)

    async def count(self) -> int:
        """Return how many sources there are, without opening any secret."""
        return await counted(self._database, self._tenant_id, "knowledge_sources")

    async def get(self, source_id: KnowledgeSourceId) -> KnowledgeSource:
        """Return the source. Raises NotFound."""
        row = await self._database.fetch_one(self._tenant_id, KnowledgeSourceRow, SELECT_SOURCE, {"id": source_id})
        if row is None:
            raise NotFound("knowledge source", source_id)
        return await self._opened(row)

    async def add(self, source: KnowledgeSource) -> None:
        """Store a new source. Raises Conflict with code "name_taken"."""
        parameters = await self._parameters(source)
        with unique_name("knowledge_sources", "a knowledge source", source.name):
            await self._database.run(self._tenant_id, INSERT_SOURCE, parameters)

    async def save(self, source: KnowledgeSource) -> None:
        """Store the source in place of its earlier state. Raises NotFound, Conflict with code "name_taken"."""
        parameters = await self._parameters(source)
        with unique_name("knowledge_sources", "a knowledge source", source.name):
            if not await self._database.run(self._tenant_id, UPDATE_SOURCE, parameters):
                raise NotFound("knowledge source", source.id)

    async def delete(self, source_id: KnowledgeSourceId) -> None:
        """Remove the source. Raises NotFound."""
        if not await self._database.run(self._tenant_id, DELETE_SOURCE, {"id": source_id}):
            raise NotFound("knowledge source", source_id)

    async def _parameters(self, source: KnowledgeSource) -> dict[str, object]:
        sealed, key_id = await self._secrets.sealed(source.api_key)
        return {
            "id": source.id,
            "name": source.name,
            "provider": source.provider,
            "base_url": source.base_url,
            "dataset_id": source.dataset_id,
            "search_method": source.search_method,
            "secret": sealed,
            "secret_key": key_id,
            "created_at": source.created_at,
            "updated_at": source.updated_at,
        }

    async def _opened(self, row: KnowledgeSourceRow) -> KnowledgeSource:
        return KnowledgeSource(
            id=KnowledgeSourceId(row.id),
            tenant_id=self._tenant_id,
            name=row.name,
            provider=row.provider,
            base_url=row.base_url,
            dataset_id=row.dataset_id,
            api_key=await self._secrets.opened(row.secret),
            created_at=row.created_at,
            updated_at=row.updated_at,
            search_method=row.search_method,
        )
