"""A tenant whose processes can be killed at any step. Postgres and the Qdrant engine are real, the bucket is a fake."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.qdrant import QdrantDatabase
from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.identifiers import DocumentId, TenantId
from chatconnect.domain.knowledge import Document
from chatconnect.ports.knowledge import Chunks, Documents
from chatconnect.services.document_feed import DocumentFeed
from chatconnect.services.documents import DocumentService, NewUpload
from chatconnect.services.embedding import EmbeddingService
from chatconnect.services.indexes import IndexService
from chatconnect.services.ingestion import IngestionService, Upload
from chatconnect.services.reconciliation import PATIENCE, ReconciliationService
from chatconnect.services.retrieval import RetrievalService
from tests.fakes.epochs import MemoryEpochs, StoredEpochs
from tests.fakes.indexes import one_index
from tests.fakes.models import LetterEmbedder, words
from tests.fakes.publisher import MemoryPublisher
from tests.fakes.queries import MemoryQueryCache, StoredQueries
from tests.fakes.uploads import MemoryContinuations, MemoryUploads, PlainParser

Answer = tuple[str, ...]
Look = Callable[[str | None], Awaitable[None]]


class Killed(BaseException):
    """The end of a process: nothing in it runs any more."""


class Process:
    """Calls its adapters step by step, until it is killed "before" or "after" the step of that name."""

    def __init__(self, look: Look, kill: tuple[str, str] | None = None) -> None:
        self.steps: list[str] = []
        self._look, self._kill, self._dead = look, kill, False

    def using(self, name: str, real: object) -> Any:
        return _Steps(self, name, real)

    async def step(self, name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        await self._reach((name, "before"), None)
        result = await call()
        await self._reach((name, "after"), name)
        return result

    async def _reach(self, point: tuple[str, str], done: str | None) -> None:
        if self._dead:
            raise Killed
        if done:
            self.steps.append(done)
        await self._look(done)
        if point == self._kill:
            self._dead = True
            raise Killed


class _Steps:
    def __init__(self, process: Process, name: str, real: object) -> None:
        self._process, self._name, self._real = process, name, real

    def __getattr__(self, method: str) -> Any:
        real = getattr(self._real, method)
        if not asyncio.iscoroutinefunction(real):
            return real
        return lambda *given, **named: self._process.step(f"{self._name}.{method}", lambda: real(*given, **named))


class World:
    """A tenant with one document, and what outlives every process."""

    def __init__(self, tenant_id: TenantId, database: PostgresDatabase, vectors: QdrantDatabase) -> None:
        self.tenant_id, self.later = tenant_id, timedelta()
        self.rows: Documents = PostgresDocuments(database, tenant_id)
        self.points: Chunks = vectors.for_tenant(tenant_id)
        self.files = MemoryUploads()
        self.document_id: DocumentId | None = None
        self._epochs, queries = MemoryEpochs(StoredEpochs()), StoredQueries()
        self._reader = RetrievalService(
            documents_of=lambda _: self.rows, indexes=one_index(LetterEmbedder(), lambda _: self.points, self.now),
            epochs=self._epochs, queries_of=lambda tenant: MemoryQueryCache(queries, tenant), clock=self.now,
            on_lookup=lambda *_: None,
        )  # fmt: skip
        self.allowed: tuple[Answer, ...] = ()
        self.decisive: frozenset[str] = frozenset()
        self._reached = 0

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    async def tenant_ids(self) -> AsyncIterator[TenantId]:
        yield self.tenant_id

    async def answer(self) -> Answer:
        found = await self._reader.search(self.tenant_id, "tariff", Retrieval(limit=20, threshold=0.0))
        return tuple(sorted(passage.chunk.text for passage in found))

    async def look(self, done: str | None = None) -> None:
        """Ask: the answer is one of the allowed ones, whole, and never that of before."""
        answer = await self.answer()
        reached = [tuple(sorted(each)) for each in self.allowed].index(answer)
        assert reached >= self._reached
        assert done not in self.decisive or reached == len(self.allowed) - 1
        self._reached = reached

    def indexes(self, process: Process) -> IndexService:
        return one_index(LetterEmbedder(), lambda _: process.using("chunks", self.points), self.now)

    def documents(self, process: Process) -> DocumentService:
        return DocumentService(
            documents_of=lambda _: process.using("documents", self.rows), points_of=self.indexes(process).points,
            uploads=process.using("uploads", self.files), epochs=process.using("epochs", self._epochs), clock=self.now,
        )  # fmt: skip

    def ingestion(self, process: Process) -> IngestionService:
        return IngestionService(
            documents_of=lambda _: process.using("documents", self.rows),
            indexes=self.indexes(process), uploads=process.using("uploads", self.files), parser=PlainParser(),
            embedding=EmbeddingService(price_of=lambda *_: None, clock=self.now),
            count_tokens=lambda: words, epochs=process.using("epochs", self._epochs),
            continuations=MemoryContinuations(), clock=self.now,
            feed=DocumentFeed(MemoryPublisher()),
        )  # fmt: skip

    async def reconciled(self) -> dict[str, int]:
        """What the reconcile job does once everything has been left alone for long enough."""
        self.later = PATIENCE + timedelta(minutes=1)
        process = Process(self.look)
        service = ReconciliationService(
            directory=self, documents_of=lambda _: process.using("documents", self.rows),
            indexes=self.indexes(process), uploads=process.using("uploads", self.files),
            epochs=process.using("epochs", self._epochs), clock=self.now, feed=DocumentFeed(MemoryPublisher()),
        )  # fmt: skip
        return await service.reconcile_all()

    async def upload(self, texts: Answer) -> Document:
        """A file that was promised and sent; nobody has read it yet."""
        self._content = "\n\n".join(texts).encode()
        service = self.documents(Process(self.quiet))
        document, form = await service.promise(
            self.tenant_id, NewUpload("tariffs.txt", "text/plain", len(self._content), self.document_id)
        )
        self.document_id = document.id
        self.files.objects[form.fields["key"]] = self._content
        return document

    async def deliver(self, process: Process) -> None:
        """Tell of every file in the bucket, as late or repeated events would."""
        for key in sorted(self.files.objects):
            await self.ingestion(process).ingest(Upload(key, "01"))

    async def quiet(self, done: str | None) -> None:
        """Look away."""

    async def nothing_is_left_over(self) -> None:
        """Rows, points and files belong together, and the job finds nothing more to do."""
        holdings = {holding.version.id: holding for holding in await self.rows.holdings()}
        expected = {id_: set(range(holding.chunks)) for id_, holding in holdings.items() if holding.answers}
        assert await self.points.positions() == expected
        keys = {holding.version.object_key: holding.answers for holding in holdings.values()}
        assert {key for key, answers in keys.items() if answers} <= set(self.files.objects) <= set(keys)
        assert not any(holding.chunks for holding in holdings.values() if not holding.answers)
        assert not any((await self.reconciled()).values())
