"""A document that was embedded lately is not embedded again, with a real Redis and a provider that counts."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from secrets import token_hex

import pytest

from chatconnect.adapters.openai_embeddings import OpenAIEmbedder
from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_vectors import RedisVectorCache
from chatconnect.domain.knowledge import Document, Embedded
from chatconnect.domain.secret import Secret
from chatconnect.services.ingestion import Ingested
from local.services import free_port
from tests.integration.providers.scripted import Act, ScriptedProvider
from tests.unit.services.knowing import A_PRICE, ACME, GLOBEX, Knowledge

ANSWER = Act(
    (json.dumps({"data": [{"index": index, "embedding": [0.6, 0.8, 0.0]} for index in range(64)]}).encode(),),
    headers={"content-type": "application/json"},
)


def pages(count: int) -> list[str]:
    """Pages that no other test has. Of 300 words: two do not fit into one chunk."""
    tag = token_hex(4)
    return [f"page {number} {tag}" + " word" * 300 for number in range(count)]


@dataclass
class World:
    """A tenant's knowledge with a provider and a cache that are real."""

    knowledge: Knowledge
    provider: ScriptedProvider

    async def read(self, document: Document) -> tuple[Ingested, list[str]]:
        """Read the newest upload; return what came of it, and the texts that the provider was asked for."""
        before = len(self.provider.requests)
        self.provider.plays(*[ANSWER] * 5)
        ingested = await self.knowledge.ingested(document)
        return ingested, [text for each in self.provider.requests[before:] for text in each.body["input"]]


@pytest.fixture
async def open_world() -> AsyncIterator[Callable[[RedisDatabase], World]]:
    async with ScriptedProvider() as provider:
        embedder = OpenAIEmbedder(Secret("sk"), f"{provider.url}/v1", model="letters", dimensions=3)

        def opened(redis: RedisDatabase) -> World:
            return World(Knowledge(embedder=embedder, vectors_of=partial(RedisVectorCache, redis)), provider)

        yield opened
        await embedder.aclose()


@pytest.fixture
def world(open_world: Callable[[RedisDatabase], World], redis_database: RedisDatabase) -> World:
    return open_world(redis_database)


async def test_of_a_changed_document_only_the_changed_chunks_are_asked_for_and_charged(world: World) -> None:
    texts = pages(40)
    document = await world.knowledge.uploaded("\n\n".join(texts))
    _, first = await world.read(document)

    changed = [*texts[:10], "page 10 is another" + " word" * 300, *texts[11:]]
    renewed = await world.knowledge.uploaded("\n\n".join(changed), renews=document.id)
    ingested, again = await world.read(renewed)

    assert len(first) == len(texts)
    assert (ingested.outcome, ingested.chunks) == ("ready", len(texts))
    assert [text.split()[:3] for text in again] == [["page", "10", "is"]]
    tokens = len(again[0].split())
    ready = await world.knowledge.documents.get(ACME, document.id)
    assert ready.newest.embedded == Embedded(tokens, A_PRICE.of(input_tokens=tokens, output_tokens=0))
    assert sum(hits for _, hits, _ in world.knowledge.many_lookups) == len(texts) - 1
    assert sum(misses for _, _, misses in world.knowledge.many_lookups) == len(texts) + 1
    assert len(world.knowledge.points.of(renewed.newest.id)) == len(texts)


async def test_processing_again_asks_nobody_and_costs_nothing(world: World) -> None:
    document = await world.knowledge.uploaded("\n\n".join(pages(3)))
    await world.read(document)

    again = await world.knowledge.documents.reprocess(ACME, document.id)
    ingested, asked = await world.read(again)

    assert (ingested.outcome, asked) == ("ready", [])
    assert (await world.knowledge.documents.get(ACME, document.id)).newest.embedded == Embedded()


async def test_a_text_that_comes_twice_is_asked_for_once(world: World) -> None:
    one, other = pages(2)

    ingested, asked = await world.read(await world.knowledge.uploaded("\n\n".join([one, other, one])))

    assert (ingested.chunks, len(asked)) == (3, 2)


async def test_another_tenants_equal_document_is_embedded_for_it(world: World) -> None:
    [text] = pages(1)
    await world.read(await world.knowledge.uploaded(text))

    _, asked = await world.read(await world.knowledge.uploaded(text, tenant_id=GLOBEX))

    assert len(asked) == 1


async def test_without_redis_everything_is_embedded_and_nothing_fails(
    open_world: Callable[[RedisDatabase], World],
) -> None:
    nowhere = RedisDatabase(f"redis://127.0.0.1:{free_port()}")
    world = open_world(nowhere)
    document = await world.knowledge.uploaded("\n\n".join(pages(3)))

    first, _ = await world.read(document)
    again, asked = await world.read(await world.knowledge.documents.reprocess(ACME, document.id))

    assert (first.outcome, again.outcome, len(asked)) == ("ready", "ready", 3)
    await nowhere.aclose()
