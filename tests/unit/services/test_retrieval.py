"""Finding the passages that answer a question."""

from typing import Any

import pytest

from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.errors import Invalid, ProviderFailed, Unavailable
from chatconnect.domain.knowledge import Passage
from tests.fakes.chunks import MemoryChunks
from tests.unit.services.knowing import ACME, GLOBEX, Knowledge

ANY = Retrieval(threshold=0.0)


async def found(knowledge: Knowledge, settings: Retrieval = ANY, query: str = "pro plan") -> list[str]:
    return [passage.chunk.text for passage in await knowledge.retrieval.search(ACME, query, settings)]


async def test_the_passage_that_fits_best_comes_first() -> None:
    knowledge = Knowledge()
    await knowledge.known("Our office is in Bremen.")
    await knowledge.known("The pro plan costs 49 euros.")

    assert (await found(knowledge))[0] == "The pro plan costs 49 euros."


async def test_another_tenants_documents_are_never_found() -> None:
    knowledge = Knowledge()
    await knowledge.known("The secret pro plan of Globex.", tenant_id=GLOBEX)

    assert await found(knowledge) == []


async def test_only_the_assistants_documents_are_found() -> None:
    knowledge = Knowledge()
    first = await knowledge.known("The pro plan costs 49 euros.")
    await knowledge.known("The pro plan was cheaper.")

    assert await found(knowledge, Retrieval(threshold=0.0, document_ids=(first.id,))) == [
        "The pro plan costs 49 euros."
    ]


async def test_no_more_are_found_than_asked_for_and_neighbours_count_as_one() -> None:
    knowledge = Knowledge()
    for number in range(10):
        await knowledge.known(f"The pro plan number {number}.")

    assert len(await found(knowledge, Retrieval(limit=3, threshold=0.0))) == 3


async def test_the_neighbours_of_one_document_come_as_one_passage() -> None:
    knowledge = Knowledge()
    text = "pro plan word " * 400
    await knowledge.known(text)

    [passage] = await knowledge.retrieval.search(ACME, "pro plan", ANY)

    assert passage.chunk.text == text.strip()


async def test_a_version_that_is_not_finished_is_not_found() -> None:
    knowledge = Knowledge()
    knowledge.document_faults["activate"] = Unavailable("the database")
    with pytest.raises(Unavailable):
        await knowledge.known()

    assert knowledge.points.points
    assert await found(knowledge) == []


@pytest.mark.parametrize("change", ["replaced", "deleted"])
async def test_a_version_replaced_or_deleted_while_it_was_searched_is_not_found(
    change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowledge = Knowledge()
    document = await knowledge.known("The pro plan costs 49 euros.")
    search = MemoryChunks.search

    async def meanwhile(self: MemoryChunks, *args: Any, **settings: Any) -> list[Passage]:
        passages = await search(self, *args, **settings)
        if change == "deleted":
            await knowledge.documents.delete(ACME, document.id)
        else:
            await knowledge.known("The pro plan costs 59 euros.", renews=document.id)
        return passages

    monkeypatch.setattr(MemoryChunks, "search", meanwhile)

    assert await found(knowledge) == []


@pytest.mark.parametrize("query", ["", "  ", "q" * 2_001])
async def test_a_query_that_is_none_is_refused(query: str) -> None:
    with pytest.raises(Invalid):
        await found(Knowledge(), query=query)


@pytest.mark.parametrize(
    ("faults", "call", "fault"),
    [
        ("embedder_faults", "embed", ProviderFailed()),
        ("document_faults", "hidden_versions", Unavailable("the database")),
        ("point_faults", "search", Unavailable("the search")),
    ],
)
async def test_with_a_part_away_there_is_an_error_and_no_half_result(faults: str, call: str, fault: Exception) -> None:
    knowledge = Knowledge()
    await knowledge.known()
    getattr(knowledge, faults)[call] = fault

    with pytest.raises(Unavailable):
        await found(knowledge)


async def test_texts_are_embedded_in_order() -> None:
    vectors = await Knowledge().retrieval.embed(["a", "b", "a"])

    assert vectors[0] == vectors[2] != vectors[1]


@pytest.mark.parametrize("texts", [[], ["a"] * 101, ["a", " "], ["a" * 20_001]])
async def test_texts_that_cannot_be_embedded_are_refused(texts: list[str]) -> None:
    with pytest.raises(Invalid):
        await Knowledge().retrieval.embed(texts)
