"""A tenant with an assistant, and a chat service of which every outside part is a fake."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from chatconnect.domain.conversation import Message, MessageStatus, Turn
from chatconnect.domain.events import KEEP_ALIVE, Frame
from chatconnect.domain.identifiers import MessageId, TenantId, VersionId, VisitorId, new_id
from chatconnect.domain.knowledge import Chunk
from chatconnect.domain.pricing import PriceTable
from chatconnect.domain.principals import Asker, Server, Visitor
from chatconnect.domain.windows import ContextWindows
from chatconnect.http.frames import encode
from chatconnect.ports.budgets import Budgets
from chatconnect.ports.conversations import Conversations
from chatconnect.ports.epochs import Area
from chatconnect.ports.tenants import NewTenant
from chatconnect.ports.traffic import RateLimits
from chatconnect.services.abuse import AbuseService
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
from chatconnect.services.placement import Question
from chatconnect.services.retrieval import RetrievalService
from chatconnect.services.side_calls import SideCalls
from chatconnect.services.spending import SpendingService
from chatconnect.services.toolbox import Toolbox
from tests.factories import a_document, a_tenant
from tests.fakes.abuse import MemorySignals, MemoryWatch, StoredSignals, StoredWatch
from tests.fakes.answers import MemoryAnswerCache, StoredAnswers
from tests.fakes.budgets import MemoryBudgets
from tests.fakes.chunks import MemoryChunks, StoredChunks
from tests.fakes.clock import SetClock
from tests.fakes.conversations import MemoryConversations, StoredConversations
from tests.fakes.documents import MemoryDocuments, StoredDocuments
from tests.fakes.epochs import MemoryEpochs, StoredEpochs
from tests.fakes.faults import faulty
from tests.fakes.indexes import one_index
from tests.fakes.keys import MemoryKeys
from tests.fakes.knowledge_sources import MemoryKnowledgeSources, MemoryPassages, StoredKnowledgeSources
from tests.fakes.mcp import MemoryMcpServers, ScriptedMcp, StoredMcpServers
from tests.fakes.models import LetterEmbedder, OneModel, ScriptedModel, Step, words
from tests.fakes.moderation import MarkerModerator
from tests.fakes.queries import MemoryQueryCache, StoredQueries
from tests.fakes.tenants import MemoryAccounts, MemoryTenants, StoredTenants
from tests.fakes.tools import AnsweringEndpoints, MemoryHttpTools, StoredTools
from tests.fakes.traffic import MemoryJournal, MemoryTurnQueue, StoredJournal
from tests.fakes.visitors import MemoryVisitors, StoredVisitors

Event = tuple[str, dict[str, Any]]
Faults = dict[str, Exception]


@dataclass
class World:
    """All that a conversation needs; what is put into a `..._faults` fails from then on."""

    new: NewTenant
    model: ScriptedModel
    models: OneModel
    side: ScriptedModel = field(default_factory=lambda: ScriptedModel("What was said, in short."))
    windows: ContextWindows = field(default_factory=ContextWindows.published)
    patience: float = 3.0
    clock: SetClock = field(default_factory=SetClock)
    tenants: StoredTenants = field(default_factory=StoredTenants)
    conversations: StoredConversations = field(default_factory=StoredConversations)
    documents: dict[TenantId, StoredDocuments] = field(default_factory=dict)
    chunks: StoredChunks = field(default_factory=StoredChunks)
    journal: StoredJournal = field(default_factory=StoredJournal)
    moderator: MarkerModerator = field(default_factory=MarkerModerator)
    budgets: MemoryBudgets = field(default_factory=MemoryBudgets)
    tools: StoredTools = field(default_factory=dict)
    endpoints: AnsweringEndpoints = field(default_factory=AnsweringEndpoints)
    mcp_servers: StoredMcpServers = field(default_factory=dict)
    sources: StoredKnowledgeSources = field(default_factory=dict)
    elsewhere: MemoryPassages = field(default_factory=lambda: MemoryPassages(TenantId(new_id())))
    mcp: ScriptedMcp = field(default_factory=ScriptedMcp)
    waiting: MemoryTurnQueue = field(default_factory=MemoryTurnQueue)
    epochs: StoredEpochs = field(default_factory=StoredEpochs)
    queries: StoredQueries = field(default_factory=StoredQueries)
    given: StoredAnswers = field(default_factory=StoredAnswers)
    lookups: list[tuple[str, bool]] = field(default_factory=list)
    watch: StoredWatch = field(default_factory=StoredWatch)
    visitors: StoredVisitors = field(default_factory=StoredVisitors)
    signals: StoredSignals = field(default_factory=dict)
    throttles: bool = False  # a test's visitor writes as fast as a program
    signal_faults: Faults = field(default_factory=dict)
    tenant_faults: Faults = field(default_factory=dict)
    conversation_faults: Faults = field(default_factory=dict)
    tool_faults: Faults = field(default_factory=dict)
    search_faults: Faults = field(default_factory=dict)
    queue_faults: Faults = field(default_factory=dict)
    recorded: list[Turn] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)

    @property
    def tenant_id(self) -> TenantId:
        return self.new.tenant.id

    def visitor(self, *, rate: int = 1_000) -> Visitor:
        return Visitor(self.tenant_id, self.new.assistant.id, VisitorId(new_id()), "https://acme.example", rate)

    def server(self) -> Server:
        return Server(self.tenant_id, self.new.secret_key[0].id, None, 1_000)

    def chat(self) -> ChatService:
        """A chat service, as another process would have one: several share the world."""
        spending = SpendingService(budgets=self._budgets(), prices=PriceTable.published(), count_tokens=words)
        epochs = MemoryEpochs(self.epochs)
        retrieval = RetrievalService(
            documents_of=lambda tenant_id: MemoryDocuments(self.documents, tenant_id),
            indexes=one_index(
                LetterEmbedder(),
                lambda tenant_id: faulty(MemoryChunks(self.chunks, tenant_id), self.search_faults),
                self.clock,
            ),
            epochs=epochs,
            queries_of=lambda tenant_id: MemoryQueryCache(self.queries, tenant_id),
            clock=self.clock,
            on_lookup=lambda cache, known: None,
            elsewhere=ForeignSearch(
                sources_of=lambda tenant_id: MemoryKnowledgeSources(self.sources, tenant_id),
                reach={"dify": lambda source: self.elsewhere},
                clock=self.clock,
            ),
        )
        answers = AnswerCacheService(
            answers_of=lambda tenant_id: MemoryAnswerCache(self.given, tenant_id),
            documents_of=lambda tenant_id: MemoryDocuments(self.documents, tenant_id),
            on_lookup=lambda cache, known: self.lookups.append((cache, known)),
        )
        calls = SideCalls(
            models=OneModel(self.side), prices=PriceTable.published(), count_tokens=words, clock=self.clock
        )
        memory = MemoryService(
            conversations_of=self._conversations_of,
            calls=calls,
            windows=self.windows,
            count_tokens=words,
            clock=self.clock,
            on_fault=lambda _, fault: self.faults.append(fault),
        )
        return ChatService(
            tenants_of=lambda tenant_id: faulty(MemoryTenants(self.tenants, tenant_id), self.tenant_faults),
            conversations_of=self._conversations_of,
            journal_of=lambda tenant_id: MemoryJournal(self.journal, tenant_id),
            rates=self._rates(),
            epochs=epochs,
            abuse=self._abuse(),
            spending=spending,
            answers=answers,
            maker=AnswerMaker(
                conversations_of=self._conversations_of,
                composer=Composer(
                    retrieval=retrieval, condenser=Condenser(calls=calls, seconds=self.patience), memory=memory
                ),
                memory=memory,
                toolbox=Toolbox(
                    retrieval=retrieval,
                    tools_of=lambda tenant_id: faulty(MemoryHttpTools(self.tools, tenant_id), self.tool_faults),
                    http=self.endpoints,
                    mcp=self._mcp_toolbox(epochs),
                ),
                answers=answers,
                models=self.models,
                moderator=self.moderator,
                prices=PriceTable.published(),
                spending=spending,
                count_tokens=words,
                waiting_turns=faulty(self.waiting, self.queue_faults),
                clock=self.clock,
                on_turn=lambda turn, _: self.recorded.append(turn),
                on_fault=lambda _, fault: self.faults.append(fault),
            ),
            encode=encode,
            clock=self.clock,
            keys=KeyRing(
                keys_of=lambda tenant_id: MemoryKeys(self.tenants, tenant_id), epochs=epochs, clock=self.clock
            ),
        )

    def _abuse(self) -> AbuseService:
        return AbuseService(
            watch=MemoryWatch(self.watch, lambda tenant_id: MemoryVisitors(self.visitors, tenant_id)),
            signals_of=lambda tenant_id: faulty(MemorySignals(self.signals, tenant_id), self.signal_faults),
            clock=self.clock,
            on_fault=lambda _, fault: self.faults.append(fault),
            throttles=self.throttles,
        )

    async def knows(self, text: str) -> VersionId:
        """Let the tenant have a document with this one chunk."""
        document, version = a_document(self.tenant_id), None
        documents = MemoryDocuments(self.documents, self.tenant_id)
        await documents.add(document)
        version = document.newest
        chunk = Chunk(document.id, version.id, document.title, 0, text, 0, len(text), 1)
        await MemoryChunks(self.chunks, self.tenant_id).save([chunk], await LetterEmbedder().embed([text]))
        await documents.begin_processing(version.id, "1")
        await documents.activate(version.id)
        self.epochs.begin(self.tenant_id, Area.KNOWLEDGE)
        return version.id

    def configured(self, **changes: Any) -> None:
        """Change the assistant's configuration."""
        assistant = replace(self.new.assistant, config=replace(self.new.assistant.config, **changes))
        self.tenants.assistants[self.tenant_id, assistant.id] = assistant
        self.epochs.begin(self.tenant_id, Area.CONFIGURATION)

    def message(self, message_id: MessageId) -> Message:
        return self.conversations.messages[self.tenant_id, message_id]

    def answers(self, status: MessageStatus | None = None) -> list[Message]:
        kept = [message for message in self.conversations.messages.values() if message.provider is not None]
        return [message for message in kept if status in (None, message.status)]

    def _mcp_toolbox(self, epochs: MemoryEpochs) -> McpToolbox:
        def servers_of(tenant_id: TenantId) -> MemoryMcpServers:
            return faulty(MemoryMcpServers(self.mcp_servers, tenant_id), self.tool_faults)

        return McpToolbox(
            servers_of=servers_of,
            connections=self.mcp,
            lister=McpLister(servers_of=servers_of, connections=self.mcp, epochs=epochs, clock=self.clock),
            clock=self.clock,
            on_fault=lambda _, fault: self.faults.append(fault),
        )

    def _budgets(self) -> Budgets:
        return self.budgets

    def _rates(self) -> RateLimits:
        return self.budgets.rates

    def _conversations_of(self, tenant_id: TenantId) -> Conversations:
        return faulty(MemoryConversations(self.conversations, tenant_id), self.conversation_faults)


async def a_world(*script: Step, model: ScriptedModel | None = None, **config: Any) -> World:
    """A world whose model plays the script; `config` changes the assistant."""
    played = model or ScriptedModel(*script)
    world = World(a_tenant("Acme"), played, OneModel(played))
    await MemoryAccounts(world.tenants).open_tenant(world.new)
    world.configured(**{"provider": "openai", "model": "gpt-5-mini", "condense": "off"} | config)
    return world


def a_question(text: str = "What does it cost?", **about: Any) -> Question:
    return Question(text, "trace", **about)


async def events(frames: AsyncGenerator[Frame, None]) -> list[Event]:
    """All events to the end, checked: numbered from the first without a gap, and one last event."""
    heard = [frame async for frame in frames if frame is not KEEP_ALIVE]
    numbers = [frame.number for frame in heard]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert [frame.is_last for frame in heard] == [False] * (len(heard) - 1) + [True]
    return [(frame.name, orjson.loads(frame.data)) for frame in heard]


async def told(chat: ChatService, asker: Asker, question: Question) -> list[Event]:
    """Ask, and hear the answer to its end."""
    heard = await events(await chat.ask(asker, question))
    await chat.drain()
    return heard


def text_of(heard: list[Event]) -> str:
    return "".join(data["text"] for name, data in heard if name == "token")


def names(heard: list[Event]) -> list[str]:
    return [name for name, _ in heard]
