"""The whole product as `make dev` runs it, in front of the scripted provider, ready to be loaded."""

import json
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path

import httpx

from bench.load import post
from bench.machine import child
from bench.provider import ScriptedProvider, scripted
from bench.rounds import Contender, Load
from bench.texts import prose, question
from local.demo import until_processed, upload
from tests.stack import RunningStack, running_stack

KNOWLEDGE_CHARACTERS = 200_000


@asynccontextmanager
async def product(provider: ScriptedProvider, state: Path, embedding: str) -> AsyncIterator[RunningStack]:
    """Run the product with a handbook in its knowledge, and embeddings by the "local" model or by the provider."""
    os.environ |= {"OPENAI_BASE_URL": provider.url, "OPENAI_API_KEY": "scripted", "EMBEDDING_PROVIDER": embedding,
                   "OPENAI_MODEL": scripted(1), "ABUSE_THROTTLING": "false"}  # fmt: skip
    async with running_stack(state) as stack:
        await _add_knowledge(stack, state / "handbook.txt")
        yield stack


async def visitors(stack: RunningStack, count: int) -> list[str]:
    """Return the chat tokens of so many visitors: enough of them that none meets a rate limit."""
    async with httpx.AsyncClient(base_url=stack.api_url, headers={"Origin": stack.api_url}, timeout=30) as http:
        path = f"/v1/widgets/{stack.widget_key}/token"
        return [(await http.post(path, json={})).raise_for_status().json()["token"] for _ in range(count)]


def ours(stack: RunningStack, tokens: list[str]) -> Contender:
    """Return the product as a contender: whole turns, each question a new conversation."""

    async def prepare(what: Load) -> None:
        """Let the demo assistant ask another model."""
        headers = {"Authorization": f"Bearer {stack.demo.secret_key}"}
        async with httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=30) as http:
            path = f"/v1/assistants/{stack.demo.assistant_id}"
            assistant = (await http.get(path)).json() | {"provider": "openai", "model": what.model}
            (await http.put(path, json=assistant)).raise_for_status()

    port = stack.services.ports.api
    return Contender(
        "ours", port, child("local.server"), questions(port, stack.api_url, tokens), b"event: done", prepare
    )


def questions(port: int, origin: str, tokens: list[str]) -> Callable[[Load], bytes]:
    """Return what gives the bytes of one visitor's question after the other's."""
    each, chance = cycle(tokens), random.Random()

    def request(_: Load) -> bytes:
        headers = [f"Authorization: Bearer {next(each)}", f"Origin: {origin}"]
        return post("/v1/chat/stream", port, json.dumps({"message": question(chance)}).encode(), headers)

    return request


async def _add_knowledge(stack: RunningStack, path: Path) -> None:
    path.write_text(prose(KNOWLEDGE_CHARACTERS))
    headers = {"Authorization": f"Bearer {stack.secret_key}"}
    async with httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=30) as http:
        document = await until_processed(http, await upload(http, path))
    if document["status"] != "ready":
        raise RuntimeError(f"the handbook failed: {document['failure']}")
