"""Chooses the adapters of the config function."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from chatconnect import assembly
from chatconnect.adapters.identity_tokens import JwtIdentityTokens
from chatconnect.adapters.mcp import PublicMcpConnections
from chatconnect.adapters.postgres.abuse import PostgresSignals
from chatconnect.adapters.postgres.assistants import PostgresAssistants
from chatconnect.adapters.postgres.audit import PostgresAuditLog
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.postgres.keys import PostgresIdentitySecrets, PostgresKeys
from chatconnect.adapters.postgres.knowledge_sources import PostgresKnowledgeSources
from chatconnect.adapters.postgres.mcp_servers import PostgresMcpServers
from chatconnect.adapters.postgres.plans import PostgresPlans
from chatconnect.adapters.postgres.sessions import PostgresSessions
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.adapters.postgres.tools import PostgresHttpTools
from chatconnect.adapters.postgres.usage import PostgresUsage, PostgresUsageRecords
from chatconnect.adapters.postgres.visitors import PostgresVisitors
from chatconnect.adapters.postgres.widgets import PostgresLeads, PostgresWidgets
from chatconnect.adapters.public_addresses import ResolvedAddresses
from chatconnect.adapters.redis_abuse import RedisWatch
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.adapters.s3 import S3Uploads
from chatconnect.adapters.sqs import SqsQueue
from chatconnect.observability import log_fault, record_lookup
from chatconnect.services.access import AccessService
from chatconnect.services.assistants import AssistantService
from chatconnect.services.audit import AuditService
from chatconnect.services.composing import PromptService
from chatconnect.services.conversations import ConversationService
from chatconnect.services.document_batches import DocumentBatchService
from chatconnect.services.documents import DocumentService
from chatconnect.services.health import HealthService
from chatconnect.services.identities import IdentityService
from chatconnect.services.key_ring import KeyRing
from chatconnect.services.keys import KeyService
from chatconnect.services.knowledge_sources import ForeignSearch, KnowledgeSourceService
from chatconnect.services.mcp_servers import McpLister, McpServerService
from chatconnect.services.model_trials import ModelTrialService
from chatconnect.services.reranking import RerankingService
from chatconnect.services.retrieval import RetrievalService
from chatconnect.services.tenants import TenantService
from chatconnect.services.tools import ToolService
from chatconnect.services.usage import UsageService
from chatconnect.services.visitors import VisitorService
from chatconnect.services.widgets import LeadService, WidgetService
from chatconnect.settings import Settings
from functions.config.people import PeopleServices

if TYPE_CHECKING:
    from chatconnect.adapters.model_registry import ModelRegistry


class ConfigServices:
    """The services of the config function; what needs a secret or a heavy SDK is made when first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.realtime_url = settings.realtime_url
        self._database = assembly.postgres(settings)
        self._encryption = assembly.envelope(settings)
        self._tenants_of = partial(
            PostgresTenants,
            self._database,
            encryption=self._encryption,
            standard_models=assembly.standard_models(settings),
        )
        self._documents_of = partial(PostgresDocuments, self._database)
        self._closers: list[assembly.Close] = [self._database.aclose]
        self._redis = assembly.redis_when_needed(settings, self._closers)
        self._epochs = RedisEpochs(self._redis, on_fault=log_fault)
        self._closers.append(self._epochs.aclose)
        self._lock = asyncio.Lock()
        self._reranker: RerankingService | None = None
        self._stores = assembly.vector_stores(settings)
        self._indexes = assembly.indexes(settings, self._database, self._stores)
        self._closers.append(self._stores.aclose)
        keys_of = partial(PostgresKeys, self._database)
        access_tokens = assembly.signer(settings.signing_secret, settings.signing_secret_arn)
        key_ring = KeyRing(keys_of=keys_of, epochs=self._epochs, clock=assembly.now)
        self._closers.append(key_ring.settled)
        self.access = AccessService(
            keys=key_ring,
            tenants_of=self._tenants_of,
            sessions=PostgresSessions(self._database),
            chat_tokens=assembly.signer(settings.chat_token_secret, settings.chat_token_secret_arn),
            access_tokens=access_tokens,
            clock=assembly.now,
        )
        self.audit = AuditService(log_of=partial(PostgresAuditLog, self._database))
        widgets_of = partial(PostgresWidgets, self._database)
        self.keys = KeyService(
            keys_of=keys_of,
            tenants_of=self._tenants_of,
            widgets_of=widgets_of,
            epochs=self._epochs,
            clock=assembly.now,
        )
        self.widgets = WidgetService(
            widgets_of=widgets_of, tenants_of=self._tenants_of, epochs=self._epochs, clock=assembly.now
        )
        self.leads = LeadService(
            widgets_of=widgets_of, leads_of=partial(PostgresLeads, self._database), clock=assembly.now
        )
        self.identities = IdentityService(
            secrets_of=partial(PostgresIdentitySecrets, self._database, encryption=self._encryption),
            tokens=JwtIdentityTokens(),
            clock=assembly.now,
        )
        self._assistants_of = partial(PostgresAssistants, self._database, encryption=self._encryption)
        self._addresses = ResolvedAddresses(allow_loopback=settings.local_tools)
        self._models: ModelRegistry | None = None
        self.assistants = AssistantService(
            assistants_of=self._assistants_of,
            tenants_of=self._tenants_of,
            sources_of=partial(PostgresKnowledgeSources, self._database, encryption=self._encryption),
            addresses=self._addresses,
            epochs=self._epochs,
            clock=assembly.now,
            allow_http=settings.local_tools,
        )
        self.people = PeopleServices(
            settings,
            database=self._database,
            redis=self._redis,
            tenants_of=self._tenants_of,
            access_tokens=access_tokens,
            epochs=self._epochs,
        )
        self.tenants = TenantService(
            accounts=self.people.accounts,
            tenants_of=self._tenants_of,
            passwords=self.people.passwords,
            default_model=partial(assembly.default_model, settings),
            epochs=self._epochs,
            clock=assembly.now,
        )
        self.tools = ToolService(
            tools_of=partial(PostgresHttpTools, self._database, encryption=self._encryption),
            epochs=self._epochs,
            clock=assembly.now,
            allow_http=settings.local_tools,
        )
        self.health = self._make_health()
        self.mcp_servers = self._make_mcp_servers()
        self.knowledge_sources = self._make_knowledge_sources()
        self.documents = DocumentService(
            documents_of=self._documents_of,
            points_of=self._indexes.points,
            uploads=S3Uploads(settings.uploads_bucket),
            epochs=self._epochs,
            clock=assembly.now,
        )
        self.document_batches = DocumentBatchService(self.documents)
        self.prompts = PromptService(
            conversations_of=partial(PostgresConversations, self._database), tenants_of=self._tenants_of
        )
        self.conversations = ConversationService(
            conversations_of=partial(PostgresConversations, self._database), clock=assembly.now
        )
        self.usage = UsageService(
            records_of=partial(PostgresUsageRecords, self._database),
            tenants_of=self._tenants_of,
            plans=PostgresPlans(self._database),
            spent_so_far=PostgresUsage(self._database),
            epochs=self._epochs,
            clock=assembly.now,
        )
        self.retention = assembly.retention(self._database, self._epochs)
        self.data_rights = assembly.data_rights(settings, self._database, self._redis, self._stores, self._epochs)
        visitors_of = partial(PostgresVisitors, self._database)
        self.visitors = VisitorService(
            visitors_of=visitors_of,
            signals_of=partial(PostgresSignals, self._database),
            watch=RedisWatch(self._redis, visitors_of, on_fault=log_fault),
            clock=assembly.now,
        )

    async def model_trials(self) -> ModelTrialService:
        """Return the service that asks models whether they answer. Raises Unavailable."""
        async with self._lock:
            if self._models is None:
                self._models = await assembly.models(self._settings)
                self._closers.append(self._models.aclose)
        return ModelTrialService(
            assistants_of=self._assistants_of,
            tenants_of=self._tenants_of,
            models=self._models,
            addresses=self._addresses,
        )

    def _make_mcp_servers(self) -> McpServerService:
        connections = PublicMcpConnections(clock=assembly.now, allow_loopback=self._settings.local_tools)
        self._closers.append(connections.aclose)
        servers_of = partial(PostgresMcpServers, self._database, encryption=self._encryption)
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
        sources_of = partial(PostgresKnowledgeSources, self._database, encryption=self._encryption)
        return KnowledgeSourceService(
            sources_of=sources_of,
            tenants_of=self._tenants_of,
            search=ForeignSearch(sources_of=sources_of, reach={"dify": dify.at}, clock=assembly.now),
            epochs=self._epochs,
            clock=assembly.now,
            allow_http=self._settings.local_tools,
        )

    def _make_health(self) -> HealthService:
        names = {
            "uploads": self._settings.uploads_queue_url,
            "dead_letters": self._settings.dead_letter_queue_url,
            "turns": self._settings.turns_queue_url,
        }
        return HealthService(
            checks={"postgres": self._database.check, "redis": self._check_redis, "qdrant": self._check_vectors},
            queues={name: SqsQueue(url) for name, url in names.items() if url},
        )

    async def retrieval(self) -> RetrievalService:
        """Return the search. Raises Unavailable."""
        from chatconnect.adapters.redis_queries import RedisQueryCache

        return RetrievalService(
            documents_of=self._documents_of,
            indexes=self._indexes,
            epochs=self._epochs,
            queries_of=partial(RedisQueryCache, self._redis()),
            clock=assembly.now,
            on_lookup=record_lookup,
            reranking=await self._reranking(),
        )

    async def _reranking(self) -> RerankingService | None:
        async with self._lock:
            if self._reranker is None and (reranker := await assembly.reranker(self._settings)) is not None:
                self._reranker = RerankingService(reranker, on_fault=log_fault)
                self._closers.append(reranker.aclose)
        return self._reranker

    async def aclose(self) -> None:
        """Close every connection."""
        await assembly.close_all(self._closers)

    async def _check_redis(self) -> None:
        await self._redis().check()

    async def _check_vectors(self) -> None:
        await self._stores.check(assembly.embedding_model(self._settings))
