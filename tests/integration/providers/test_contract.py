"""What every chat model promises, against the scripted product server and offline."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from chatconnect.adapters.model_registry import ModelRegistry
from chatconnect.adapters.openai_embeddings import OpenAIEmbedder
from chatconnect.domain.errors import ProviderBusy, ProviderFailed
from chatconnect.ports.models import ChatModel, Finished, ModelEndpoint, PromptRead, TextDelta
from local.services import Providers
from tests.integration.providers.conftest import KEY, NEVER_WAIT, OPTIONS, QUESTION, Dialect, collect
from tests.integration.providers.scripted import Act, ScriptedProvider

ANSWER = "Shipping costs four euros within the country, and nine to everywhere else."
USAGE = {"prompt_tokens": 30, "completion_tokens": 15, "input_tokens": 30, "output_tokens": 15}


@pytest.fixture
async def aimock_registry(aimock: Providers) -> AsyncIterator[ModelRegistry]:
    await aimock.reset()
    response = {"content": ANSWER, "usage": USAGE}
    paced = {"chunkSize": 5, "streamingProfile": {"ttft": 10, "tps": 200}}  # so that they do not come together
    await aimock.script({"match": {"userMessage": "shipping"}, "response": response, **paced})
    registry = Dialect("openai").registry(aimock.url, NEVER_WAIT)
    yield registry
    await registry.aclose()


@pytest.fixture(params=["openai", "anthropic", "offline"])
def any_model(request: pytest.FixtureRequest, aimock_registry: ModelRegistry) -> ChatModel:
    return aimock_registry.at(ModelEndpoint(request.param, "model-1"))


@pytest.fixture(params=["openai", "anthropic"])
def remote_model(request: pytest.FixtureRequest, aimock_registry: ModelRegistry) -> ChatModel:
    return aimock_registry.at(ModelEndpoint(request.param, "model-1"))


async def test_exactly_one_end_comes_and_it_comes_last(any_model: ChatModel) -> None:
    *pieces, end = await collect(any_model)

    assert isinstance(end, Finished)
    assert end.reason == "stop"
    assert end.input_tokens > 0
    assert end.output_tokens > 0
    assert len(pieces) > 1
    assert all(isinstance(piece, TextDelta) and piece.text for piece in pieces)


async def test_the_pieces_together_are_the_answer(remote_model: ChatModel) -> None:
    deltas = await collect(remote_model)

    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == ANSWER


async def test_an_answer_can_be_left_and_the_model_used_again(any_model: ChatModel) -> None:
    async with aclosing(any_model.stream(QUESTION, OPTIONS)) as answer:
        await anext(answer)

    assert isinstance((await collect(any_model))[-1], Finished)


async def test_many_answers_at_once_do_not_mix(any_model: ChatModel) -> None:
    answers = await asyncio.gather(*(collect(any_model) for _ in range(20)))

    told = [("".join(each.text for each in answer if isinstance(each, TextDelta)), answer[-1]) for answer in answers]
    assert all(each == told[0] for each in told)


async def test_a_rate_limit_is_told_before_the_first_piece(aimock: Providers, remote_model: ChatModel) -> None:
    await aimock.disturb(rateLimitRate=1)

    with pytest.raises(ProviderBusy) as caught:
        await anext(remote_model.stream(QUESTION, OPTIONS))

    assert caught.value.retry_after


@pytest.mark.parametrize("fault", ["dropRate", "malformedRate", "disconnectRate"])
async def test_a_broken_provider_is_told_as_failed(aimock: Providers, remote_model: ChatModel, fault: str) -> None:
    await aimock.disturb(**{fault: 1})

    with pytest.raises(ProviderFailed):
        await collect(remote_model)


async def test_embeddings_come_in_the_order_of_the_texts(aimock: Providers) -> None:
    await aimock.reset()
    texts = [f"text number {number}" for number in range(300)]
    embedder = OpenAIEmbedder(KEY, aimock.openai_url)

    together = await embedder.embed(texts)
    alone = [(await embedder.embed([text]))[0] for text in (texts[0], texts[255], texts[256], texts[299])]
    await embedder.aclose()

    assert [together[0], together[255], together[256], together[299]] == [pytest.approx(vector) for vector in alone]
    assert all(len(vector) == 1536 for vector in together)
    assert math.hypot(*together[7]) == pytest.approx(1, abs=1e-4)


async def test_embedding_nothing_asks_nobody(aimock: Providers) -> None:
    assert await OpenAIEmbedder(KEY, aimock.openai_url).embed([]) == []


async def test_a_refused_embedding_is_told_as_busy(aimock: Providers) -> None:
    await aimock.reset()
    await aimock.disturb(rateLimitRate=1)
    embedder = OpenAIEmbedder(KEY, aimock.openai_url, timeouts=NEVER_WAIT)

    with pytest.raises(ProviderBusy):
        await embedder.embed(["text"] * 300)
    await embedder.aclose()
    await aimock.reset()


async def test_the_length_of_the_prompt_is_told_first_where_it_is_known_first(provider: ScriptedProvider) -> None:
    anthropic = Dialect("anthropic")
    registry = anthropic.registry(provider.url)
    provider.plays(Act(anthropic.pieces("Four"), cut=True))
    answer = registry.at(ModelEndpoint("anthropic", "model-1")).stream(QUESTION, OPTIONS)

    first = await anext(answer)

    assert first == PromptRead(25, 20)
    await answer.aclose()
    await registry.aclose()
