"""OpenAI's embeddings."""

import asyncio
from array import array
from base64 import b64decode
from collections.abc import Iterator, Sequence
from itertools import chain
from math import hypot
from sys import byteorder
from typing import Any

import orjson

from chatconnect.adapters.openai import OpenAIAccount, openai_errors
from chatconnect.adapters.provider_http import Timeouts
from chatconnect.domain.errors import ProviderFailed
from chatconnect.domain.secret import Secret

MAX_BATCH_TEXTS = 256
MAX_BATCH_CHARACTERS = 200_000  # the API takes 300,000 tokens in one call; some scripts have a token per character
MAX_TEXT_CHARACTERS = 8_000  # its window is 8,191 tokens; a token is at least one character in all but rare scripts
CONCURRENT_CALLS = 4  # for one embedding of many texts; questions do not wait for each other
CAN_BE_CUT = "text-embedding-3"  # these models give vectors of the length asked for; others refuse the question


class OpenAIEmbedder:
    """One embedding model of one account."""

    def __init__(
        self,
        key: Secret,
        base_url: str | None = None,
        model: str = "text-embedding-3-small",
        dimensions: int = 1536,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._account = OpenAIAccount(key, base_url, timeouts)
        self._model, self._dimensions = model, dimensions

    @property
    def name(self) -> str:
        """The model's name, and the length of its vectors, which can be cut."""
        return f"{self._model.replace('.', '_').replace('/', '_')}-{self._dimensions}"

    @property
    def dimensions(self) -> int:
        """Floats per vector."""
        return self._dimensions

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit-length vector per text, in order. Raises ProviderBusy and ProviderFailed."""
        batches = list(_batches(texts))
        if len(batches) == 1:
            return await self._embed_batch(batches[0])
        turns = asyncio.Semaphore(CONCURRENT_CALLS)

        async def in_turn(batch: list[str]) -> list[list[float]]:
            async with turns:
                return await self._embed_batch(batch)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(in_turn(batch)) for batch in batches]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None  # the others were cancelled, or failed for the same reason
        return list(chain.from_iterable(task.result() for task in tasks))

    async def _embed_batch(self, texts: list[str]) -> list[list[float]]:
        body: dict[str, Any] = {"model": self._model, "input": texts, "encoding_format": "base64"}
        if self._model.startswith(CAN_BE_CUT):
            body["dimensions"] = self._dimensions
        with openai_errors():
            async with asyncio.timeout(self._account.timeouts.first_byte):
                answer = await self._account.post("/embeddings", body)
        return self._vectors(answer, len(texts))

    def _vectors(self, answer: bytes, count: int) -> list[list[float]]:
        try:
            by_index = {item["index"]: _unit(_floats(item["embedding"])) for item in orjson.loads(answer)["data"]}
            vectors = [by_index[index] for index in range(count)]
        except (ValueError, TypeError, LookupError, ArithmeticError):
            raise ProviderFailed from None
        if any(len(vector) != self._dimensions for vector in vectors):
            raise ProviderFailed
        return vectors

    async def aclose(self) -> None:
        """Close the connections; the next use opens new ones."""
        await self._account.aclose()


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    characters = 0
    for text in texts:
        text = text[:MAX_TEXT_CHARACTERS] or " "  # the API refuses an empty text
        if batch and (len(batch) == MAX_BATCH_TEXTS or characters + len(text) > MAX_BATCH_CHARACTERS):
            yield batch
            batch, characters = [], 0
        batch.append(text)
        characters += len(text)
    if batch:
        yield batch


def _floats(embedding: str | list[float]) -> list[float]:
    """Read little-endian 32-bit floats in base64, or the plain list that some compatible servers send instead."""
    if not isinstance(embedding, str):
        return embedding
    floats = array("f", b64decode(embedding))
    if byteorder == "big":
        floats.byteswap()
    return floats.tolist()


def _unit(vector: list[float]) -> list[float]:
    """OpenAI's own vectors have unit length; those of compatible servers need not."""
    length = hypot(*vector)
    return vector if abs(length - 1) < 1e-4 else [value / length for value in vector]
