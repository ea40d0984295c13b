"""What tenants do side by side with their points in Qdrant: see tenant_keys.py."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from chatconnect.adapters.qdrant import QdrantChunks, QdrantDatabase
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId
from chatconnect.domain.knowledge import Chunk
from chatconnect.ports.knowledge import SearchScope

NORTH = [1.0, 0.0, 0.0]
_VERSIONS = 4


@dataclass(frozen=True)
class Points:
    """One tenant's points. Versions have the ids of the other tenant's, their chunks other places."""

    database: QdrantDatabase
    tenant_id: TenantId
    number: int
    seed: UUID

    @property
    def store(self) -> QdrantChunks:
        return self.database.for_tenant(self.tenant_id)

    async def aclose(self) -> None:
        """Leave nothing behind in the collection."""
        await self.database.delete([])
        await self.database.aclose()

    def version(self, number: int) -> VersionId:
        return VersionId(uuid5(self.seed, f"version {number}"))

    def document(self, number: int) -> DocumentId:
        return DocumentId(uuid5(self.seed, f"document {number}"))

    def chunks(self, number: int) -> list[Chunk]:
        text, first = f"words of {self.tenant_id}", 10 * self.number
        document, version = self.document(number), self.version(number)
        return [Chunk(document, version, "Title", n, text, 0, len(text), 1, ()) for n in (first, first + 1)]


async def saves_points(of: Points) -> None:
    for number in range(_VERSIONS):
        chunks = of.chunks(number)
        await of.store.save(chunks, [NORTH] * len(chunks))


async def searches(of: Points) -> object:
    found = [await of.store.both("words", NORTH, SearchScope(), limit=100)]
    found.append(await of.store.both("words", NORTH, SearchScope(documents=(of.document(0),)), limit=100))
    return [sorted(f"{chunk}" for chunk, _ in part) for both in found for part in both]


async def looks_at_places(of: Points) -> object:
    return await of.store.positions(), await of.store.count_of_visitors([of.seed])


async def removes_some(of: Points) -> None:
    if of.number:
        await of.store.delete_version(of.version(1))
        await of.store.delete_after(of.version(2), -1)


async def retitles(of: Points) -> None:
    await of.store.retitle_version(of.version(0), f"title of {of.tenant_id}")


async def removes_all(of: Points) -> None:
    if of.number:
        await of.store.delete_all()


POINTS: Sequence[Callable[[Points], Awaitable[object]]] = (
    searches, looks_at_places, saves_points, removes_some, retitles, removes_all,
)  # fmt: skip
