"""What every reranking model promises, on the fake and over HTTP."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from chatconnect.adapters.rerank import HttpReranker
from chatconnect.domain.secret import Secret
from chatconnect.ports.reranking import Reranker
from tests.fakes.rerankers import LengthReranker
from tests.integration.providers.scripted import Act, ScriptedProvider

TEXTS = ["a long text about returns", "returns", "gifts and returns"]


@pytest.fixture(params=["fake", "http"])
async def reranker(request: pytest.FixtureRequest) -> AsyncIterator[Reranker]:
    if request.param == "fake":
        yield LengthReranker()
        return
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(ScriptedProvider())
        scores = [(1, 0.9), (2, 0.5), (0, 0.1)]  # best first, as servers answer
        body = {"results": [{"index": index, "relevance_score": score} for index, score in scores]}
        server.plays(*[Act((json.dumps(body).encode(),))] * 2)
        made = HttpReranker(f"{server.url}/v1", "any", Secret("sk-rerank"))
        stack.push_async_callback(made.aclose)
        yield made


async def test_there_is_a_score_for_each_text_in_the_order_of_the_texts(reranker: Reranker) -> None:
    first, second, third = await reranker.scores("returns", TEXTS)

    assert second > third > first


async def test_no_texts_have_no_scores(reranker: Reranker) -> None:
    assert await reranker.scores("returns", []) == []


async def test_asked_again_it_says_the_same(reranker: Reranker) -> None:
    assert await reranker.scores("returns", TEXTS) == await reranker.scores("returns", TEXTS)
