"""What is remembered of documents' vectors, and what is charged."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from chatconnect.domain.embedding import EmbeddingModel
from chatconnect.domain.knowledge import Embedded
from chatconnect.ports.indexes import Index
from chatconnect.services.embedding import REMEMBERED, EmbeddingService
from tests.factories import a_chunk, a_document
from tests.fakes.chunks import MemoryChunks, StoredChunks
from tests.fakes.clock import SetClock
from tests.fakes.documents import MemoryDocuments
from tests.fakes.indexes import LETTERS
from tests.fakes.models import CountingEmbedder, LetterEmbedder
from tests.fakes.vectors import MemoryVectorCache, StoredVectors
from tests.unit.services.knowing import A_PRICE, ACME


class World:
    """A version, the index that it goes to, and a cache."""

    def __init__(self) -> None:
        self.embedder, self.cache = CountingEmbedder(), StoredVectors()
        self.documents = MemoryDocuments({}, ACME)
        self.document = a_document(ACME)
        self.lookups: list[tuple[str, int, int]] = []
        self._embedding = EmbeddingService(
            price_of=lambda *_: A_PRICE,
            clock=SetClock(),
            cache_of=lambda tenant_id: MemoryVectorCache(self.cache, tenant_id),
            on_lookups=lambda *lookup: self.lookups.append(lookup),
        )

    async def embed(self, *texts: str, first: int = 0, model: EmbeddingModel = LETTERS) -> list[Sequence[float]]:
        chunks = [a_chunk(self.document.newest, first + place, text) for place, text in enumerate(texts)]
        index = Index(model, self.embedder, MemoryChunks(StoredChunks(), ACME))
        return await self._embedding.vectors(ACME, index, chunks, [1_000] * len(texts), self.documents)

    async def charged(self) -> Embedded:
        return (await self.documents.get(self.document.id)).newest.embedded


@pytest.fixture
async def world() -> World:
    world = World()
    await world.documents.add(world.document)
    return world


async def test_vectors_come_in_order_whether_they_were_known_or_not(world: World) -> None:
    await world.embed("bee")

    vectors = await world.embed("ant", "bee", "cow", "ant")

    assert vectors == await LetterEmbedder().embed(["ant", "bee", "cow", "ant"])
    assert world.embedder.texts == ["bee", "ant", "cow"]
    assert world.lookups == [("embedding", 0, 1), ("embedding", 1, 2)]
    assert await world.charged() == Embedded(3_000, A_PRICE.of(input_tokens=3_000, output_tokens=0))


async def test_another_models_vectors_are_of_no_use(world: World) -> None:
    await world.embed("ant")

    await world.embed("ant", model=replace(LETTERS, name="others"))

    assert world.embedder.texts == ["ant", "ant"]


async def test_of_a_very_long_document_only_the_beginning_is_remembered(world: World) -> None:
    await world.embed("ant", "bee", first=REMEMBERED - 1)
    await world.embed("ant", "bee", first=REMEMBERED - 1)

    assert world.embedder.texts == ["ant", "bee", "bee"]
    assert world.lookups == [("embedding", 0, 1), ("embedding", 1, 0)]
