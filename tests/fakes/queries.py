"""What searches have found lately, in memory."""

from dataclasses import dataclass, field

from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.query_cache import Query, Remembered


@dataclass
class StoredQueries:
    """What is known of all tenants' queries; nothing grows old."""

    vectors: dict[tuple[TenantId, str, str], Remembered] = field(default_factory=dict)
    passages: dict[tuple[TenantId, Query], Remembered] = field(default_factory=dict)


class MemoryQueryCache:
    """One tenant's queries."""

    def __init__(self, stored: StoredQueries, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def find(self, query: Query) -> Remembered:
        vector = self._stored.vectors.get((self._tenant_id, query.embedder, query.text), Remembered()).vector
        return Remembered(vector, self._stored.passages.get((self._tenant_id, query), Remembered()).passages)

    async def keep(self, query: Query, found: Remembered) -> None:
        if found.vector is not None:
            self._stored.vectors[self._tenant_id, query.embedder, query.text] = found
        if found.passages is not None:
            self._stored.passages[self._tenant_id, query] = found
