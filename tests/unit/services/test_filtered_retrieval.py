"""Searching only the documents that filters mean."""

from typing import Any

import pytest

from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.knowledge import Document, Passage
from chatconnect.domain.metadata import Condition, DocumentFilters, Metadata
from chatconnect.services.retrieval import RetrievalService
from tests.fakes.chunks import MemoryChunks
from tests.unit.services.knowing import ACME, GLOBEX, Knowledge

GERMAN = DocumentFilters((Condition("language", ("de",)),))
ANY_GERMAN = Retrieval(threshold=0.0, filters=GERMAN)


async def known(knowledge: Knowledge, text: str, metadata: Metadata) -> Document:
    document = await knowledge.known(text)
    return await knowledge.documents.change(ACME, document.id, metadata=metadata)


async def found(retrieval: RetrievalService, settings: Retrieval = ANY_GERMAN) -> list[str]:
    return [passage.chunk.text for passage in await retrieval.search(ACME, "pro plan", settings)]


async def test_only_documents_that_the_filters_mean_are_found() -> None:
    knowledge = Knowledge()
    await known(knowledge, "The pro plan in German.", {"language": "de"})
    await known(knowledge, "The pro plan in English.", {"language": "en"})
    await knowledge.known("The pro plan of Globex.", tenant_id=GLOBEX)

    assert await found(knowledge.retrieval) == ["The pro plan in German."]
    assert len(await found(knowledge.retrieval, Retrieval(threshold=0.0))) == 2


async def test_filters_choose_among_the_documents_that_are_named() -> None:
    knowledge = Knowledge()
    first = await known(knowledge, "The pro plan one.", {"language": "de"})
    await known(knowledge, "The pro plan two.", {"language": "de"})
    third = await known(knowledge, "The pro plan three.", {"language": "en"})

    named = Retrieval(threshold=0.0, document_ids=(first.id, third.id), filters=GERMAN)

    assert await found(knowledge.retrieval, named) == ["The pro plan one."]


async def test_filters_that_mean_no_document_find_nothing() -> None:
    knowledge = Knowledge()
    await known(knowledge, "The pro plan.", {"language": "en"})

    assert await found(knowledge.retrieval) == []


async def test_new_metadata_holds_from_the_next_search_on_in_every_process() -> None:
    knowledge = Knowledge()
    document = await known(knowledge, "The pro plan.", {"language": "en"})
    here, elsewhere = knowledge.retrieval, knowledge.retrieval
    assert await found(here) == await found(elsewhere) == []

    await knowledge.documents.change(ACME, document.id, metadata={"language": "de"})

    assert await found(here) == await found(elsewhere) == ["The pro plan."]


async def test_which_documents_are_meant_is_asked_once_while_nothing_changes() -> None:
    knowledge = Knowledge()
    await known(knowledge, "The pro plan.", {"language": "de"})
    retrieval = knowledge.retrieval
    await found(retrieval)
    knowledge.document_faults["matching"] = AssertionError("asked again")

    [passage] = await retrieval.search(ACME, "what does pro cost", ANY_GERMAN)

    assert passage.chunk.text == "The pro plan."


async def test_what_a_search_was_overtaken_by_is_no_reason_to_ask_again_for_another_tenant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    knowledge, search = Knowledge(), MemoryChunks.search
    document = await known(knowledge, "The pro plan.", {"language": "de"})
    retrieval = knowledge.retrieval
    await retrieval.search(GLOBEX, "pro plan", ANY_GERMAN)

    async def overtaken(self: MemoryChunks, *args: Any, **settings: Any) -> list[Passage]:
        passages = await search(self, *args, **settings)
        monkeypatch.setattr(MemoryChunks, "search", search)
        await knowledge.documents.delete(ACME, document.id)
        return passages

    monkeypatch.setattr(MemoryChunks, "search", overtaken)
    assert await found(retrieval) == []
    knowledge.document_faults["matching"] = AssertionError("asked again")

    assert await retrieval.search(GLOBEX, "what does pro cost", ANY_GERMAN) == []


async def test_true_and_one_are_two_filters() -> None:
    knowledge = Knowledge()
    await known(knowledge, "The pro plan.", {"public": True})
    retrieval = knowledge.retrieval

    for value, expected in ((True, ["The pro plan."]), (1, []), (True, ["The pro plan."])):
        settings = Retrieval(threshold=0.0, filters=DocumentFilters((Condition("public", (value,)),)))
        texts = [p.chunk.text for p in await retrieval.search(ACME, f"pro plan {type(value)}", settings)]
        assert texts == expected


async def test_a_new_title_is_shown_although_the_point_has_the_old_one() -> None:
    knowledge = Knowledge()
    document = await knowledge.known("The pro plan.")

    await knowledge.documents.change(ACME, document.id, title="Our plans")

    [passage] = await knowledge.retrieval.search(ACME, "pro plan", Retrieval(threshold=0.0))
    assert passage.chunk.title == "Our plans"
