"""Judging passages once more, by a model that reads question and passage together."""

from collections.abc import Sequence
from typing import Protocol


class Reranker(Protocol):
    """A model that says how well texts answer a question; tests/contracts/test_rerankers.py is for each."""

    async def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return one finite score per text, in order; higher is better, comparable within one call.

        Raises ProviderBusy or ProviderFailed, within about a second: the visitor is waiting.
        """
        ...
