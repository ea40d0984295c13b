"""Chooses the adapters of the chat function."""

import asyncio
import gc
from collections.abc import Sequence
from functools import partial

from chatconnect import assembly
from chatconnect.adapters.http_tools import PublicHttpCalls
from chatconnect.adapters.mcp import PublicMcpConnections
from chatconnect.adapters.postgres.abuse import PostgresSignals
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.adapters.postgres.keys import PostgresKeys
from chatconnect.adapters.postgres.knowledge_sources import PostgresKnowledgeSources
from chatconnect.adapters.postgres.mcp_servers import PostgresMcpServers
from chatconnect.adapters.postgres.sessions import PostgresSessions
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.adapters.postgres.tools import PostgresHttpTools
from chatconnect.adapters.postgres.usage import PostgresUsage
from chatconnect.adapters.postgres.visitors import PostgresVisitors
from chatconnect.adapters.redis import RedisDatabase, RedisJournal
from chatconnect.adapters.redis_abuse import RedisWatch
from chatconnect.adapters.redis_answers import RedisAnswerCache
from chatconnect.adapters.redis_budgets import RedisBudgets
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.adapters.redis_queries import RedisQueryCache
from chatconnect.adapters.redis_rates import RedisRateLimits
from chatconnect.adapters.sqs import SqsTurns
from chatconnect.adapters.tokens import BpeTokenCounter
from chatconnect.domain.conversation import Turn
from chatconnect.domain.pricing import PriceTable
from chatconnect.domain.windows import ContextWindows
from chatconnect.http.frames import encode
from chatconnect.http.snapshots import import_ahead
from chatconnect.observability import log_fault, record_lookup, record_turn, turn_fault
from chatconnect.services.abuse import AbuseService
from chatconnect.services.access import AccessService
from chatconnect.services.answer_cache import AnswerCacheService
from chatconnect.services.chat import ChatService
from chatconnect.services.composing import Composer
from chatconnect.services.condensing import Condenser
from chatconnect.services.generation import AnswerMaker
from chatconnect.services.key_ring import KeyRing
from chatconnect.services.knowledge_sources import ForeignSearch
from chatconnect.services.mcp_servers import McpLister
from chatconnect.services.mcp_tools import McpToolbox
from chatconnect.services.memory import MemoryService
from chatconnect.services.reranking import RerankingService
from chatconnect.services.retrieval import RetrievalService
from chatconnect.services.side_calls import SideCalls
from chatconnect.services.spending import SpendingService
from chatconnect.services.timings import Span
from chatconnect.services.toolbox import Toolbox
from chatconnect.settings import Settings
from chatconnect.tracing import trace_turn

_NEEDED_BY_A_QUESTION = (
    "openai.resources.chat.completions",
    "openai.resources.embeddings",
    "anthropic.resources.messages",
    "mcp.client.streamable_http",
    "qdrant_client",
    "boto3",
)
# Objects made before the garbage collector looks for new ones: the default, 700, is a few dozen tokens.
_COLLECT_AFTER = 20_000


class ChatServices:
    """The services of the chat function; what needs a secret or a heavy SDK is made at the first question."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = assembly.postgres(settings)
        self._redis = RedisDatabase(settings.redis_url)
        self._encryption = assembly.envelope(settings)
        self._tenants_of = partial(
            PostgresTenants,
            self._database,
            encryption=self._encryption,
            standard_models=assembly.standard_models(settings),
        )
        self._chat: ChatService | None = None
        self._closers: list[assembly.Close] = [self._database.aclose, self._redis.aclose]
        self._lock = asyncio.Lock()
        self._warm = False
        self._epochs = RedisEpochs(lambda: self._redis, on_fault=log_fault)
        self._closers.append(self._epochs.aclose)
        self._keys = KeyRing(keys_of=partial(PostgresKeys, self._database), epochs=self._epochs, clock=assembly.now)
        self._closers.append(self._keys.settled)
        self.access = AccessService(
            keys=self._keys,
            tenants_of=self._tenants_of,
            sessions=PostgresSessions(self._database),
            chat_tokens=assembly.signer(settings.chat_token_secret, settings.chat_token_secret_arn),
            access_tokens=assembly.signer(settings.signing_secret, settings.signing_secret_arn),
            clock=assembly.now,
        )

    async def chat(self) -> ChatService:
        """Return the chat service. Raises Unavailable."""
        async with self._lock:
            if self._chat is None:
                self._chat = await self._make_chat()
        return self._chat

    def make_ready(self) -> None:
        """Import and load what the first question needs; nothing is connected, no secret is read."""
        import_ahead(_NEEDED_BY_A_QUESTION)
        BpeTokenCounter()("")

    async def aclose(self) -> None:
        """Let the answers under way come to their end, then close every connection."""
        if self._chat is not None:
            await self._chat.drain()
        await assembly.close_all(self._closers)

    async def _make_chat(self) -> ChatService:
        prices, count_tokens = PriceTable.published(), BpeTokenCounter()
        # The vocabulary takes a moment to load, and the secret store its time to give the providers' keys.
        models, _ = await asyncio.gather(assembly.models(self._settings), asyncio.to_thread(count_tokens, ""))
        moderator = await assembly.moderator(self._settings)
        http_tools = PublicHttpCalls(allow_loopback=self._settings.local_tools)
        self._closers += [models.aclose, moderator.aclose, http_tools.aclose]
        conversations_of = partial(PostgresConversations, self._database)
        spending = SpendingService(
            budgets=RedisBudgets(self._redis, PostgresUsage(self._database), on_fault=log_fault),
            prices=prices,
            count_tokens=count_tokens,
        )
        retrieval = await self._retrieval()
        calls = SideCalls(models=models, prices=prices, count_tokens=count_tokens, clock=assembly.now)
        memory = MemoryService(
            conversations_of=conversations_of,
            calls=calls,
            windows=ContextWindows.published(),
            count_tokens=count_tokens,
            clock=assembly.now,
            on_fault=turn_fault,
        )
        answers = AnswerCacheService(
            answers_of=partial(RedisAnswerCache, self._redis),
            documents_of=partial(PostgresDocuments, self._database),
            on_lookup=record_lookup,
        )
        maker = AnswerMaker(
            conversations_of=conversations_of,
            composer=Composer(retrieval=retrieval, condenser=Condenser(calls=calls), memory=memory),
            memory=memory,
            toolbox=Toolbox(
                retrieval=retrieval,
                tools_of=partial(PostgresHttpTools, self._database, encryption=self._encryption),
                http=http_tools,
                mcp=self._mcp_toolbox(),
            ),
            answers=answers,
            models=models,
            moderator=moderator,
            prices=prices,
            spending=spending,
            count_tokens=count_tokens,
            waiting_turns=SqsTurns(self._settings.turns_queue_url),
            clock=assembly.now,
            on_turn=self._turn_ended,
            on_fault=turn_fault,
        )
        return ChatService(
            tenants_of=self._tenants_of,
            conversations_of=conversations_of,
            journal_of=partial(RedisJournal, self._redis, silence_seconds=self._settings.answer_silence_seconds),
            rates=RedisRateLimits(self._redis),
            epochs=self._epochs,
            abuse=self._abuse(),
            spending=spending,
            answers=answers,
            maker=maker,
            encode=encode,
            clock=assembly.now,
            keys=self._keys,
        )

    async def _retrieval(self) -> RetrievalService:
        stores = assembly.vector_stores(self._settings)
        self._closers.append(stores.aclose)
        return RetrievalService(
            documents_of=partial(PostgresDocuments, self._database),
            indexes=assembly.indexes(self._settings, self._database, stores),
            epochs=self._epochs,
            queries_of=partial(RedisQueryCache, self._redis),
            clock=assembly.now,
            on_lookup=record_lookup,
            elsewhere=self._foreign_search(),
            reranking=await self._reranking(),
        )

    def _abuse(self) -> AbuseService:
        visitors_of = partial(PostgresVisitors, self._database)
        return AbuseService(
            watch=RedisWatch(lambda: self._redis, visitors_of, on_fault=log_fault),
            signals_of=partial(PostgresSignals, self._database),
            clock=assembly.now,
            on_fault=log_fault,
            throttles=self._settings.abuse_throttling,
        )

    async def _reranking(self) -> RerankingService | None:
        reranker = await assembly.reranker(self._settings)
        if reranker is None:
            return None
        self._closers.append(reranker.aclose)
        return RerankingService(reranker, on_fault=log_fault)

    def _foreign_search(self) -> ForeignSearch:
        """Return the search in tenants' knowledge bases elsewhere."""
        dify = assembly.dify(self._settings)
        self._closers.append(dify.aclose)
        return ForeignSearch(
            sources_of=partial(PostgresKnowledgeSources, self._database, encryption=self._encryption),
            reach={"dify": dify.at},
            clock=assembly.now,
        )

    def _mcp_toolbox(self) -> McpToolbox:
        """Return the tools of tenants' MCP servers."""
        connections = PublicMcpConnections(clock=assembly.now, allow_loopback=self._settings.local_tools)
        servers_of = partial(PostgresMcpServers, self._database, encryption=self._encryption)
        toolbox = McpToolbox(
            servers_of=servers_of,
            connections=connections,
            lister=McpLister(servers_of=servers_of, connections=connections, epochs=self._epochs, clock=assembly.now),
            clock=assembly.now,
            on_fault=log_fault,
        )
        self._closers += [connections.aclose, toolbox.aclose]
        return toolbox

    def _turn_ended(self, turn: Turn, spans: Sequence[Span]) -> None:
        """Record a turn and the way it took.

        After the first one everything is imported: the garbage collector may pass over all that from now on, for
        looking through it stops every stream for 0.2 s.
        """
        record_turn(turn)
        trace_turn(turn, spans)
        if not self._warm:
            self._warm = True
            gc.freeze()
            gc.set_threshold(_COLLECT_AFTER)
