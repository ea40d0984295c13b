"""Chooses the adapters of the document function."""

import asyncio
from functools import partial

from chatconnect import assembly
from chatconnect.adapters.parsers.sandbox import SandboxedParser
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.adapters.s3 import S3Uploads
from chatconnect.adapters.sqs import SqsContinuations
from chatconnect.adapters.tokens import BpeTokenCounter
from chatconnect.domain.pricing import PriceTable
from chatconnect.observability import log_fault, record_lookups
from chatconnect.services.document_feed import DocumentFeed
from chatconnect.services.embedding import EmbeddingService
from chatconnect.services.ingestion import IngestionService
from chatconnect.settings import Settings

PARSER_MEMORY_BYTES = 400 * 1024**2
PARSER_SECONDS = 60


class DocumentServices:
    """The services of the document function, made at the first upload."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = assembly.postgres(settings)
        self._closers: list[assembly.Close] = [self._database.aclose]
        self._ingestion: IngestionService | None = None
        self._lock = asyncio.Lock()

    async def ingestion(self) -> IngestionService:
        """Return the ingestion. Raises Unavailable."""
        async with self._lock:
            if self._ingestion is None:
                from chatconnect.adapters.redis_vectors import RedisVectorCache

                stores = assembly.vector_stores(self._settings)
                redis = assembly.redis(self._settings)
                epochs = RedisEpochs(lambda: redis, on_fault=log_fault)
                self._closers += [stores.aclose, redis.aclose, epochs.aclose]
                self._ingestion = IngestionService(
                    documents_of=partial(PostgresDocuments, self._database),
                    indexes=assembly.indexes(self._settings, self._database, stores),
                    uploads=S3Uploads(self._settings.uploads_bucket),
                    parser=SandboxedParser(memory_bytes=PARSER_MEMORY_BYTES, timeout_seconds=PARSER_SECONDS),
                    embedding=EmbeddingService(
                        price_of=PriceTable.published().find,
                        clock=assembly.now,
                        cache_of=partial(RedisVectorCache, redis),
                        on_lookups=record_lookups,
                    ),
                    count_tokens=BpeTokenCounter,
                    epochs=epochs,
                    continuations=SqsContinuations(self._settings.uploads_queue_url),
                    clock=assembly.now,
                    feed=DocumentFeed(assembly.realtime(self._settings, lambda: redis)),
                )
        return self._ingestion

    async def aclose(self) -> None:
        """Close every connection."""
        await assembly.close_all(self._closers)
