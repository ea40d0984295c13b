"""What every store of documents does when it lists, counts and chooses them."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chatconnect.domain.chunking import DEFAULT_CHUNKS, ChunkSettings
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import DocumentId, TenantId, new_id
from chatconnect.domain.knowledge import Failure, Status
from chatconnect.domain.metadata import Condition, DocumentFilters, Metadata
from chatconnect.ports.document_lists import Listing, Selection, Sort
from chatconnect.ports.knowledge import Documents
from tests.contracts.documents.steps import OpenTenant
from tests.factories import NOON, a_chunk, a_document, a_version, seconds

OpenShelf = Callable[[], Awaitable["Shelf"]]


class Shelf:
    """A tenant's documents, by their titles."""

    def __init__(self, tenant_id: TenantId, documents: Documents) -> None:
        self.tenant_id, self.documents = tenant_id, documents

    async def holds(
        self,
        title: str,
        *,
        at: float = 0,
        size: int = 1_000,
        media_type: str = "text/plain",
        metadata: Metadata | None = None,
    ) -> DocumentId:
        document = a_document(self.tenant_id, title=title, created_at=seconds(at), updated_at=seconds(-at))
        newest = replace(document.newest, size=size, media_type=media_type)
        await self.documents.add(replace(document, newest=newest, metadata=metadata or {}))
        return document.id

    async def ready(self, document_id: DocumentId) -> None:
        version = (await self.documents.get(document_id)).newest
        await self.documents.begin_processing(version.id, "01")
        assert await self.documents.activate(version.id)

    async def titles(self, listing: Listing) -> list[str]:
        return [document.title for document in (await self.documents.page(listing)).documents]

    async def meant(self, *conditions: Condition, **when: float) -> set[str]:
        """The titles that filters leave."""
        filters = DocumentFilters(conditions, **{name: seconds(moment) for name, moment in when.items()})
        return set(await self.titles(Listing(Selection(filters=filters))))


@pytest.fixture
def open_shelf(open_tenant: OpenTenant) -> OpenShelf:
    async def open_one() -> Shelf:
        return Shelf(*await open_tenant())

    return open_one


@pytest.fixture
async def shelf(open_shelf: OpenShelf) -> Shelf:
    return await open_shelf()


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", Sort)
async def test_pages_hold_every_document_once_and_in_order(shelf: Shelf, sort: Sort, descending: bool) -> None:
    for number, title in enumerate(("cherry", "Apple", "banana", "apple", "Cherry", "date")):
        await shelf.holds(title, at=number // 2, size=100 + number % 3)

    listing, seen = Listing(sort=sort, descending=descending, limit=2), list[object]()
    while True:
        page = await shelf.documents.page(listing)
        seen += page.documents
        if page.following is None:
            break
        listing = replace(listing, after=page.following)

    whole = await shelf.documents.page(Listing(sort=sort, descending=descending, limit=10))
    assert seen == list(whole.documents)
    keys: list[Any] = [
        {"created": d.created_at, "updated": d.updated_at, "title": d.title.lower(), "size": d.newest.size}[sort]
        for d in whole.documents
    ]
    assert keys == sorted(keys, reverse=descending)
    assert len(seen) == 6


async def test_a_page_goes_on_behind_a_document_that_was_deleted_meanwhile(shelf: Shelf) -> None:
    ids = [await shelf.holds(f"document {number}", at=number) for number in range(4)]
    first = await shelf.documents.page(Listing(limit=2))

    await shelf.documents.delete_all([ids[2]])
    await shelf.holds("newer", at=9)

    assert await shelf.titles(Listing(limit=2, after=first.following)) == ["document 1", "document 0"]


async def test_status_type_and_title_choose_documents_and_all_are_counted_by_status(shelf: Shelf) -> None:
    await shelf.holds("Price list 2026", media_type="text/csv")
    prices = await shelf.holds("Old PRICES", at=1)
    await shelf.holds("50% off_", at=2)
    await shelf.ready(prices)
    broken = (await shelf.documents.get(await shelf.holds("Price of steel", at=3))).newest
    await shelf.documents.fail(broken.id, Failure("damaged", "It cannot be read."))

    assert await shelf.titles(Listing(Selection(text="price"))) == ["Price of steel", "Old PRICES", "Price list 2026"]
    assert await shelf.titles(Listing(Selection(text="% OFF_"))) == ["50% off_"]
    assert await shelf.titles(Listing(Selection(text="5_%"))) == []
    assert await shelf.titles(Listing(Selection(Status.READY))) == ["Old PRICES"]
    assert await shelf.titles(Listing(Selection(media_type="text/csv"))) == ["Price list 2026"]
    assert await shelf.titles(Listing(Selection(Status.READY, "text/csv"))) == []
    counts = {Status.UPLOADED: 2, Status.PROCESSING: 0, Status.READY: 1, Status.FAILED: 1}
    assert await shelf.documents.count(Selection()) == counts
    assert await shelf.documents.count(Selection(Status.READY, text="price")) == counts | {Status.UPLOADED: 1}


async def test_the_status_is_that_of_the_newest_version(shelf: Shelf) -> None:
    document_id = await shelf.holds("renewed")
    await shelf.ready(document_id)

    await shelf.documents.add_version(replace(a_version(shelf.tenant_id, document_id, 2), size=7))

    assert (await shelf.documents.count(Selection()))[Status.UPLOADED] == 1
    assert await shelf.titles(Listing(Selection(Status.READY))) == []


async def test_metadata_chooses_documents_by_value_by_list_and_by_bounds(shelf: Shelf) -> None:
    await shelf.holds("german", metadata={"language": "de", "year": 2024, "public": True, "valid": "2026-03-01"})
    await shelf.holds("english", at=1, metadata={"language": "en", "year": 2026.5, "public": False})
    await shelf.holds("bare", at=2)
    await shelf.holds("odd", at=3, metadata={"language": 7, "year": "2026", "public": 1})

    assert await shelf.meant() == {"german", "english", "bare", "odd"}
    assert await shelf.meant(Condition("language", ("de",))) == {"german"}
    assert await shelf.meant(Condition("language", ("de", "en", 7.0))) == {"german", "english", "odd"}
    assert await shelf.meant(Condition("language", ())) == set()
    assert await shelf.meant(Condition("public", (True,))) == {"german"}
    assert await shelf.meant(Condition("year", gte=2024)) == {"german", "english"}
    assert await shelf.meant(Condition("year", gt=2024, lt=2027)) == {"english"}
    assert await shelf.meant(Condition("year", gte="2000")) == {"odd"}
    assert await shelf.meant(Condition("valid", gte="2026-01-01", lte="2026-12-31")) == {"german"}
    assert await shelf.meant(Condition("language", ("de", "en")), Condition("year", lte=2025)) == {"german"}
    assert await shelf.meant(since=1, before=3) == {"english", "bare"}


async def test_filters_find_only_documents_that_answer(shelf: Shelf) -> None:
    filters = DocumentFilters((Condition("language", ("de",)),))
    answering = [await shelf.holds(title, metadata={"language": "de"}) for title in ("one", "two")]
    await shelf.holds("not yet", metadata={"language": "de"})
    other = await shelf.holds("other", metadata={"language": "en"})
    for document_id in (*answering, other):
        await shelf.ready(document_id)

    assert set(await shelf.documents.matching(filters)) == set(answering)
    await shelf.documents.delete_all([answering[0]])
    assert await shelf.documents.matching(filters) == (answering[1],)


async def test_title_and_metadata_change_each_alone_or_together(shelf: Shelf) -> None:
    document_id = await shelf.holds("before", metadata={"a": 1})
    documents, at = shelf.documents, NOON + timedelta(hours=1)

    await documents.change(document_id, title="between", metadata=None, at=at)
    renamed = await documents.get(document_id)
    await documents.change(document_id, title=None, metadata={"b": True}, at=at)
    noted = await documents.get(document_id)
    await documents.change(document_id, title="after", metadata={}, at=at)

    assert (renamed.title, renamed.metadata, renamed.updated_at) == ("between", {"a": 1}, at)
    assert (noted.title, noted.metadata) == ("between", {"b": True})
    assert ((await documents.get(document_id)).title, (await documents.get(document_id)).metadata) == ("after", {})


async def test_what_is_not_there_cannot_be_changed(open_shelf: OpenShelf) -> None:
    shelf, other = await open_shelf(), await open_shelf()
    deleted, foreign = await shelf.holds("deleted"), await other.holds("foreign")
    await shelf.documents.delete_all([deleted])

    for document_id in (deleted, foreign, DocumentId(new_id())):
        with pytest.raises(NotFound):
            await shelf.documents.change(document_id, title="x", metadata=None, at=NOON)
    assert (await other.documents.get(foreign)).title == "foreign"


async def test_a_new_title_is_that_of_the_chunks_and_of_what_answers(shelf: Shelf) -> None:
    document_id = await shelf.holds("before")
    version = (await shelf.documents.get(document_id)).newest
    await shelf.documents.save_chunks(version.id, [a_chunk(version)])
    assert await shelf.documents.active_titles([version.id]) == {}
    await shelf.ready(document_id)

    await shelf.documents.change(document_id, title="after", metadata=None, at=NOON)

    assert await shelf.documents.active_titles([version.id]) == {version.id: "after"}
    assert [chunk.title for chunk in await shelf.documents.chunks(document_id)] == ["after"]
    assert [chunk.title for chunk in await shelf.documents.chunks_of_version(version.id)] == ["after"]


async def test_several_documents_are_deleted_together_and_the_rest_is_passed_over(open_shelf: OpenShelf) -> None:
    shelf, other = await open_shelf(), await open_shelf()
    ids = [await shelf.holds(f"document {number}") for number in range(3)]
    await shelf.documents.add_version(a_version(shelf.tenant_id, ids[0], 2))
    foreign = await other.holds("foreign")

    gone = await shelf.documents.delete_all([*ids[:2], foreign, DocumentId(new_id())])
    again = await shelf.documents.delete_all(ids[:1])

    assert sorted(version.document_id for version in gone) == sorted([ids[0], ids[0], ids[1]])
    assert again == []
    assert await shelf.titles(Listing()) == ["document 2"]
    assert await other.titles(Listing()) == ["foreign"]


async def test_how_documents_are_cut_is_each_tenants_own(open_shelf: OpenShelf) -> None:
    shelf, other = await open_shelf(), await open_shelf()

    await shelf.documents.set_chunk_settings(ChunkSettings(200, 20))
    await shelf.documents.set_chunk_settings(ChunkSettings(300, 0))

    assert await shelf.documents.chunk_settings() == ChunkSettings(300, 0)
    assert await other.documents.chunk_settings() == DEFAULT_CHUNKS


async def test_another_tenants_documents_are_neither_listed_counted_nor_meant(open_shelf: OpenShelf) -> None:
    shelf, other = await open_shelf(), await open_shelf()
    foreign = await other.holds("foreign", metadata={"language": "de"})
    await other.ready(foreign)
    version = (await other.documents.get(foreign)).newest

    assert await shelf.titles(Listing()) == []
    assert set((await shelf.documents.count(Selection())).values()) == {0}
    assert await shelf.documents.matching(DocumentFilters()) == ()
    assert await shelf.documents.active_titles([version.id]) == {}
