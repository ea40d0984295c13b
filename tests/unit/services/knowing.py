"""A tenant's knowledge, of which every outside part is a fake."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date

from chatconnect.domain.embedding import EmbeddingModel
from chatconnect.domain.identifiers import DocumentId, TenantId, new_id
from chatconnect.domain.knowledge import Document
from chatconnect.domain.pricing import Price
from chatconnect.ports.models import Embedder
from chatconnect.ports.vector_cache import VectorCacheOf
from chatconnect.services.document_batches import DocumentBatchService
from chatconnect.services.document_feed import DocumentFeed
from chatconnect.services.documents import DocumentService, NewUpload
from chatconnect.services.embedding import EmbeddingService
from chatconnect.services.indexes import IndexService
from chatconnect.services.ingestion import Ingested, IngestionService, Upload
from chatconnect.services.reconciliation import ReconciliationService
from chatconnect.services.reranking import RerankingService
from chatconnect.services.retrieval import RetrievalService
from tests.fakes.chunks import MemoryChunks, StoredChunks
from tests.fakes.clock import SetClock
from tests.fakes.documents import MemoryDocuments, StoredDocuments
from tests.fakes.epochs import MemoryEpochs, StoredEpochs
from tests.fakes.faults import faulty
from tests.fakes.indexes import LETTERS, one_index
from tests.fakes.models import LetterEmbedder, words
from tests.fakes.publisher import MemoryPublisher
from tests.fakes.queries import MemoryQueryCache, StoredQueries
from tests.fakes.uploads import MemoryContinuations, MemoryUploads, PlainParser

ACME, GLOBEX = TenantId(new_id()), TenantId(new_id())
A_PRICE = Price("openai", "letters", date(2020, 1, 1), input=20_000, cached=20_000, output=0)
PRICES = "The pro plan costs 49 euros.\n\nThe team plan costs 99 euros."


@dataclass
class Knowledge:
    """The services of knowledge; what is put into a `..._faults` fails from then on."""

    stored: dict[TenantId, StoredDocuments] = field(default_factory=dict)
    points: StoredChunks = field(default_factory=StoredChunks)
    uploads: MemoryUploads = field(default_factory=MemoryUploads)
    clock: SetClock = field(default_factory=SetClock)
    stored_epochs: StoredEpochs = field(default_factory=StoredEpochs)
    queries: StoredQueries = field(default_factory=StoredQueries)
    lookups: list[tuple[str, bool]] = field(default_factory=list)
    document_faults: dict[str, Exception] = field(default_factory=dict)
    point_faults: dict[str, Exception] = field(default_factory=dict)
    upload_faults: dict[str, Exception] = field(default_factory=dict)
    embedder_faults: dict[str, Exception] = field(default_factory=dict)
    embedder: Embedder = field(default_factory=LetterEmbedder)
    model: EmbeddingModel = LETTERS
    vectors_of: VectorCacheOf | None = None
    many_lookups: list[tuple[str, int, int]] = field(default_factory=list)
    continuations: MemoryContinuations = field(default_factory=MemoryContinuations)
    reranking: RerankingService | None = None
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)

    def documents_of(self, tenant_id: TenantId) -> MemoryDocuments:
        return faulty(MemoryDocuments(self.stored, tenant_id), self.document_faults)

    def chunks_of(self, tenant_id: TenantId) -> MemoryChunks:
        return faulty(MemoryChunks(self.points, tenant_id), self.point_faults)

    def price_of(self, provider: str, model: str, day: date) -> Price | None:
        return A_PRICE if (provider, model) == ("openai", "letters") and day >= A_PRICE.since else None

    @property
    def indexes(self) -> IndexService:
        return one_index(faulty(self.embedder, self.embedder_faults), self.chunks_of, self.clock, self.model)

    @property
    def epochs(self) -> MemoryEpochs:
        return MemoryEpochs(self.stored_epochs)

    @property
    def documents(self) -> DocumentService:
        return DocumentService(
            documents_of=self.documents_of,
            points_of=self.indexes.points,
            uploads=faulty(self.uploads, self.upload_faults),
            epochs=self.epochs,
            clock=self.clock,
        )

    @property
    def batches(self) -> DocumentBatchService:
        return DocumentBatchService(self.documents)

    @property
    def ingestion(self) -> IngestionService:
        return IngestionService(
            documents_of=self.documents_of,
            indexes=self.indexes,
            uploads=faulty(self.uploads, self.upload_faults),
            parser=PlainParser(),
            embedding=EmbeddingService(
                price_of=self.price_of,
                clock=self.clock,
                cache_of=self.vectors_of,
                on_lookups=lambda *lookups: self.many_lookups.append(lookups),
            ),
            count_tokens=lambda: words,
            epochs=self.epochs,
            continuations=self.continuations,
            clock=self.clock,
            feed=DocumentFeed(self.publisher),
        )

    async def tenant_ids(self) -> AsyncIterator[TenantId]:
        """The two tenants there are."""
        for tenant_id in (GLOBEX, ACME):
            yield tenant_id

    @property
    def reconciliation(self) -> ReconciliationService:
        return ReconciliationService(
            directory=self,
            documents_of=self.documents_of,
            indexes=self.indexes,
            uploads=faulty(self.uploads, self.upload_faults),
            epochs=self.epochs,
            clock=self.clock,
            feed=DocumentFeed(self.publisher),
        )

    @property
    def retrieval(self) -> RetrievalService:
        return RetrievalService(
            documents_of=self.documents_of,
            indexes=self.indexes,
            epochs=self.epochs,
            queries_of=lambda tenant_id: MemoryQueryCache(self.queries, tenant_id),
            clock=self.clock,
            on_lookup=lambda cache, known: self.lookups.append((cache, known)),
            reranking=self.reranking,
        )

    async def uploaded(
        self, text: str = PRICES, *, tenant_id: TenantId = ACME, renews: DocumentId | None = None
    ) -> Document:
        """A document whose file lies in the bucket and has not been read yet."""
        upload = NewUpload("prices.txt", "text/plain", len(text), renews)
        document, form = await self.documents.promise(tenant_id, upload)
        self.uploads.objects[form.fields["key"]] = text.encode()
        return document

    async def ingested(self, document: Document, sequencer: str = "01") -> Ingested:
        """What comes of the event that tells of the document's newest upload."""
        return await self.ingestion.ingest(Upload(document.newest.object_key, sequencer))

    async def known(
        self, text: str = PRICES, *, tenant_id: TenantId = ACME, renews: DocumentId | None = None
    ) -> Document:
        """A document that was read."""
        document = await self.uploaded(text, tenant_id=tenant_id, renews=renews)
        await self.ingested(document)
        return await self.documents.get(tenant_id, document.id)

    def texts(self, document: Document) -> list[str]:
        """The texts of all points of the document's newest version."""
        return [chunk.text for chunk in self.points.of(document.newest.id)]
