"""Tenants on a real Postgres and the Qdrant engine, who move from one embedding model to another."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from secrets import token_hex

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.postgres.indexes import PostgresIndexes
from chatconnect.adapters.qdrant import QdrantDatabase
from chatconnect.adapters.qdrant_stores import QdrantStores
from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.embedding import EmbeddingModel, IndexState
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId
from chatconnect.domain.knowledge import Document
from chatconnect.ports.models import Embedder
from chatconnect.services.document_feed import DocumentFeed
from chatconnect.services.documents import DocumentService, NewUpload
from chatconnect.services.embedding import EmbeddingService
from chatconnect.services.indexes import IndexService
from chatconnect.services.ingestion import IngestionService, Upload
from chatconnect.services.reembedding import ReembeddingService
from chatconnect.services.retrieval import RetrievalService
from tests.factories import a_tenant
from tests.fakes.epochs import MemoryEpochs, StoredEpochs
from tests.fakes.models import LetterEmbedder, words
from tests.fakes.publisher import MemoryPublisher
from tests.fakes.queries import MemoryQueryCache, StoredQueries
from tests.fakes.uploads import MemoryContinuations, MemoryUploads, PlainParser

OLD = EmbeddingModel("local", "letters", 26)
NEW = EmbeddingModel("openai", "pairs.v2", 13)
Before = Callable[[Sequence[str]], object]


class WatchedEmbedder(LetterEmbedder):
    """Remembers what it embedded; `before` is called, and may fail, ahead of each batch of a document."""

    def __init__(self, model: EmbeddingModel) -> None:
        self._dimensions = model.dimensions
        self.texts: list[str] = []
        self.before: Before = lambda _: None

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.texts += texts
        self.before(texts)
        await asyncio.sleep(0)
        return [_folded(vector, self._dimensions) for vector in await super().embed(texts)]


def _folded(vector: Sequence[float], dimensions: int) -> list[float]:
    """Letters that lie 13 apart count as one where there are only 13 numbers: a model of another kind."""
    folded = [sum(vector[place::dimensions]) for place in range(dimensions)]
    length = sum(value * value for value in folded) ** 0.5
    return [value / length if length else 0.0 for value in folded]


@dataclass
class Deployment:
    """What outlives every process: stores, files, epochs; and the clock."""

    database: PostgresDatabase
    qdrant_url: str
    prefix: str = field(default_factory=lambda: f"moving-{token_hex(4)}")
    tenants: list[TenantId] = field(default_factory=list)
    files: MemoryUploads = field(default_factory=MemoryUploads)
    epochs: StoredEpochs = field(default_factory=StoredEpochs)
    queries: StoredQueries = field(default_factory=StoredQueries)
    continuations: MemoryContinuations = field(default_factory=MemoryContinuations)
    embedders: dict[EmbeddingModel, WatchedEmbedder] = field(
        default_factory=lambda: {model: WatchedEmbedder(model) for model in (OLD, NEW)}
    )
    faults: list[BaseException] = field(default_factory=list)
    later: timedelta = timedelta()
    processes: list["Process"] = field(default_factory=list)

    def process(self, wanted: EmbeddingModel) -> "Process":
        """A process whose settings want a model."""
        self.processes.append(Process(self, wanted))
        return self.processes[-1]

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    async def tenant_ids(self) -> AsyncIterator[TenantId]:
        for tenant_id in list(self.tenants):
            yield tenant_id

    async def open_tenant(self) -> TenantId:
        new = a_tenant()
        await PostgresAccounts(self.database).open_tenant(new)
        self.tenants.append(new.tenant.id)
        return new.tenant.id

    async def state(self, tenant_id: TenantId) -> IndexState | None:
        return await PostgresIndexes(self.database, tenant_id).find()

    async def aclose(self) -> None:
        for process in self.processes:
            await process.stores.aclose()

    def documents_of(self, tenant_id: TenantId) -> PostgresDocuments:
        return PostgresDocuments(self.database, tenant_id)


class Process:
    """One process of a deployment, whose settings want a model; it keeps what it has read."""

    def __init__(self, deployment: Deployment, wanted: EmbeddingModel) -> None:
        self.deployment = here = deployment
        self.stores = QdrantStores(self._open, self._embedder)
        self._epochs = MemoryEpochs(here.epochs)
        indexes_of = partial(PostgresIndexes, here.database)
        self.indexes = IndexService(indexes_of=indexes_of, stores=self.stores, wanted=wanted, clock=here.now)
        embedding = EmbeddingService(price_of=lambda *_: None, clock=here.now)
        self.documents = DocumentService(
            documents_of=here.documents_of, points_of=self.indexes.points, uploads=here.files, epochs=self._epochs,
            clock=here.now,
        )  # fmt: skip
        self.ingestion = IngestionService(
            documents_of=here.documents_of, indexes=self.indexes, uploads=here.files, parser=PlainParser(),
            embedding=embedding, count_tokens=lambda: words, epochs=self._epochs, continuations=here.continuations,
            clock=here.now, feed=DocumentFeed(MemoryPublisher()),
        )  # fmt: skip
        self.retrieval = RetrievalService(
            documents_of=here.documents_of, indexes=self.indexes, epochs=self._epochs,
            queries_of=lambda tenant_id: MemoryQueryCache(here.queries, tenant_id), clock=here.now,
            on_lookup=lambda *_: None,
        )  # fmt: skip
        self.job = ReembeddingService(
            directory=here, indexes_of=indexes_of, indexes=self.indexes, stores=self.stores, wanted=wanted,
            documents_of=here.documents_of, embedding=embedding, count_tokens=lambda: words, epochs=self._epochs,
            clock=here.now, on_fault=lambda _, fault: here.faults.append(fault),
        )  # fmt: skip

    async def upload(self, tenant_id: TenantId, *texts: str, renews: DocumentId | None = None) -> Document:
        """A file that was promised and sent; nobody has read it yet."""
        content = "\n\n".join(texts).encode()
        upload = NewUpload("notes.txt", "text/plain", len(content), renews)
        document, form = await self.documents.promise(tenant_id, upload)
        self.deployment.files.objects[form.fields["key"]] = content
        return document

    async def read(self, document: Document) -> str:
        """What comes of the document's newest upload."""
        return (await self.ingestion.ingest(Upload(document.newest.object_key, "01"))).outcome

    async def add(self, tenant_id: TenantId, *texts: str, renews: DocumentId | None = None) -> Document:
        """A document that was read, in as many calls as it took."""
        document = await self.upload(tenant_id, *texts, renews=renews)
        await self.read(document)
        waiting = self.deployment.continuations.waiting
        while waiting:
            await self.ingestion.ingest(Upload(*waiting.pop()))
        return await self.documents.get(tenant_id, document.id)

    async def found(self, tenant_id: TenantId, query: str) -> list[str]:
        passages = await self.retrieval.search(tenant_id, query, Retrieval(limit=20, threshold=0.0))
        return [passage.chunk.text for passage in passages]

    async def positions(self, tenant_id: TenantId, model: EmbeddingModel) -> dict[VersionId, set[int]]:
        return await (await self.stores.chunks(model, tenant_id)).positions()

    async def collections(self) -> set[EmbeddingModel]:
        """The models of which the deployment has a collection."""
        database = QdrantDatabase(self.deployment.qdrant_url, collection=f"{self.deployment.prefix}-any", dimensions=1)
        try:
            there = {each.name for each in (await (await database.client()).get_collections()).collections}
        finally:
            await database.aclose()
        return {model for model in (OLD, NEW) if f"{self.deployment.prefix}-{model.key}" in there}

    async def _open(self, model: EmbeddingModel) -> QdrantDatabase:
        collection = f"{self.deployment.prefix}-{model.key}"
        return QdrantDatabase(self.deployment.qdrant_url, collection=collection, dimensions=model.dimensions)

    async def _embedder(self, model: EmbeddingModel) -> Embedder:
        return self.deployment.embedders[model]
