"""Chat models of each provider, pointed at servers of ours."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from chatconnect.adapters.model_registry import ModelRegistry
from chatconnect.adapters.provider_http import Timeouts
from chatconnect.domain.secret import Secret
from chatconnect.ports.models import (
    ChatModel,
    Delta,
    GenerationOptions,
    ModelEndpoint,
    Prompt,
    PromptMessage,
    PromptRead,
)
from local.services import Providers, free_port, node
from tests.integration.providers.scripted import Act, ScriptedProvider, event

KEY = Secret("sk-very-secret")
PATIENT = Timeouts(longest_wait=1.2)
NEVER_WAIT = Timeouts(longest_wait=0.5)
IMPATIENT = Timeouts(connect=0.5, first_byte=1.0, between_chunks=0.5, longest_wait=1.2)
QUESTION = Prompt("You answer briefly.", (PromptMessage("user", "what does shipping cost, in private?"),))
OPTIONS = GenerationOptions(max_tokens=100)


class Dialect:
    """How one provider says things on the wire."""

    def __init__(self, provider: str) -> None:
        self.provider = provider

    def pieces(self, *texts: str) -> tuple[bytes, ...]:
        if self.provider == "openai":
            return tuple(event({"choices": [{"index": 0, "delta": {"content": text}}]}) for text in texts)
        begin = {"type": "message_start", "message": {"usage": {"input_tokens": 5, "cache_read_input_tokens": 20}}}
        deltas = [{"type": "content_block_delta", "delta": {"type": "text_delta", "text": text}} for text in texts]
        return tuple(event(data, str(data["type"])) for data in (begin, *deltas))

    def end(self, reason: str | None = None) -> tuple[bytes, ...]:
        if self.provider == "openai":
            usage = {"prompt_tokens": 25, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 20}}
            last = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason or "stop"}]}
            return event(last), event({"choices": [], "usage": usage}), event("[DONE]")
        delta = {"type": "message_delta", "delta": {"stop_reason": reason or "end_turn"}, "usage": {"output_tokens": 7}}
        return event(delta, "message_delta"), event({"type": "message_stop"}, "message_stop")

    def overloaded(self) -> bytes:
        if self.provider == "openai":
            return event({"error": {"type": "rate_limit_error", "message": "private"}})
        return event({"type": "error", "error": {"type": "overloaded_error", "message": "private"}}, "error")

    def answer(self, *texts: str) -> Act:
        return Act((*self.pieces(*texts), *self.end()))

    def registry(self, url: str, timeouts: Timeouts = PATIENT) -> ModelRegistry:
        return ModelRegistry(KEY, f"{url}/v1", KEY, url, timeouts)


async def collect(model: ChatModel, prompt: Prompt = QUESTION, options: GenerationOptions = OPTIONS) -> list[Delta]:
    return [delta async for delta in said(model, prompt, options)]


async def said(
    model: ChatModel, prompt: Prompt = QUESTION, options: GenerationOptions = OPTIONS
) -> AsyncGenerator[Delta]:
    """All but the length of the prompt, which one provider tells and the other does not."""
    async with aclosing(model.stream(prompt, options)) as deltas:
        async for delta in deltas:
            if not isinstance(delta, PromptRead):
                yield delta


def refused(status: int, **headers: Any) -> Act:
    """A refusal that repeats the question and the key, as careless servers do."""
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    text = b'{"error": {"message": "private sk-very-secret"}}'
    return Act((text,), status, {"content-type": "application/json", **named})


@pytest.fixture(params=["openai", "anthropic"])
def dialect(request: pytest.FixtureRequest) -> Dialect:
    return Dialect(request.param)


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
async def registry(dialect: Dialect, provider: ScriptedProvider) -> AsyncIterator[ModelRegistry]:
    registry = dialect.registry(provider.url)
    yield registry
    await registry.aclose()


@pytest.fixture(params=["first question", "later question"])
async def model(
    dialect: Dialect, provider: ScriptedProvider, registry: ModelRegistry, request: pytest.FixtureRequest
) -> ChatModel:
    """A model that was never asked, and one whose account has sent the like before, which it then does by itself."""
    model = registry.at(ModelEndpoint(dialect.provider, "model-1"))
    if request.param == "later question":
        provider.plays(dialect.answer("Before."))
        await collect(model)
        provider.requests.clear()
    return model


@pytest.fixture(scope="session")
async def aimock(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Providers]:
    await asyncio.to_thread(node.install)
    async with Providers(tmp_path_factory.mktemp("aimock"), free_port()) as providers:
        yield providers
