"""Ordering passages by a reranking model, as far as it answers in time."""

from collections.abc import Sequence
from dataclasses import replace

from chatconnect.domain.errors import ChatConnectError
from chatconnect.domain.knowledge import Passage
from chatconnect.ports.faults import OnFault
from chatconnect.ports.reranking import Reranker
from chatconnect.services.timings import Timings


class RerankingService:
    """Judges passages once more. It never fails: without the model's answer the order that was there holds."""

    def __init__(self, reranker: Reranker, *, on_fault: OnFault) -> None:
        self._reranker, self._on_fault = reranker, on_fault

    async def reordered(self, question: str, passages: Sequence[Passage], timings: Timings) -> list[Passage]:
        """Return the passages with the model's scores, best first. `timings` gets the step "rerank"."""
        if not passages:
            return []
        try:
            with timings.step("rerank"):
                scores = await self._reranker.scores(question, [passage.chunk.text for passage in passages])
        except ChatConnectError as fault:
            self._on_fault("rerank fault", fault)
            return list(passages)
        scored = [replace(passage, score=score) for passage, score in zip(passages, scores, strict=True)]
        return sorted(scored, key=lambda passage: passage.score, reverse=True)
