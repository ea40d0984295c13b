"""What an account sends after its first request of a kind, which the vendor's client has made."""

import gzip
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from struct import pack

import pytest

from chatconnect.adapters.openai_embeddings import OpenAIEmbedder
from chatconnect.domain.errors import ProviderBusy
from chatconnect.ports.models import ChatModel, Prompt, PromptMessage, TextDelta
from tests.integration.providers.conftest import KEY, NEVER_WAIT, Dialect, collect, refused
from tests.integration.providers.scripted import Act, ScriptedProvider

JSON = {"content-type": "application/json"}


def embedding(*values: float) -> Act:
    data = [{"index": 0, "embedding": b64encode(pack("<2f", *values)).decode()}]
    return Act((json.dumps({"data": data}).encode(),), headers=JSON)


@pytest.fixture
async def embedder(provider: ScriptedProvider) -> AsyncIterator[OpenAIEmbedder]:
    """One that has embedded a text before."""
    embedder = OpenAIEmbedder(KEY, f"{provider.url}/v1", dimensions=2, timeouts=NEVER_WAIT)
    provider.plays(embedding(1, 0))
    await embedder.embed(["the first"])
    provider.requests.clear()
    yield embedder
    await embedder.aclose()


async def test_a_later_question_is_sent_as_the_first_one_was_but_for_its_text(
    dialect: Dialect, provider: ScriptedProvider, model: ChatModel
) -> None:
    provider.plays(dialect.answer("Four"), dialect.answer("Five"))

    await collect(model, Prompt("Be brief.", (PromptMessage("user", "what does shipping cost?"),)))
    await collect(model, Prompt("Be brief.", (PromptMessage("user", "and to Österreich, 北京?"),)))

    first, second = provider.requests
    assert {**second.headers, "content-length": ""} == {**first.headers, "content-length": ""}
    assert (second.method, second.path) == (first.method, first.path)
    assert "shipping" in first.content.decode()
    assert "Österreich, 北京" in second.content.decode()


@pytest.mark.parametrize("fault", [refused(500), refused(429), Act((b"{",), headers=JSON, cut=True)])
async def test_a_fault_of_a_later_request_is_tried_once_more(
    fault: Act, provider: ScriptedProvider, embedder: OpenAIEmbedder
) -> None:
    provider.plays(fault, embedding(0, 1))

    assert await embedder.embed(["the second"]) == [[0, 1]]
    assert len(provider.requests) == 2


async def test_a_lasting_fault_of_later_requests_is_told_after_as_many_tries_as_of_the_first(
    provider: ScriptedProvider, embedder: OpenAIEmbedder
) -> None:
    provider.plays(*[refused(429)] * 4)

    with pytest.raises(ProviderBusy):
        await embedder.embed(["the second"])

    assert len(provider.requests) == 2


async def test_what_a_server_packs_without_being_asked_is_unpacked(
    dialect: Dialect, provider: ScriptedProvider, model: ChatModel
) -> None:
    whole = gzip.compress(b"".join((*dialect.pieces("Four"), *dialect.end())))
    provider.plays(Act((whole,), headers={"content-encoding": "gzip"}))

    deltas = await collect(model)

    assert deltas[0] == TextDelta("Four")
    assert len(provider.requests) == 1
