"""Chunks and their vectors in memory."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from chatconnect.domain.identifiers import TenantId, VersionId
from chatconnect.domain.knowledge import Chunk, Passage
from chatconnect.ports.knowledge import SearchScope


@dataclass
class StoredChunks:
    """The points of all tenants."""

    points: dict[tuple[TenantId, VersionId, int], tuple[Chunk, Sequence[float]]] = field(default_factory=dict)

    def of(self, version_id: VersionId) -> list[Chunk]:
        return [chunk for (_, version, _), (chunk, _) in self.points.items() if version == version_id]


class MemoryChunks:
    """One tenant's chunks. A search compares vectors, and lets a shared word pass the threshold."""

    def __init__(self, stored: StoredChunks, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def save(self, chunks: Sequence[Chunk], vectors: Sequence[Sequence[float]]) -> None:
        for chunk, vector in zip(chunks, vectors, strict=True):
            self._stored.points[self._tenant_id, chunk.version_id, chunk.position] = (chunk, vector)

    async def search(
        self, text: str, vector: Sequence[float], scope: SearchScope, *, limit: int, threshold: float
    ) -> list[Passage]:
        words, found = set(text.lower().split()), []
        for (tenant_id, version_id, _), (chunk, stored) in self._stored.points.items():
            if tenant_id != self._tenant_id or version_id in scope.hidden:
                continue
            if scope.documents is not None and chunk.document_id not in scope.documents:
                continue
            cosine = sum(a * b for a, b in zip(vector, stored, strict=True))
            shared = len(words & set(chunk.text.lower().split()))
            if cosine >= threshold or shared:
                found.append(Passage(chunk, cosine + shared, cosine))
        return sorted(found, key=lambda passage: passage.score, reverse=True)[:limit]

    async def delete_after(self, version_id: VersionId, position: int) -> None:
        for place in [p for p in self._stored.points if p[:2] == (self._tenant_id, version_id) and p[2] > position]:
            del self._stored.points[place]

    async def positions(self) -> dict[VersionId, set[int]]:
        found: dict[VersionId, set[int]] = {}
        for tenant_id, version_id, position in self._stored.points:
            if tenant_id == self._tenant_id:
                found.setdefault(version_id, set()).add(position)
        return found

    async def count_of_visitors(self, visitor_ids: Collection[UUID]) -> int:
        return 0

    async def delete_all(self) -> None:
        for place in [p for p in self._stored.points if p[0] == self._tenant_id]:
            del self._stored.points[place]

    async def delete_version(self, version_id: VersionId) -> None:
        for place in self._places_of(version_id):
            del self._stored.points[place]

    async def retitle_version(self, version_id: VersionId, title: str) -> None:
        for place in self._places_of(version_id):
            chunk, vector = self._stored.points[place]
            self._stored.points[place] = (replace(chunk, title=title), vector)

    def _places_of(self, version_id: VersionId) -> list[tuple[TenantId, VersionId, int]]:
        return [place for place in self._stored.points if place[:2] == (self._tenant_id, version_id)]
