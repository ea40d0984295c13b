"""Chooses the adapters of the jobs function."""

import asyncio
from functools import partial

from chatconnect import assembly
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.directory import PostgresDirectory
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.adapters.s3 import S3Uploads
from chatconnect.adapters.sqs import SqsParkedUploads, turn_of
from chatconnect.observability import log_fault
from chatconnect.services.lost_answers import LostAnswersService
from chatconnect.services.reconciliation import ReconciliationService
from chatconnect.settings import Settings


class JobServices:
    """The services of the jobs function."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = assembly.postgres(settings)
        self._closers: list[assembly.Close] = [self._database.aclose]
        self._reconciliation: ReconciliationService | None = None
        self._lock = asyncio.Lock()
        self.conversations_of = partial(PostgresConversations, self._database)
        self.turn_of = turn_of
        self.parked_uploads = SqsParkedUploads(settings.dead_letter_queue_url, settings.uploads_queue_url)
        self.lost_answers = LostAnswersService(
            directory=PostgresDirectory(self._database), conversations_of=self.conversations_of, clock=assembly.now
        )

    async def reconciliation(self) -> ReconciliationService:
        """Return the service that removes what deletions and crashes left. Raises Unavailable."""
        async with self._lock:
            if self._reconciliation is None:
                embedder = await assembly.embedder(self._settings)
                vectors = await assembly.qdrant(self._settings, embedder)
                redis = assembly.redis(self._settings)
                epochs = RedisEpochs(lambda: redis, on_fault=log_fault)
                self._closers += [vectors.aclose, redis.aclose, epochs.aclose]
                self._reconciliation = ReconciliationService(
                    directory=PostgresDirectory(self._database),
                    documents_of=partial(PostgresDocuments, self._database),
                    chunks_of=vectors.for_tenant,
                    uploads=S3Uploads(self._settings.uploads_bucket),
                    epochs=epochs,
                    embedder=embedder,
                    clock=assembly.now,
                )
        return self._reconciliation

    async def aclose(self) -> None:
        """Close every connection."""
        await assembly.close_all(self._closers)
