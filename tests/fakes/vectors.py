"""Vectors of texts that were embedded lately, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.vector_cache import Vector


@dataclass
class StoredVectors:
    """What is known of all tenants' texts; nothing grows old."""

    vectors: dict[tuple[TenantId, str, str], Vector] = field(default_factory=dict)


class MemoryVectorCache:
    """One tenant's vectors."""

    def __init__(self, stored: StoredVectors, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def find(self, embedder: str, texts: Sequence[str]) -> list[Vector | None]:
        return [self._stored.vectors.get((self._tenant_id, embedder, text)) for text in texts]

    async def keep(self, embedder: str, texts: Sequence[str], vectors: Sequence[Vector]) -> None:
        for text, vector in zip(texts, vectors, strict=True):
            self._stored.vectors[self._tenant_id, embedder, text] = vector
