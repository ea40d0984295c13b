"""Companies with their callers, and a model provider that does as told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.api.clients import Company
from tests.integration.providers.scripted import Act, ScriptedProvider, Step, event
from tests.stack import RunningStack

OpenCompany = Callable[[str], Awaitable[Company]]

GUIDE = """Delivery guide

Parcels to Iceland travel by ship and arrive after nine working days.

Gift wrapping costs four crowns per parcel and is done by hand in our Oslo workshop.
"""


class Model:
    """An OpenAI-compatible model on a wire of ours: says how the next requests are answered."""

    def __init__(self, provider: ScriptedProvider) -> None:
        self._provider = provider

    @property
    def base_url(self) -> str:
        return f"{self._provider.url}/v1"

    @property
    def prompts(self) -> list[list[dict[str, str]]]:
        """The messages of every request so far."""
        return [request.body["messages"] for request in self._provider.requests]

    @property
    def offered(self) -> list[list[dict[str, Any]]]:
        """What the model could call in every request so far."""
        return [[tool["function"] for tool in request.body.get("tools", [])] for request in self._provider.requests]

    @property
    def keys(self) -> set[str]:
        """The keys that requests came with."""
        return {request.headers["authorization"] for request in self._provider.requests}

    def says(self, *steps: str | float | asyncio.Event) -> None:
        """Answer one request with pieces of text, pauses in seconds and events to wait for."""
        self.plays(Act((*pieces(*steps), *ENDING)))

    def plays(self, *acts: Act) -> None:
        self._provider.plays(*acts)


def pieces(*steps: str | float | asyncio.Event) -> tuple[Step, ...]:
    return tuple(
        event({"choices": [{"index": 0, "delta": {"content": step}}]}) if isinstance(step, str) else step
        for step in steps
    )


USAGE = {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}}
ENDING = (
    event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
    event({"choices": [], "usage": USAGE}),
    event("[DONE]"),
)


class Mailbox:
    """The mails that the running product has written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def to(self, email: str) -> list[str]:
        """The mails to an address, oldest first."""
        texts = [path.read_text() for path in sorted(self._folder.glob("*.eml"))]
        return [text for text in texts if f"To: {email}" in text]

    def token(self, email: str, name: str) -> str:
        """The token in the newest mail's link."""
        return self.to(email)[-1].partition(f"#{name}=")[2].split()[0]


@pytest.fixture(scope="session")
def mailbox(stack: RunningStack) -> Mailbox:
    return Mailbox(stack.services.mails)


@pytest.fixture(scope="session")
async def http(stack: RunningStack) -> AsyncIterator[httpx.AsyncClient]:
    limits = httpx.Limits(max_keepalive_connections=5)
    async with httpx.AsyncClient(base_url=stack.api_url, timeout=30, trust_env=False, limits=limits) as client:
        yield client


@pytest.fixture(scope="session")
def open_company(http: httpx.AsyncClient) -> OpenCompany:
    async def opened(name: str) -> Company:
        return await Company.opened(http, name)

    return opened


@pytest.fixture(scope="module")
async def company(open_company: OpenCompany) -> Company:
    """A company with one document, whose assistant quotes."""
    company = await open_company("Globex")
    await company.ingested("Delivery guide.txt", GUIDE.encode())
    return company


@pytest.fixture
async def model() -> AsyncIterator[Model]:
    async with ScriptedProvider() as provider:
        yield Model(provider)


@pytest.fixture
async def talking(company: Company, model: Model) -> AsyncIterator[Company]:
    """The company, whose assistant uses the scripted model."""
    await company.uses("openai", model.base_url, access_token="sk-of-globex")
    yield company
    await company.uses("offline")


@pytest.fixture
async def the_next_request_works(company: Company) -> AsyncIterator[None]:
    """Whatever a test does, the one that comes after it is served."""
    yield
    answer = await company.server.get("/v1/conversations", limit=1)
    assert answer.status_code == 200
