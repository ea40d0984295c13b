"""What every knowledge base in which assistants find passages does: our own, those at a provider, the fake.

Another provider joins by a class with the two methods of `Bases`, and its name among the fixture's.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Protocol

import pytest

from chatconnect.adapters.dify import DifyServers
from chatconnect.adapters.minilm import MiniLmEmbedder
from chatconnect.adapters.qdrant import QdrantDatabase
from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.errors import KnowledgeSourceFailed, Unavailable
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.knowledge import Chunk, Passage
from chatconnect.domain.secret import Secret
from chatconnect.ports.knowledge import PassageSource
from chatconnect.services.retrieval import RetrievalService
from local.services import Qdrant, free_port
from tests.dify_server import KEY, DifyServer
from tests.factories import a_document, a_knowledge_source
from tests.fakes.clock import SetClock
from tests.fakes.documents import MemoryDocuments, StoredDocuments
from tests.fakes.epochs import MemoryEpochs, StoredEpochs
from tests.fakes.indexes import one_index
from tests.fakes.knowledge_sources import MemoryPassages
from tests.fakes.queries import MemoryQueryCache, StoredQueries

ACME, GLOBEX = TenantId(new_id()), TenantId(new_id())
TEXTS = {
    "Workshop": "The bicycle workshop opens at nine in the morning and closes at six.",
    "Shipping": "Parcels to Iceland travel by ship and arrive after nine working days.",
    "Warranty": "The warranty covers the bicycle frame for ten years and the paint for two.",
    "Returns": "Unused goods can be returned within thirty days for a full refund.",
}
QUESTION = "When does the bicycle workshop open in the morning?"


class Bases(Protocol):
    """Makes knowledge bases of one kind."""

    async def holding(self, tenant_id: TenantId, texts: Mapping[str, str]) -> PassageSource:
        """A tenant's knowledge base with these documents, by title."""
        ...

    def away(self) -> PassageSource:
        """A knowledge base whose server does not answer."""
        ...


class MemoryBases:
    async def holding(self, tenant_id: TenantId, texts: Mapping[str, str]) -> PassageSource:
        return MemoryPassages(tenant_id, texts)

    def away(self) -> PassageSource:
        return MemoryPassages(ACME, TEXTS, failure=KnowledgeSourceFailed("away"))


@dataclass(frozen=True)
class DifyBases:
    server: DifyServer
    servers: DifyServers

    async def holding(self, tenant_id: TenantId, texts: Mapping[str, str]) -> PassageSource:
        return self._at(self.server.url, tenant_id, self.server.holds(texts))

    def away(self) -> PassageSource:
        return self._at(f"http://127.0.0.1:{free_port()}", ACME, "any")

    def _at(self, url: str, tenant_id: TenantId, dataset_id: str) -> PassageSource:
        source = a_knowledge_source(
            tenant_id, base_url=url, dataset_id=dataset_id, api_key=Secret(KEY), search_method="semantic_search"
        )
        return self.servers.at(source)


@dataclass(frozen=True)
class OwnKnowledge:
    """Our own search, as the port has it."""

    retrieval: RetrievalService
    tenant_id: TenantId

    async def search(self, query: str, *, limit: int, threshold: float) -> list[Passage]:
        return await self.retrieval.search(self.tenant_id, query, Retrieval(limit, threshold))


@dataclass(frozen=True)
class QdrantBases:
    """The real engine with the real embedding model."""

    database: QdrantDatabase
    embedder: MiniLmEmbedder

    async def holding(self, tenant_id: TenantId, texts: Mapping[str, str]) -> PassageSource:
        tenant_id = TenantId(new_id())  # a knowledge base of its own each time, although there is one store
        stored: dict[TenantId, StoredDocuments] = {}
        for title, text in texts.items():
            document = a_document(tenant_id, title=title)
            documents, version = MemoryDocuments(stored, tenant_id), document.newest
            await documents.add(document)
            chunk = Chunk(document.id, version.id, title, 0, text, 0, len(text))
            await self.database.for_tenant(tenant_id).save([chunk], await self.embedder.embed([text]))
            await documents.begin_processing(version.id, "1")
            await documents.activate(version.id)
        return OwnKnowledge(self._retrieval(self.database, stored), tenant_id)

    def away(self) -> PassageSource:
        nowhere = f"http://127.0.0.1:{free_port()}"
        database = QdrantDatabase(nowhere, collection="sources", dimensions=self.embedder.dimensions)
        return OwnKnowledge(self._retrieval(database, {}), ACME)

    def _retrieval(self, database: QdrantDatabase, stored: dict[TenantId, StoredDocuments]) -> RetrievalService:
        queries = StoredQueries()
        return RetrievalService(
            documents_of=lambda tenant_id: MemoryDocuments(stored, tenant_id),
            indexes=one_index(self.embedder, database.for_tenant, SetClock()),
            epochs=MemoryEpochs(StoredEpochs()),
            queries_of=lambda tenant_id: MemoryQueryCache(queries, tenant_id),
            clock=SetClock(),
            on_lookup=lambda cache, known: None,
        )


@pytest.fixture(scope="module")
async def qdrant_bases(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QdrantBases]:
    async with Qdrant(tmp_path_factory.mktemp("qdrant"), free_port()) as server:
        embedder = MiniLmEmbedder()
        database = QdrantDatabase(server.url, collection="sources", dimensions=embedder.dimensions)
        yield QdrantBases(database, embedder)
        await database.aclose()


@pytest.fixture
async def dify_bases() -> AsyncIterator[DifyBases]:
    servers = DifyServers(allow_loopback=True)
    async with DifyServer() as server:
        yield DifyBases(server, servers)
        await servers.aclose()


@pytest.fixture(params=["memory", "qdrant", "dify"])
def bases(request: pytest.FixtureRequest) -> Bases:
    made: dict[str, Callable[[], Bases]] = {
        "memory": MemoryBases,
        "qdrant": lambda: request.getfixturevalue("qdrant_bases"),
        "dify": lambda: request.getfixturevalue("dify_bases"),
    }
    return made[request.param]()


async def test_the_passage_that_answers_comes_first_with_its_document(bases: Bases) -> None:
    source = await bases.holding(ACME, TEXTS)

    found = await source.search(QUESTION, limit=5, threshold=0.0)

    assert (found[0].chunk.title, found[0].chunk.text) == ("Workshop", TEXTS["Workshop"])


async def test_the_best_come_first_and_each_once(bases: Bases) -> None:
    source = await bases.holding(ACME, TEXTS)

    found = await source.search("bicycle frame warranty", limit=20, threshold=0.0)

    scores = [passage.score for passage in found]
    assert scores == sorted(scores, reverse=True)
    assert all(isfinite(score) for score in scores)
    assert len({(passage.chunk.version_id, passage.chunk.start) for passage in found}) == len(found) <= len(TEXTS)


@pytest.mark.parametrize("limit", [1, 2])
async def test_no_more_come_than_are_wanted(bases: Bases, limit: int) -> None:
    source = await bases.holding(ACME, TEXTS)

    found = await source.search("bicycle nine days warranty returned", limit=limit, threshold=0.0)

    assert len(found) == limit


async def test_what_does_not_match_is_not_found(bases: Bases) -> None:
    source = await bases.holding(ACME, TEXTS)

    assert await source.search("quantum chromodynamics", limit=5, threshold=0.6) == []


async def test_a_knowledge_base_without_documents_finds_nothing(bases: Bases) -> None:
    source = await bases.holding(ACME, {})

    assert await source.search(QUESTION, limit=5, threshold=0.0) == []


async def test_places_are_those_of_the_text(bases: Bases) -> None:
    source = await bases.holding(ACME, TEXTS)

    for passage in await source.search(QUESTION, limit=5, threshold=0.0):
        chunk = passage.chunk
        assert 0 <= chunk.start < chunk.end == chunk.start + len(chunk.text)
        assert chunk.position >= 0
        assert chunk.page is None or chunk.page >= 1


async def test_a_document_has_one_id_in_every_search_and_each_its_own(bases: Bases) -> None:
    source = await bases.holding(ACME, TEXTS)

    searches = [await source.search(query, limit=5, threshold=0.0) for query in (QUESTION, "bicycle paint nine refund")]

    ids = {(passage.chunk.title, passage.chunk.document_id) for found in searches for passage in found}
    assert len(ids) == len({title for title, _ in ids}) == len({id_ for _, id_ in ids}) > 1


async def test_another_knowledge_base_is_not_searched_and_shares_no_ids(bases: Bases) -> None:
    acme, globex = (
        await bases.holding(ACME, TEXTS),
        await bases.holding(GLOBEX, TEXTS | {"Secret": "The code is 4711."}),
    )

    own, others = [await source.search("code workshop bicycle", limit=20, threshold=0.0) for source in (acme, globex)]

    assert "4711" not in str(own)
    assert "4711" in str(others)
    assert not {p.chunk.document_id for p in own} & {p.chunk.document_id for p in others}


@pytest.mark.parametrize(
    "query",
    [
        "When does the bicycle workshop open? " * 50,
        "workshop" + "x" * 1_990,
        "bicycle\nworkshop\r\n\topens",
        'bicycle "workshop" <b>{opens}</b> \\ %',
        "Wann öffnet die Werkstatt? 工作坊什么时候开门？ 🚲",
    ],
)
async def test_whatever_visitors_write_is_searched_for(bases: Bases, query: str) -> None:
    source = await bases.holding(ACME, TEXTS)

    found = await source.search(query[:2_000], limit=5, threshold=0.0)

    assert len(found) <= 5
    if "bicycle" in query and "workshop" in query:
        assert found[0].chunk.title == "Workshop"


async def test_searches_side_by_side_find_what_each_asked_for(bases: Bases) -> None:
    source = await bases.holding(ACME, TEXTS)
    asked = {QUESTION: "Workshop", "parcels ship Iceland": "Shipping", "unused goods returned refund": "Returns"}

    found = await asyncio.gather(*(source.search(query, limit=1, threshold=0.0) for query in [*asked] * 5))

    assert [passages[0].chunk.title for passages in found] == [*asked.values()] * 5


async def test_one_that_does_not_answer_is_an_error_and_not_an_empty_result(bases: Bases) -> None:
    with pytest.raises(Unavailable):
        await bases.away().search(QUESTION, limit=5, threshold=0.0)
