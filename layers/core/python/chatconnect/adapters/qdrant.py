"""Chunks in Qdrant: one collection per embedding model, a dense and a BM25 vector per chunk, asked in one request."""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from chatconnect.adapters.bm25 import document_vector, query_vector
from chatconnect.adapters.qdrant_points import QdrantPoints
from chatconnect.domain.errors import Unavailable
from chatconnect.domain.fusion import fused, terms_of
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId
from chatconnect.domain.knowledge import Chunk, Passage
from chatconnect.domain.secret import Secret
from chatconnect.domain.terms import searched_terms
from chatconnect.ports.knowledge import SearchScope

if TYPE_CHECKING:
    from qdrant_client import AsyncQdrantClient

DENSE, SPARSE = "dense", "sparse"
Scored = list[tuple[Chunk, float]]
# Each part offers at least so many, so that the fusion has something to agree on.
_CANDIDATES = 20
_CONFLICT = 409
# Points of one request of a walk through all of a tenant's.
_PAGE = 5_000
# Points that are read and stored again at a time, with their vectors.
_REWRITTEN = 200
_CONNECTIONS = 50


class QdrantDatabase:
    """The client and the collection, made at first use and shared by all tenants' stores."""

    def __init__(
        self, url: str, *, collection: str, dimensions: int, api_key: Secret | None = None, timeout_seconds: int = 5
    ) -> None:
        self.collection, self._dimensions = collection, dimensions
        self._url, self._api_key, self._timeout = url, api_key, timeout_seconds
        self._client: AsyncQdrantClient | None = None
        self._points = QdrantPoints(url, api_key=api_key, timeout_seconds=timeout_seconds, on_missing=self._make_again)
        self._ready = False
        self._lock = asyncio.Lock()

    async def client(self) -> "AsyncQdrantClient":
        """Return the client, with the collection in place. Raises Unavailable."""
        client = await self._connected()
        async with self._lock:
            if not self._ready:
                with qdrant_errors():
                    await self._make_collection(client)
                self._ready = True
        return client

    async def _connected(self) -> "AsyncQdrantClient":
        async with self._lock:
            if self._client is None:
                # The import takes a second or two, which other requests must not wait for.
                await asyncio.to_thread(import_module, "qdrant_client")
                from httpx import Limits
                from qdrant_client import AsyncQdrantClient

                self._client = AsyncQdrantClient(
                    url=self._url,
                    api_key=self._api_key.reveal() if self._api_key else None,
                    timeout=self._timeout,
                    limits=Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
                    check_compatibility=False,
                )
        return self._client

    async def points(self) -> QdrantPoints:
        """Return the way to the points, with the collection in place. Raises Unavailable."""
        if not self._ready:
            await self.client()
        return self._points

    async def delete(self, conditions: Sequence[Mapping[str, Any]]) -> None:
        """Remove the points of which all this holds; without a collection there are none. Raises Unavailable."""
        await self._points.delete(self.collection, {"must": conditions})

    async def drop(self) -> None:
        """Remove the collection; none is no error. The next use makes a new one. Raises Unavailable."""
        client = await self._connected()
        with qdrant_errors():
            await client.delete_collection(self.collection)
        self._make_again()

    def for_tenant(self, tenant_id: TenantId) -> "QdrantChunks":
        """Return the tenant's own store."""
        return QdrantChunks(self, tenant_id)

    async def check(self) -> None:
        """Raise Unavailable when the server does not answer."""
        client = await self.client()
        with qdrant_errors():
            await client.get_collections()

    async def aclose(self) -> None:
        """Close the connections; the next use opens new ones."""
        client, self._client = self._client, None
        await self._points.aclose()
        if client is not None:
            await client.close()

    def _make_again(self) -> None:
        """Have the next use make the collection: it was dropped, here or by another process."""
        self._ready = False

    async def _make_collection(self, client: "AsyncQdrantClient") -> None:
        from qdrant_client import models
        from qdrant_client.http.exceptions import UnexpectedResponse

        if not await client.collection_exists(self.collection):
            making = client.create_collection(
                self.collection,
                vectors_config={DENSE: models.VectorParams(size=self._dimensions, distance=models.Distance.COSINE)},
                sparse_vectors_config={SPARSE: models.SparseVectorParams(modifier=models.Modifier.IDF)},
                # One graph per tenant instead of one over all: every search names its tenant.
                hnsw_config=models.HnswConfigDiff(m=0, payload_m=16),
            )
            try:
                await making
            except UnexpectedResponse as error:
                if error.status_code != _CONFLICT:  # another process was first
                    raise
        tenant_index = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
        await client.create_payload_index(self.collection, "tenant_id", field_schema=tenant_index)
        for field in ("document_id", "version_id"):
            await client.create_payload_index(self.collection, field, field_schema=models.PayloadSchemaType.KEYWORD)


class QdrantChunks:
    """One tenant's chunks."""

    def __init__(self, database: QdrantDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id
        self._mine = _holds("tenant_id", value=tenant_id)

    async def save(self, chunks: Sequence[Chunk], vectors: Sequence[Sequence[float]]) -> None:
        """Store chunks with their vectors; saving again replaces. Raises Unavailable."""
        points = await self._database.points()
        await points.upsert(
            self._database.collection,
            [
                {
                    "id": str(_point_id(chunk)),
                    "vector": {DENSE: vector, SPARSE: document_vector(terms_of(chunk))},
                    "payload": self._payload(chunk),
                }
                for chunk, vector in zip(chunks, vectors, strict=True)
            ],
        )

    async def search(
        self, text: str, vector: Sequence[float], scope: SearchScope, *, limit: int, threshold: float
    ) -> list[Passage]:
        """Return the passages that match best by meaning and by words, fused, best first. Raises Unavailable."""
        by_meaning, by_words = await self.both(text, vector, scope, limit=max(limit, _CANDIDATES))
        return fused(text, by_meaning, by_words, threshold=threshold, limit=limit)

    async def both(
        self, text: str, vector: Sequence[float], scope: SearchScope, *, limit: int
    ) -> tuple[Scored, Scored]:
        """Return what is found by meaning, with cosines, and by words, with BM25 scores. Raises Unavailable."""
        asked = searched_terms(text)
        wanted = {"filter": self._filter(scope), "limit": limit, "with_payload": True}
        queries: list[dict[str, Any]] = [
            {"query": vector, "using": DENSE},
            {"query": query_vector(asked), "using": SPARSE},
        ]
        points = await self._database.points()
        # Of a text without any terms, the words find nothing; Qdrant refuses a vector of none.
        found = await points.query(self._database.collection, [query | wanted for query in queries[: 1 + bool(asked)]])
        by_meaning, by_words, *_ = ([(_chunk(p["payload"]), p["score"]) for p in part] for part in (*found, []))
        return by_meaning, by_words

    async def delete_version(self, version_id: VersionId) -> None:
        """Remove all points of a version. Raises Unavailable."""
        await self._database.delete([self._mine, _holds("version_id", value=version_id)])

    async def retitle_version(self, version_id: VersionId, title: str) -> None:
        """Store the points of a version again, with another title and the words of it. Raises Unavailable."""
        points = await self._database.points()
        page: dict[str, Any] = {
            "filter": {"must": [self._mine, _holds("version_id", value=version_id)]},
            "limit": _REWRITTEN,
            "with_payload": True,
            "with_vector": [DENSE],
        }
        following = True
        while following:
            some, following = await points.scroll(self._database.collection, page)
            chunks = [replace(_chunk(point["payload"]), title=title) for point in some]
            if chunks:
                await self.save(chunks, [point["vector"][DENSE] for point in some])
            page["offset"] = following

    async def delete_after(self, version_id: VersionId, position: int) -> None:
        """Remove the points of a version's chunks behind a position. Raises Unavailable."""
        behind = {"key": "position", "range": {"gt": position}}
        await self._database.delete([self._mine, _holds("version_id", value=version_id), behind])

    async def delete_all(self) -> None:
        """Remove all the tenant's points. Raises Unavailable."""
        await self._database.delete([self._mine])

    async def positions(self) -> dict[VersionId, set[int]]:
        """Return of which versions there are points, and of which of their chunks. Raises Unavailable."""
        points = await self._database.points()
        found: dict[VersionId, set[int]] = {}
        page: dict[str, Any] = {
            "filter": {"must": [self._mine]},
            "limit": _PAGE,
            "with_payload": ["version_id", "position"],
        }
        while True:
            some, following = await points.scroll(self._database.collection, page)
            for point in some:
                payload = point["payload"]
                found.setdefault(VersionId(UUID(payload["version_id"])), set()).add(payload["position"])
            if following is None:
                return found
            page["offset"] = following

    async def count_of_visitors(self, visitor_ids: Collection[UUID]) -> int:
        """Return how many points name one of the visitors: none, as far as we store them. Raises Unavailable."""
        points = await self._database.points()
        named = [self._mine, _holds("visitor_id", any=tuple(visitor_ids))]
        body = {"filter": {"must": named}, "limit": _PAGE, "with_payload": ["version_id"]}
        found, _ = await points.scroll(self._database.collection, body)
        return len(found)

    def _filter(self, scope: SearchScope) -> dict[str, Any]:
        # Ids stay as they are: there may be ten thousand, and orjson writes them ten times as fast as `str` does.
        must = [self._mine]
        if scope.documents is not None:
            must.append(_holds("document_id", any=scope.documents))
        return {"must": must, "must_not": [_holds("version_id", any=scope.hidden)] if scope.hidden else []}

    def _payload(self, chunk: Chunk) -> dict[str, Any]:
        return {
            "tenant_id": str(self._tenant_id),
            "document_id": str(chunk.document_id),
            "version_id": str(chunk.version_id),
            "title": chunk.title,
            "position": chunk.position,
            "text": chunk.text,
            "start": chunk.start,
            "end": chunk.end,
            "page": chunk.page,
            "headings": list(chunk.headings),
        }


@contextmanager
def qdrant_errors() -> Iterator[None]:
    """Turn the client's errors into ours."""
    from qdrant_client.http.exceptions import ApiException

    try:
        yield
    except (ApiException, OSError, TimeoutError) as error:
        raise Unavailable("the knowledge store", code="knowledge_unavailable") from error


def _holds(field: str, **match: UUID | Sequence[UUID]) -> dict[str, Any]:
    """Return the condition that a field has the `value`, or `any` of several."""
    return {"key": field, "match": match}


def _point_id(chunk: Chunk) -> UUID:
    """The same chunk always has the same id, so that storing it twice leaves one point."""
    return uuid5(chunk.version_id, str(chunk.position))


# One answer names few documents many times, and reading an id takes as long as reading the rest of a chunk.
_id = lru_cache(maxsize=4_000)(UUID)


def _chunk(payload: Mapping[str, Any]) -> Chunk:
    return Chunk(
        document_id=DocumentId(_id(payload["document_id"])),
        version_id=VersionId(_id(payload["version_id"])),
        title=payload["title"],
        position=payload["position"],
        text=payload["text"],
        start=payload["start"],
        end=payload["end"],
        page=payload["page"],
        headings=tuple(payload["headings"]),
    )
