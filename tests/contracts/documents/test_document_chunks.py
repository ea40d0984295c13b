"""What every store of documents does with their chunks."""

from dataclasses import replace
from datetime import date

import pytest

from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import DocumentId, new_id
from chatconnect.domain.knowledge import Document, Embedded
from chatconnect.ports.knowledge import Documents
from tests.contracts.documents.steps import added, ready
from tests.factories import a_chunk, a_version


async def test_chunks_are_read_in_order_and_saving_again_replaces(documents: Documents, document: Document) -> None:
    version = await added(documents, document)
    chunks = [a_chunk(version, position) for position in range(5)]
    await documents.save_chunks(version.id, list(reversed(chunks)))
    changed = replace(a_chunk(version, 2, "The pro plan costs 59 euros."), page=None, headings=())
    await documents.save_chunks(version.id, [changed])

    assert await documents.chunks(document.id) == [*chunks[:2], changed, *chunks[3:]]
    assert await documents.chunks(document.id, after=1, limit=2) == [changed, chunks[3]]
    assert await documents.chunks(document.id, after=4) == []


async def test_chunks_are_those_of_the_active_version(documents: Documents, document: Document) -> None:
    first, second = await added(documents, document), a_version(document.tenant_id, document.id, 2)
    await documents.save_chunks(first.id, [a_chunk(first, 0, "old")])
    await ready(documents, first)
    await documents.add_version(second)
    await documents.save_chunks(second.id, [a_chunk(second, 0, "new")])

    assert [chunk.text for chunk in await documents.chunks(document.id)] == ["old"]

    await ready(documents, second)
    await documents.purged(first.id)
    assert [chunk.text for chunk in await documents.chunks(document.id)] == ["new"]


async def test_what_is_not_there_has_no_chunks(documents: Documents) -> None:
    with pytest.raises(NotFound):
        await documents.chunks(DocumentId(new_id()))


async def test_stored_chunks_are_known_by_their_place_title_and_text(documents: Documents, document: Document) -> None:
    version = await added(documents, document)
    assert await documents.stored_chunks(version.id, "letters") == {}
    chunks = [a_chunk(version, position, f"Größe {position}\n") for position in range(3)]
    await documents.save_chunks(version.id, chunks)

    assert await documents.stored_chunks(version.id, "letters") == {c.position: c.digest for c in chunks}

    await documents.drop_chunks(version.id)
    assert await documents.stored_chunks(version.id, "letters") == {}


async def test_chunks_whose_points_have_another_models_vectors_are_dropped(
    documents: Documents, document: Document
) -> None:
    version = await added(documents, document)
    await documents.stored_chunks(version.id, "old")
    await documents.save_chunks(version.id, [a_chunk(version, 0)])

    assert await documents.stored_chunks(version.id, "new") == {}
    assert await documents.stored_chunks(version.id, "new") == {}
    assert await documents.chunks(document.id) == []


async def test_what_embedding_took_adds_up(documents: Documents, document: Document) -> None:
    version = await added(documents, document)

    await documents.add_embedded(version.id, Embedded(1_000, 20), date(2026, 7, 1))
    await documents.add_embedded(version.id, Embedded(500, 10), date(2026, 7, 2))

    assert (await documents.get(document.id)).newest.embedded == Embedded(1_500, 30)


async def test_a_purged_version_takes_no_more_chunks(documents: Documents, document: Document) -> None:
    version = await added(documents, document)
    await documents.save_chunks(version.id, [a_chunk(version)])
    await documents.purged(version.id)

    with pytest.raises(NotFound):
        await documents.save_chunks(version.id, [a_chunk(version)])
    assert await documents.chunks_of_version(version.id) == []
