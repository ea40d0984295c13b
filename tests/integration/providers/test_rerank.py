"""A reranking model over a real connection: what is asked, and what of its answers and faults."""

import time
from collections.abc import AsyncIterator

import pytest

from chatconnect.adapters.rerank import HttpReranker
from chatconnect.domain.errors import ProviderBusy, ProviderFailed
from chatconnect.domain.secret import Secret
from local.services import free_port
from tests.integration.providers.scripted import Act, ScriptedProvider

TEXTS = ["Returns are free.", "Gifts take longer."]
GOOD = b'{"results": [{"index": 1, "relevance_score": 0.2}, {"index": 0, "relevance_score": 0.9}]}'


@pytest.fixture
async def reranker(provider: ScriptedProvider) -> AsyncIterator[HttpReranker]:
    made = HttpReranker(f"{provider.url}/v1/", "jina-reranker", Secret("sk-rerank"), seconds=30)
    yield made
    await made.aclose()


async def test_the_form_is_that_of_cohere_and_jina(reranker: HttpReranker, provider: ScriptedProvider) -> None:
    provider.plays(Act((GOOD,)))

    assert await reranker.scores("returns", TEXTS) == [0.9, 0.2]

    [asked] = provider.requests
    assert asked.path == "/v1/rerank"
    assert asked.body == {"model": "jina-reranker", "query": "returns", "documents": TEXTS, "top_n": 2}
    assert asked.headers["authorization"] == "Bearer sk-rerank"


async def test_a_server_without_a_key_gets_none(provider: ScriptedProvider) -> None:
    provider.plays(Act((GOOD,)))
    open_to_all = HttpReranker(provider.url, "any", None)

    await open_to_all.scores("returns", TEXTS)

    assert "authorization" not in provider.requests[0].headers
    await open_to_all.aclose()


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"{}",
        b'{"results": [{"index": 0, "relevance_score": 0.9}]}',
        b'{"results": [{"index": 0, "relevance_score": 0.9}, {"index": 7, "relevance_score": 0.9}]}',
        b'{"results": [{"index": 0, "relevance_score": 0.9}, {"index": 1, "relevance_score": null}]}',
        b'{"results": [{"index": 0, "relevance_score": 0.9}, {"index": 1, "relevance_score": "NaN"}]}',
    ],
    ids=["text", "empty", "one short", "another index", "no score", "not a number"],
)
async def test_an_answer_that_does_not_judge_every_text_is_none(
    reranker: HttpReranker, provider: ScriptedProvider, body: bytes
) -> None:
    provider.plays(Act((body,)))

    with pytest.raises(ProviderFailed):
        await reranker.scores("returns", TEXTS)


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (429, ProviderBusy, "provider_busy"),
        (401, ProviderFailed, "provider_rejected"),
        (500, ProviderFailed, "provider_failed"),
        (302, ProviderFailed, "provider_failed"),
    ],
)
async def test_refusals_are_told_apart(
    reranker: HttpReranker, provider: ScriptedProvider, status: int, error: type[Exception], code: str
) -> None:
    provider.plays(Act((b"{}",), status))

    with pytest.raises(error) as caught:
        await reranker.scores("returns", TEXTS)

    assert getattr(caught.value, "code", "") == code
    assert len(provider.requests) == 1


async def test_silence_and_a_cut_answer_end_soon(provider: ScriptedProvider) -> None:
    impatient = HttpReranker(provider.url, "any", None, seconds=0.5)
    provider.plays(Act((60.0,)), Act((GOOD[:20],), cut=True))
    begun = time.monotonic()

    for _ in range(2):
        with pytest.raises(ProviderFailed):
            await impatient.scores("returns", TEXTS)

    assert time.monotonic() - begun < 10
    await impatient.aclose()


async def test_a_server_that_is_not_there_is_said_to_have_failed() -> None:
    nowhere = HttpReranker(f"http://127.0.0.1:{free_port()}", "any", None, seconds=0.5)

    with pytest.raises(ProviderFailed):
        await nowhere.scores("returns", TEXTS)

    await nowhere.aclose()
