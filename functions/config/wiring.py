"""Chooses the adapters of the config function."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from chatconnect import assembly
from chatconnect.adapters.argon2 import Argon2Passwords
from chatconnect.adapters.mcp import PublicMcpConnections
from chatconnect.adapters.postgres.abuse import PostgresSignals
from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.postgres.knowledge_sources import PostgresKnowledgeSources
from chatconnect.adapters.postgres.mcp_servers import PostgresMcpServers
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.adapters.postgres.tools import PostgresHttpTools
from chatconnect.adapters.postgres.usage import PostgresUsage, PostgresUsageRecords
from chatconnect.adapters.postgres.visitors import PostgresVisitors
from chatconnect.adapters.qdrant import QdrantDatabase
from chatconnect.adapters.redis_abuse import RedisWatch
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.adapters.s3 import S3Uploads
from chatconnect.adapters.sqs import SqsQueue
from chatconnect.observability import log_fault, record_lookup
from chatconnect.services.access import AccessService
from chatconnect.services.composing import PromptService
from chatconnect.services.conversations import ConversationService
from chatconnect.services.documents import DocumentService
from chatconnect.services.health import HealthService
from chatconnect.services.knowledge_sources import ForeignSearch, KnowledgeSourceService
from chatconnect.services.mcp_servers import McpLister, McpServerService
from chatconnect.services.retrieval import RetrievalService
from chatconnect.services.tenants import TenantService
from chatconnect.services.tools import ToolService
from chatconnect.services.usage import UsageService
from chatconnect.services.visitors import VisitorService
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
        self._epochs = RedisEpochs(self._redis_database, on_fault=log_fault)
        self._vectors: QdrantDatabase | None = None
        self._lock = asyncio.Lock()
        self.access = AccessService(
            tenants_of=self._tenants_of,
            accounts=self._accounts,
            chat_tokens=assembly.signer(settings.chat_token_secret, settings.chat_token_secret_arn),
            access_tokens=assembly.signer(settings.signing_secret, settings.signing_secret_arn),
            passwords=self._passwords,
            visitors_of=partial(PostgresVisitors, self._database),
            clock=assembly.now,
        )
        self.tools = ToolService(
            tools_of=partial(PostgresHttpTools, self._database, encryption=assembly.envelope(settings)),
            epochs=self._epochs,
            clock=assembly.now,
            allow_http=settings.local_tools,
        )
        self.mcp_servers = self._make_mcp_servers()
        self.knowledge_sources = self._make_knowledge_sources()
        self.prompts = PromptService(
            conversations_of=partial(PostgresConversations, self._database), tenants_of=self._tenants_of
        )
        self.conversations = ConversationService(
            conversations_of=partial(PostgresConversations, self._database), clock=assembly.now
        )
        self.usage = UsageService(
            records_of=partial(PostgresUsageRecords, self._database),
            tenants_of=self._tenants_of,
            spent_so_far=PostgresUsage(self._database),
            epochs=self._epochs,
            clock=assembly.now,
        )
        visitors_of = partial(PostgresVisitors, self._database)
        self.visitors = VisitorService(
            visitors_of=visitors_of,
            signals_of=partial(PostgresSignals, self._database),
            watch=RedisWatch(self._redis_database, visitors_of, on_fault=log_fault),
            clock=assembly.now,
        )

    async def tenants(self) -> TenantService:
        """Return the service of tenants and what they configure. Raises Unavailable."""
        return TenantService(
            accounts=self._accounts,
            tenants_of=self._tenants_of,
            passwords=self._passwords,
            default_model=await assembly.default_model(self._settings),
            epochs=self._epochs,
            clock=assembly.now,
        )

    def _make_mcp_servers(self) -> McpServerService:
        connections = PublicMcpConnections(clock=assembly.now, allow_loopback=self._settings.local_tools)
        self._closers.append(connections.aclose)
        servers_of = partial(PostgresMcpServers, self._database, encryption=assembly.envelope(self._settings))
        return McpServerService(
            servers_of=servers_of,
            lister=McpLister(servers_of=servers_of, connections=connections, epochs=self._epochs, clock=assembly.now),
            epochs=self._epochs,
            clock=assembly.now,
            allow_http=self._settings.local_tools,
        )

    def _make_knowledge_sources(self) -> KnowledgeSourceService:
        dify = assembly.dify(self._settings)
        self._closers.append(dify.aclose)
        sources_of = partial(PostgresKnowledgeSources, self._database, encryption=assembly.envelope(self._settings))
        return KnowledgeSourceService(
            sources_of=sources_of,
            tenants_of=self._tenants_of,
            search=ForeignSearch(sources_of=sources_of, reach={"dify": dify.at}, clock=assembly.now),
            epochs=self._epochs,
            clock=assembly.now,
            allow_http=self._settings.local_tools,
        )

    async def documents(self) -> DocumentService:
        """Return the service of documents. Raises Unavailable."""
        vectors = await self._vector_store()
        return DocumentService(
            documents_of=self._documents_of,
            chunks_of=vectors.for_tenant,
            uploads=S3Uploads(self._settings.uploads_bucket),
            epochs=self._epochs,
            clock=assembly.now,
        )

    async def retrieval(self) -> RetrievalService:
        """Return the search. Raises Unavailable."""
        vectors = await self._vector_store()
        from chatconnect.adapters.redis_queries import RedisQueryCache

        return RetrievalService(
            documents_of=self._documents_of,
            chunks_of=vectors.for_tenant,
            embedder=self._embedder,
            epochs=self._epochs,
            queries_of=partial(RedisQueryCache, self._redis_database()),
            clock=assembly.now,
            on_lookup=record_lookup,
        )

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
        await self._redis_database().check()

    def _redis_database(self) -> "RedisDatabase":
        """Return Redis, made at first use: the client's import takes its time, and few requests need it."""
        if self._redis is None:
            self._redis = assembly.redis(self._settings)
            self._closers += [self._redis.aclose, self._epochs.aclose]
        return self._redis

    async def _check_vectors(self) -> None:
        await (await self._vector_store()).check()

    async def _vector_store(self) -> QdrantDatabase:
        async with self._lock:
            if self._vectors is None:
                self._embedder = await assembly.embedder(self._settings)
                self._vectors = await assembly.qdrant(self._settings, self._embedder)
                self._closers.append(self._vectors.aclose)
        return self._vectors
