"""Passages in a reranking model's order, and without its answer as they were."""

from collections.abc import Sequence

import pytest

from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.errors import ProviderFailed
from chatconnect.domain.knowledge import Passage
from chatconnect.services.reranking import RerankingService
from chatconnect.services.timings import Timings
from tests.fakes.rerankers import LengthReranker
from tests.unit.services.knowing import ACME, Knowledge

TEXTS = ("Returns within fourteen days of delivery.", "Returns are free.", "Returns of gifts take longer.")


async def knowing(reranker: LengthReranker, faults: list[str]) -> Knowledge:
    knowledge = Knowledge(reranking=RerankingService(reranker, on_fault=lambda what, _: faults.append(what)))
    for text in TEXTS:
        await knowledge.known(text)
    return knowledge


async def found(knowledge: Knowledge, *, rerank: bool) -> Sequence[Passage]:
    return await knowledge.retrieval.search(ACME, "returns", Retrieval(threshold=0.0, rerank=rerank))


async def test_the_models_scores_decide_where_settings_say_so() -> None:
    reranker = LengthReranker()
    knowledge = await knowing(reranker, [])

    passages = await found(knowledge, rerank=True)

    assert [passage.chunk.text for passage in passages] == sorted(TEXTS, key=len)
    assert [passage.score for passage in passages] == [-float(len(p.chunk.text)) for p in passages]
    assert reranker.asked == ["returns"]


async def test_nobody_is_asked_otherwise() -> None:
    reranker = LengthReranker()

    await found(await knowing(reranker, []), rerank=False)

    assert reranker.asked == []


async def test_without_its_answer_the_order_stays() -> None:
    faults: list[str] = []
    reranker = LengthReranker(fault=ProviderFailed())
    knowledge = await knowing(reranker, faults)

    plain, reranked = await found(knowledge, rerank=False), await found(knowledge, rerank=True)

    assert reranked == plain
    assert faults == ["rerank fault"]


async def test_what_was_found_before_is_not_judged_again() -> None:
    reranker = LengthReranker()
    knowledge = await knowing(reranker, [])

    first, second = await found(knowledge, rerank=True), await found(knowledge, rerank=True)

    assert first == second
    assert len(reranker.asked) == 1


async def test_nothing_found_is_nothing_to_judge() -> None:
    reranker = LengthReranker()
    service = RerankingService(reranker, on_fault=lambda *_: pytest.fail("a fault"))

    assert await service.reordered("returns", [], Timings()) == []
    assert reranker.asked == []
