"""Chooses the adapters of the jobs function."""

from functools import partial

from chatconnect import assembly
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.directory import PostgresDirectory
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.postgres.indexes import PostgresIndexes
from chatconnect.adapters.postgres.sealed import PostgresSealedValues
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.adapters.s3 import S3Uploads
from chatconnect.adapters.sqs import SqsParkedUploads, turn_of
from chatconnect.adapters.tokens import BpeTokenCounter
from chatconnect.domain.pricing import PriceTable
from chatconnect.observability import log_fault
from chatconnect.services.document_feed import DocumentFeed
from chatconnect.services.embedding import EmbeddingService
from chatconnect.services.lost_answers import LostAnswersService
from chatconnect.services.parked_uploads import ParkedUploadService
from chatconnect.services.reconciliation import ReconciliationService
from chatconnect.services.reembedding import ReembeddingService
from chatconnect.services.resealing import ResealingService
from chatconnect.settings import Settings


class JobServices:
    """The services of the jobs function."""

    def __init__(self, settings: Settings) -> None:
        self._database = assembly.postgres(settings)
        self._closers: list[assembly.Close] = [self._database.aclose]
        self._stores = assembly.vector_stores(settings)
        self._indexes = assembly.indexes(settings, self._database, self._stores)
        redis = assembly.redis_when_needed(settings, self._closers)
        self._epochs = RedisEpochs(redis, on_fault=log_fault)
        self._closers += [self._stores.aclose, self._epochs.aclose]
        self._directory = PostgresDirectory(self._database)
        self._documents_of = partial(PostgresDocuments, self._database)
        self.reembedding = self._reembedding(settings)
        self.conversations_of = partial(PostgresConversations, self._database)
        feed = DocumentFeed(assembly.realtime(settings, redis))
        self.reconciliation = ReconciliationService(
            directory=self._directory,
            documents_of=self._documents_of,
            indexes=self._indexes,
            uploads=S3Uploads(settings.uploads_bucket),
            epochs=self._epochs,
            clock=assembly.now,
            feed=feed,
        )
        self.turn_of = turn_of
        self.resealing = ResealingService(
            directory=self._directory,
            sealed_of=partial(PostgresSealedValues, self._database),
            encryption=assembly.envelope(settings),
            on_fault=log_fault,
        )
        self.parked_uploads = SqsParkedUploads(settings.dead_letter_queue_url, settings.uploads_queue_url)
        self.given_up_uploads = ParkedUploadService(
            parked=self.parked_uploads,
            documents_of=self._documents_of,
            feed=feed,
        )
        self.retention = assembly.retention(self._database, self._epochs)
        self.data_rights = assembly.data_rights(settings, self._database, redis, self._stores, self._epochs)
        self.lost_answers = LostAnswersService(
            directory=self._directory, conversations_of=self.conversations_of, clock=assembly.now
        )

    def _reembedding(self, settings: Settings) -> ReembeddingService:
        return ReembeddingService(
            directory=self._directory,
            indexes_of=partial(PostgresIndexes, self._database),
            indexes=self._indexes,
            stores=self._stores,
            wanted=assembly.embedding_model(settings),
            documents_of=self._documents_of,
            embedding=EmbeddingService(price_of=PriceTable.published().find, clock=assembly.now),
            count_tokens=BpeTokenCounter,
            epochs=self._epochs,
            clock=assembly.now,
            on_fault=log_fault,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await assembly.close_all(self._closers)
