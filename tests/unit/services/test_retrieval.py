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


async def test_a_text_of_several_documents_is_found_once() -> None:
    knowledge = Knowledge()
    for _ in range(3):
        await knowledge.known("The pro plan costs 49 euros.")
    await knowledge.known("The pro plan costs 59 euros.")

    assert sorted(await found(knowledge)) == ["The pro plan costs 49 euros.", "The pro plan costs 59 euros."]


async def test_a_replaced_text_does_not_hide_the_same_text_elsewhere() -> None:
    knowledge = Knowledge()
    document = await knowledge.known("The pro plan costs 49 euros.")
    await knowledge.known("The pro plan costs 49 euros.")
    await knowledge.known("Our office is in Bremen.", renews=document.id)

    assert "The pro plan costs 49 euros." in await found(knowledge)


async def test_a_version_that_is_not_finished_is_not_found() -> None:
    knowledge = Knowledge()
    knowledge.document_faults["activate"] = Unavailable("the database")
    with pytest.raises(Unavailable):
        await knowledge.known()

    assert knowledge.points.points
    assert await found(knowledge) == []


@pytest.mark.parametrize(("change", "expected"), [("replaced", ["The pro plan costs 59 euros."]), ("deleted", [])])
async def test_a_version_replaced_or_deleted_while_it_was_searched_is_not_found_but_what_took_its_place(
    change: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    knowledge = Knowledge()
    document = await knowledge.known("The pro plan costs 49 euros.")
    search = MemoryChunks.search

    async def meanwhile(self: MemoryChunks, *args: Any, **settings: Any) -> list[Passage]:
        passages = await search(self, *args, **settings)
        monkeypatch.setattr(MemoryChunks, "search", search)
        if change == "deleted":
            await knowledge.documents.delete(ACME, document.id)
        else:
            await knowledge.known("The pro plan costs 59 euros.", renews=document.id)
        return passages

    monkeypatch.setattr(MemoryChunks, "search", meanwhile)

    assert await found(knowledge) == expected


async def test_the_same_query_again_needs_neither_the_embedder_nor_the_store() -> None:
    knowledge = Knowledge()
    await knowledge.known("The pro plan costs 49 euros.")
    first = await found(knowledge)
    knowledge.embedder_faults["embed"] = ProviderFailed()
    knowledge.point_faults["search"] = Unavailable("the search")

    assert await found(knowledge) == first == ["The pro plan costs 49 euros."]
    assert knowledge.lookups == [("search", False), ("embedding", False), ("search", True)]


async def test_another_search_for_the_same_words_needs_the_store_alone() -> None:
    knowledge = Knowledge()
    await knowledge.known("The pro plan costs 49 euros.")
    await found(knowledge)
    knowledge.embedder_faults["embed"] = ProviderFailed()

    assert await found(knowledge, Retrieval(threshold=0.0, limit=1))
    assert knowledge.lookups[2:] == [("search", False), ("embedding", True)]


async def test_a_new_document_is_found_at_once_although_the_query_was_answered_before() -> None:
    knowledge = Knowledge()
    assert await found(knowledge) == []

    await knowledge.known("The pro plan costs 49 euros.")

    assert await found(knowledge) == ["The pro plan costs 49 euros."]


async def test_a_new_version_is_found_at_once_in_place_of_the_old_one() -> None:
    knowledge = Knowledge()
    document = await knowledge.known("The pro plan costs 49 euros.")
    await found(knowledge)

    await knowledge.known("The pro plan costs 59 euros.", renews=document.id)

    assert await found(knowledge) == ["The pro plan costs 59 euros."]


async def test_a_deleted_document_is_not_found_although_nobody_was_told() -> None:
    knowledge = Knowledge()
    document = await knowledge.known("The pro plan costs 49 euros.")
    assert await found(knowledge)
    knowledge.stored_epochs.away = True
    await knowledge.documents.delete(ACME, document.id)
    knowledge.stored_epochs.away = False

    assert await found(knowledge) == []
    assert knowledge.lookups[-1] == ("search", True)


async def test_the_versions_to_leave_out_are_read_once_while_nothing_changes() -> None:
    knowledge = Knowledge()
    await knowledge.known("The pro plan costs 49 euros.")
    retrieval = knowledge.retrieval
    await retrieval.search(ACME, "pro plan", ANY)
    knowledge.document_faults["hidden_versions"] = Unavailable("the database")

    assert await retrieval.search(ACME, "what does pro cost", ANY)


async def test_a_version_that_is_just_being_read_takes_no_place_from_those_that_answer() -> None:
    knowledge = Knowledge()
    retrieval, one = knowledge.retrieval, Retrieval(limit=1, threshold=0.0)
    document = await knowledge.known("The pro plan costs 49 euros.")
    await retrieval.search(ACME, "pro plan", one)  # from now on it is known that there is nothing to leave out
    again = await knowledge.uploaded("pro plan " * 2_000, renews=document.id)
    knowledge.document_faults["activate"] = Unavailable("the database")
    with pytest.raises(Unavailable):
        await knowledge.ingested(again)

    [passage] = await retrieval.search(ACME, "pro plan", one)

    assert passage.chunk.text == "The pro plan costs 49 euros."


async def test_without_epochs_nothing_is_remembered() -> None:
    knowledge = Knowledge()
    await knowledge.known("The pro plan costs 49 euros.")
    await found(knowledge)
    knowledge.stored_epochs.away = True
    knowledge.point_faults["search"] = Unavailable("the search")

    with pytest.raises(Unavailable):
        await found(knowledge)


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
    vectors = await Knowledge().retrieval.embed(ACME, ["a", "b", "a"])

    assert vectors[0] == vectors[2] != vectors[1]


@pytest.mark.parametrize("texts", [[], ["a"] * 101, ["a", " "], ["a" * 20_001]])
async def test_texts_that_cannot_be_embedded_are_refused(texts: list[str]) -> None:
    with pytest.raises(Invalid):
        await Knowledge().retrieval.embed(ACME, texts)
