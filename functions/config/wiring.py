"""Chooses the adapters of the config function."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from chatconnect import assembly
from chatconnect.adapters.argon2 import Argon2Passwords
from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.adapters.postgres.tools import PostgresHttpTools
from chatconnect.adapters.qdrant import QdrantDatabase
from chatconnect.adapters.s3 import S3Uploads
from chatconnect.adapters.sqs import SqsQueue
from chatconnect.services.access import AccessService
from chatconnect.services.composing import PromptService
from chatconnect.services.conversations import ConversationService
from chatconnect.services.documents import DocumentService
from chatconnect.services.health import HealthService
from chatconnect.services.retrieval import RetrievalService
from chatconnect.services.tenants import TenantService
from chatconnect.services.tools import ToolService
from chatconnect.settings import Settings

if TYPE_CHECKING:
    from chatconnect.adapters.redis import RedisDatabase


class ConfigServices:
    """The services of the config function; what needs a secret or a heavy SDK is made when first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = assembly.postgres(settings)
        self._redis: RedisDatabase | None = None
        self._tenants_of = partial(PostgresTenants, self._database, encryption=assembly.envelope(settings))
        self._documents_of = partial(PostgresDocuments, self._database)
        self._accounts, self._passwords = PostgresAccounts(self._database), Argon2Passwords()
        self._closers: list[assembly.Close] = [self._database.aclose]
        self._vectors: QdrantDatabase | None = None
        self._lock = asyncio.Lock()
        self.access = AccessService(
            tenants_of=self._tenants_of,
            accounts=self._accounts,
            chat_tokens=assembly.signer(settings.chat_token_secret, settings.chat_token_secret_arn),
            access_tokens=assembly.signer(settings.signing_secret, settings.signing_secret_arn),
            passwords=self._passwords,
            clock=assembly.now,
        )
        self.tools = ToolService(
            tools_of=partial(PostgresHttpTools, self._database, encryption=assembly.envelope(settings)),
            clock=assembly.now,
            allow_http=settings.local_tools,
        )
        self.prompts = PromptService(
            conversations_of=partial(PostgresConversations, self._database), tenants_of=self._tenants_of
        )
        self.conversations = ConversationService(
            conversations_of=partial(PostgresConversations, self._database), clock=assembly.now
        )

    async def tenants(self) -> TenantService:
        """Return the service of tenants and what they configure. Raises Unavailable."""
        return TenantService(
            accounts=self._accounts,
            tenants_of=self._tenants_of,
            passwords=self._passwords,
            default_model=await assembly.default_model(self._settings),
            clock=assembly.now,
        )

    async def documents(self) -> DocumentService:
        """Return the service of documents. Raises Unavailable."""
        vectors = await self._vector_store()
        return DocumentService(
            documents_of=self._documents_of,
            chunks_of=vectors.for_tenant,
            uploads=S3Uploads(self._settings.uploads_bucket),
            clock=assembly.now,
        )

    async def retrieval(self) -> RetrievalService:
        """Return the search. Raises Unavailable."""
        vectors = await self._vector_store()
        return RetrievalService(documents_of=self._documents_of, chunks_of=vectors.for_tenant, embedder=self._embedder)

    def health(self) -> HealthService:
        """Return the service that looks after the dependencies."""
        names = {
            "uploads": self._settings.uploads_queue_url,
            "dead_letters": self._settings.dead_letter_queue_url,
            "turns": self._settings.turns_queue_url,
        }
        queues = {name: SqsQueue(url) for name, url in names.items() if url}
        return HealthService(
            checks={
                "postgres": self._database.check,
                "redis": self._check_redis,
                "qdrant": self._check_vectors,
            },
            queues=queues,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await assembly.close_all(self._closers)

    async def _check_redis(self) -> None:
        if self._redis is None:  # only this question needs the client, whose import takes its time
            from chatconnect.adapters.redis import RedisDatabase

            self._redis = RedisDatabase(self._settings.redis_url)
            self._closers.append(self._redis.aclose)
        await self._redis.check()

    async def _check_vectors(self) -> None:
        await (await self._vector_store()).check()

    async def _vector_store(self) -> QdrantDatabase:
        async with self._lock:
            if self._vectors is None:
                self._embedder = await assembly.embedder(self._settings)
                self._vectors = await assembly.qdrant(self._settings, self._embedder)
                self._closers.append(self._vectors.aclose)
        return self._vectors
