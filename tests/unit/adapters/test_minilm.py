"""The embedding model: the same vectors as its reference, and vectors that mean something."""

import asyncio
import json
import math
from pathlib import Path

import numpy as np
import pytest

from chatconnect.adapters.bert import gelu
from chatconnect.adapters.minilm import MiniLmEmbedder

REFERENCE = Path(__file__).parents[2] / "data" / "minilm_reference.json"


@pytest.fixture(scope="module")
def embedder() -> MiniLmEmbedder:
    return MiniLmEmbedder()


def cosine(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True)) / math.hypot(*one) / math.hypot(*other)


async def test_the_vectors_are_those_of_the_reference_implementation(embedder: MiniLmEmbedder) -> None:
    reference = json.loads(REFERENCE.read_text())

    vectors = await embedder.embed([entry["text"] for entry in reference])

    for entry, vector in zip(reference, vectors, strict=True):
        assert cosine(vector, entry["vector"]) > 0.9999, entry["text"][:60]
        assert len(vector) == embedder.dimensions
        assert math.hypot(*vector) == pytest.approx(1, abs=1e-5)


async def test_a_text_has_the_same_vector_alone_and_in_company(embedder: MiniLmEmbedder) -> None:
    texts = ["How long does the warranty last?", "word " * 300, "", "保修期是多长时间？"] * 5

    together = await embedder.embed(texts)

    for text, vector in zip(texts[:4], together[:4], strict=True):
        assert cosine((await embedder.embed([text]))[0], vector) > 0.99999


async def test_close_meanings_are_close(embedder: MiniLmEmbedder) -> None:
    question, answer, other = await embedder.embed(
        ["How can I get my money back?", "Refunds are paid within a week.", "Our office has a garden."]
    )

    assert cosine(question, answer) > cosine(question, other) + 0.2


async def test_embedding_nothing_gives_nothing(embedder: MiniLmEmbedder) -> None:
    assert await embedder.embed([]) == []


async def test_the_event_loop_stays_free(embedder: MiniLmEmbedder) -> None:
    work = asyncio.create_task(embedder.embed(["some words of a longer text " * 50] * 8))
    turns = 0

    while not work.done():
        await asyncio.sleep(0.001)
        turns += 1

    assert turns > 5


def test_gelu_is_exact_enough() -> None:
    x = np.linspace(-12, 12, 4001, dtype=np.float32)[:, None]
    exact = [value / 2 * (1 + math.erf(value / math.sqrt(2))) for value in x[:, 0].tolist()]

    assert gelu(x)[:, 0].tolist() == pytest.approx(exact, abs=1e-6)


async def test_questions_that_come_at_the_same_time_each_get_their_own_vector(embedder: MiniLmEmbedder) -> None:
    texts = [f"How much does model number {number} cost?" for number in range(40)]

    at_once = await asyncio.gather(*(embedder.embed([text]) for text in texts))

    for [vector], expected in zip(at_once, await embedder.embed(texts), strict=True):
        assert cosine(vector, expected) > 0.9999


async def test_who_stops_waiting_for_a_vector_disturbs_nobody(embedder: MiniLmEmbedder) -> None:
    leaving, staying = (asyncio.create_task(embedder.embed([text])) for text in ("one", "another"))
    await asyncio.sleep(0)

    leaving.cancel()

    assert len((await staying)[0]) == embedder.dimensions
