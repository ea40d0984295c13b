"""Stores of vectors in Qdrant: a collection for each embedding model, so that vectors of different ones never meet."""

import asyncio
from collections.abc import Awaitable, Callable

from chatconnect.adapters.qdrant import QdrantChunks, QdrantDatabase
from chatconnect.domain.embedding import EmbeddingModel
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.models import Embedder

OpenDatabase = Callable[[EmbeddingModel], Awaitable[QdrantDatabase]]
MakeEmbedder = Callable[[EmbeddingModel], Awaitable[Embedder]]


class QdrantStores:
    """Opens the collections, and makes the embedders, at first use and once."""

    def __init__(self, open_database: OpenDatabase, make_embedder: MakeEmbedder) -> None:
        self._open_database, self._make_embedder = open_database, make_embedder
        self._databases: dict[EmbeddingModel, QdrantDatabase] = {}
        self._embedders: dict[EmbeddingModel, Embedder] = {}
        self._lock = asyncio.Lock()

    async def embedder(self, model: EmbeddingModel) -> Embedder:
        """Return what makes vectors of this model. Raises ProviderFailed where it cannot be used, Unavailable."""
        async with self._lock:
            if model not in self._embedders:
                self._embedders[model] = await self._make_embedder(model)
            return self._embedders[model]

    async def chunks(self, model: EmbeddingModel, tenant_id: TenantId) -> QdrantChunks:
        """Return the tenant's own store of this model's vectors. Raises Unavailable."""
        return (await self._database(model)).for_tenant(tenant_id)

    async def drop(self, model: EmbeddingModel) -> None:
        """Remove the collection of this model; none is no error. Raises Unavailable."""
        await (await self._database(model)).drop()

    async def check(self, model: EmbeddingModel) -> None:
        """Raise Unavailable when the server does not answer."""
        await (await self._database(model)).check()

    async def aclose(self) -> None:
        """Close the connections; the next use opens new ones."""
        for database in self._databases.values():
            await database.aclose()

    async def _database(self, model: EmbeddingModel) -> QdrantDatabase:
        async with self._lock:
            if model not in self._databases:
                self._databases[model] = await self._open_database(model)
            return self._databases[model]
