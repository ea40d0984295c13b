"""What every store of documents does."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.documents import PostgresDocuments
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId, new_id
from chatconnect.domain.knowledge import GIVEN_UP, Document, Embedded, Failure, Progress, Status, Version
from chatconnect.ports.document_lists import Listing
from chatconnect.ports.knowledge import Documents
from tests.factories import a_chunk, a_document, a_tenant, a_version
from tests.fakes.documents import MemoryDocuments, StoredDocuments

OpenTenant = Callable[[], Awaitable[tuple[TenantId, Documents]]]


@pytest.fixture(params=["memory", "postgres"])
def open_tenant(request: pytest.FixtureRequest) -> OpenTenant:
    stored: dict[TenantId, StoredDocuments] = {}
    database: PostgresDatabase | None = None
    if request.param == "postgres":
        database = request.getfixturevalue("database")

    async def open_one() -> tuple[TenantId, Documents]:
        new = a_tenant()
        if database is None:
            return new.tenant.id, MemoryDocuments(stored, new.tenant.id)
        await PostgresAccounts(database).open_tenant(new)
        return new.tenant.id, PostgresDocuments(database, new.tenant.id)

    return open_one


@pytest.fixture
async def tenant(open_tenant: OpenTenant) -> tuple[TenantId, Documents]:
    return await open_tenant()


@pytest.fixture
def documents(tenant: tuple[TenantId, Documents]) -> Documents:
    return tenant[1]


@pytest.fixture
def document(tenant: tuple[TenantId, Documents]) -> Document:
    return a_document(tenant[0])


async def added(documents: Documents, document: Document) -> Version:
    """Store the document; return its version as it was stored."""
    await documents.add(document)
    return (await documents.get(document.id)).newest


async def ready(documents: Documents, version: Version) -> None:
    await documents.begin_processing(version.id, "01")
    assert await documents.activate(version.id)


async def test_a_document_is_read_back_as_it_was_written(open_tenant: OpenTenant) -> None:
    tenant_id, documents = await open_tenant()
    document = a_document(tenant_id, metadata={"language": "en"})

    await documents.add(document)

    assert await documents.get(document.id) == document


async def test_another_tenants_document_does_not_exist(open_tenant: OpenTenant) -> None:
    (globex_id, globex), (_, acme) = await open_tenant(), await open_tenant()
    document = a_document(globex_id)
    version = await added(globex, document)
    await globex.save_chunks(version.id, [a_chunk(version)])
    await ready(globex, version)

    with pytest.raises(NotFound):
        await acme.get(document.id)
    with pytest.raises(NotFound):
        await acme.chunks(document.id)
    with pytest.raises(NotFound):
        await acme.add_version(a_version(globex_id, document.id, 2))
    with pytest.raises(NotFound):
        await acme.save_chunks(version.id, [a_chunk(version)])
    assert await acme.delete_all([document.id]) == []
    assert await acme.fail(version.id, Failure("damaged", "It cannot be read.")) is None
    await acme.purged(version.id)
    assert await acme.begin_processing(version.id, "02") is None
    assert await acme.activate(version.id) is False
    assert await acme.active_among([version.id]) == frozenset()
    assert (await acme.page(Listing())).documents == ()
    assert await globex.active_among([version.id]) == {version.id}
    assert len(await globex.chunks(document.id)) == 1


async def test_a_processed_version_answers_once_it_is_active(documents: Documents, document: Document) -> None:
    version = await added(documents, document)

    claimed = await documents.begin_processing(version.id, "01")
    await documents.set_progress(version.id, Progress(3, 10))

    assert claimed is not None
    assert claimed.status is Status.PROCESSING
    assert (await documents.get(document.id)).newest.progress == Progress(3, 10)
    assert await documents.active_among([version.id]) == frozenset()
    assert await documents.hidden_versions() == [version.id]

    assert await documents.activate(version.id)
    after = await documents.get(document.id)
    assert (after.newest.status, after.active_version_id) == (Status.READY, version.id)
    assert await documents.active_among([version.id, VersionId(new_id())]) == {version.id}
    assert await documents.hidden_versions() == []


async def test_a_failed_version_says_why_and_the_old_one_goes_on_answering(
    documents: Documents, document: Document
) -> None:
    first = await added(documents, document)
    await ready(documents, first)
    second = a_version(document.tenant_id, document.id, 2)
    await documents.add_version(second)
    await documents.begin_processing(second.id, "02")

    failed = await documents.fail(second.id, Failure("encrypted", "The file has a password."))
    again = await documents.fail(second.id, Failure("damaged", "It cannot be read."))

    after = await documents.get(document.id)
    assert after.newest.failure == Failure("encrypted", "The file has a password.")
    assert after.newest.status is Status.FAILED
    assert (failed, again) == (after.newest, None)
    assert after.active_version_id == first.id
    assert await documents.hidden_versions() == [second.id]


@pytest.mark.parametrize(
    ("sequencer", "taken"),
    [("0055", False), ("0054", False), ("00550", False), ("005501", True), ("0056", True)],
)
async def test_only_a_later_upload_restarts_a_failed_version(
    documents: Documents, document: Document, sequencer: str, taken: bool
) -> None:
    version = await added(documents, document)
    await documents.begin_processing(version.id, "0055")
    await documents.fail(version.id, Failure("damaged", "It cannot be read."))

    claimed = await documents.begin_processing(version.id, sequencer)

    assert (claimed is not None) is taken


async def test_a_claim_left_unfinished_is_taken_again_but_not_by_an_older_event(
    documents: Documents, document: Document
) -> None:
    version = await added(documents, document)
    await documents.begin_processing(version.id, "02")

    assert await documents.begin_processing(version.id, "01") is None
    assert await documents.begin_processing(version.id, "02") is not None


async def test_a_ready_version_is_never_processed_again(documents: Documents, document: Document) -> None:
    version = await added(documents, document)
    await ready(documents, version)

    assert await documents.begin_processing(version.id, "01") is None
    assert await documents.begin_processing(version.id, "99") is None
    await documents.fail(version.id, Failure("damaged", "late"))
    assert (await documents.get(document.id)).newest.status is Status.READY


async def test_an_unknown_version_cannot_be_processed(documents: Documents) -> None:
    assert await documents.begin_processing(VersionId(new_id()), "01") is None
    assert await documents.activate(VersionId(new_id())) is False


async def test_an_older_version_never_takes_over_from_a_newer_one(documents: Documents, document: Document) -> None:
    first, second = await added(documents, document), a_version(document.tenant_id, document.id, 2)
    await documents.add_version(second)
    for version in (first, second):
        await documents.begin_processing(version.id, "01")

    assert await documents.activate(second.id)
    assert await documents.activate(first.id) is False
    assert (await documents.get(document.id)).active_version_id == second.id


async def test_of_versions_finished_at_once_the_newest_answers(documents: Documents, document: Document) -> None:
    versions = [await added(documents, document)]
    versions += [a_version(document.tenant_id, document.id, number) for number in range(2, 6)]
    for version in versions[1:]:
        await documents.add_version(version)

    await asyncio.gather(*(documents.activate(version.id) for version in versions))

    assert (await documents.get(document.id)).active_version_id == versions[-1].id


async def test_replaced_versions_are_named_until_they_are_purged(documents: Documents, document: Document) -> None:
    first, second = await added(documents, document), a_version(document.tenant_id, document.id, 2)
    third = a_version(document.tenant_id, document.id, 3)
    await ready(documents, first)
    await documents.add_version(second)
    await documents.add_version(third)
    await ready(documents, second)

    assert [v.id for v in await documents.replaced_versions(document.id)] == [first.id]
    assert [v.id for v in await documents.abandoned_versions()] == [first.id]
    assert set(await documents.hidden_versions()) == {first.id, third.id}

    await documents.purged(first.id)
    assert await documents.replaced_versions(document.id) == []
    assert await documents.abandoned_versions() == []
    assert await documents.hidden_versions() == [third.id]


async def test_a_deleted_document_is_gone_at_once(documents: Documents, document: Document) -> None:
    first, second = await added(documents, document), a_version(document.tenant_id, document.id, 2)
    await ready(documents, first)
    await documents.add_version(second)
    await documents.begin_processing(second.id, "02")

    versions = await documents.delete_all([document.id])

    assert [version.id for version in versions] == [first.id, second.id]
    with pytest.raises(NotFound):
        await documents.get(document.id)
    with pytest.raises(NotFound):
        await documents.add_version(a_version(document.tenant_id, document.id, 3))
    assert await documents.delete_all([document.id]) == []
    assert await documents.activate(second.id) is False
    assert await documents.active_among([first.id, second.id]) == frozenset()
    assert {version.id for version in await documents.abandoned_versions()} == {first.id, second.id}


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


async def test_a_claim_taken_again_keeps_its_progress_and_a_later_upload_begins_anew(
    documents: Documents, document: Document
) -> None:
    version = await added(documents, document)
    await documents.begin_processing(version.id, "01")
    await documents.set_progress(version.id, Progress(3, 10))

    again = await documents.begin_processing(version.id, "01")
    later = await documents.begin_processing(version.id, "02")

    assert again is not None
    assert later is not None
    assert (again.progress, later.progress) == (Progress(3, 10), Progress())


async def test_a_version_that_was_given_up_may_be_tried_again_with_the_same_upload(
    documents: Documents, document: Document
) -> None:
    version = await added(documents, document)
    await documents.begin_processing(version.id, "02")
    await documents.fail(version.id, Failure(GIVEN_UP, "In vain."))

    older = await documents.begin_processing(version.id, "01")
    same = await documents.begin_processing(version.id, "02")

    assert older is None
    assert same is not None
    assert (same.status, same.failure) == (Status.PROCESSING, None)


async def test_stored_chunks_are_known_by_their_place_and_text(documents: Documents, document: Document) -> None:
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


async def test_all_versions_are_told_newest_first_the_purged_ones_too(documents: Documents, document: Document) -> None:
    first, second = await added(documents, document), a_version(document.tenant_id, document.id, 2)
    await documents.add_version(second)
    await ready(documents, second)
    await documents.purged(first.id)

    assert [version.id for version in await documents.versions(document.id)] == [second.id, first.id]

    await documents.delete_all([document.id])
    with pytest.raises(NotFound):
        await documents.versions(document.id)


async def test_versions_that_wait_or_are_processed_for_long_are_stuck(documents: Documents, document: Document) -> None:
    waiting, ahead = await added(documents, document), datetime.now(UTC) + timedelta(hours=1)

    assert await documents.stuck_versions(waiting.created_at) == []
    assert [version.id for version in await documents.stuck_versions(ahead)] == [waiting.id]

    await documents.begin_processing(waiting.id, "01")
    assert await documents.stuck_versions(ahead - timedelta(hours=2)) == []
    assert [version.id for version in await documents.stuck_versions(ahead)] == [waiting.id]

    await documents.activate(waiting.id)
    assert await documents.stuck_versions(ahead) == []


async def test_what_there_is_of_every_version_is_told_until_it_is_purged(
    documents: Documents, document: Document
) -> None:
    first, second = await added(documents, document), a_version(document.tenant_id, document.id, 2)
    await documents.save_chunks(first.id, [a_chunk(first, position) for position in range(3)])
    await ready(documents, first)
    await documents.add_version(second)

    told = {holding.version.id: (holding.chunks, holding.answers) for holding in await documents.holdings()}
    texts = await documents.chunks_of_version(first.id, after=0, limit=1)

    assert told == {first.id: (3, True), second.id: (0, False)}
    assert texts == [a_chunk(first, 1)]
    await documents.delete_all([document.id])
    await documents.purged(first.id)
    assert [holding.version.id for holding in await documents.holdings()] == [second.id]


@pytest.mark.parametrize(
    ("sequencer", "etag", "is_another"),
    [("03", "new", True), ("03", "old", False), ("02", "new", False), ("01", "new", False)],
)
async def test_a_later_upload_of_another_file_is_told_and_never_taken_for_the_version(
    documents: Documents, document: Document, sequencer: str, etag: str, is_another: bool
) -> None:
    version = await added(documents, document)
    await documents.begin_processing(version.id, "02", "old")
    await documents.activate(version.id)

    later = await documents.later_upload(version.id, sequencer, etag)
    claimed = await documents.begin_processing(version.id, sequencer, etag)

    assert (later and later.id) == (version.id if is_another else None)
    assert claimed is None


async def test_an_unfinished_version_is_not_taken_over_by_another_file(
    documents: Documents, document: Document
) -> None:
    version = await added(documents, document)
    await documents.begin_processing(version.id, "01", "old")

    assert await documents.begin_processing(version.id, "02", "new") is None
    assert await documents.begin_processing(version.id, "02", "old") is not None


async def test_what_will_never_answer_has_no_later_upload(documents: Documents, document: Document) -> None:
    first, second = await added(documents, document), a_version(document.tenant_id, document.id, 2)
    await documents.begin_processing(first.id, "01", "old")
    await documents.add_version(second)
    await ready(documents, second)

    assert await documents.later_upload(first.id, "02", "new") is None
    assert await documents.later_upload(VersionId(new_id()), "02", "new") is None


async def test_a_version_is_given_up_unless_it_is_done_or_a_later_upload_was_taken(
    documents: Documents, document: Document
) -> None:
    failure, version = Failure(GIVEN_UP, "In vain."), await added(documents, document)
    await documents.begin_processing(version.id, "02")

    early = await documents.give_up(version.id, "01", failure)
    given_up = await documents.give_up(version.id, "02", failure)
    again = await documents.give_up(version.id, "02", failure)

    assert (early, again) == (None, None)
    assert given_up is not None
    assert (given_up.status, given_up.failure) == (Status.FAILED, failure)
    assert await documents.activate(version.id)  # whoever still worked on it came to its end
    assert await documents.give_up(version.id, "02", failure) is None


async def test_a_rejected_version_does_not_become_active(documents: Documents, document: Document) -> None:
    version = await added(documents, document)
    await documents.begin_processing(version.id, "01")
    await documents.fail(version.id, Failure("damaged", "It cannot be read."))

    assert await documents.activate(version.id) is False
    assert (await documents.get(document.id)).newest.status is Status.FAILED


async def test_a_purged_version_takes_no_more_chunks(documents: Documents, document: Document) -> None:
    version = await added(documents, document)
    await documents.save_chunks(version.id, [a_chunk(version)])
    await documents.purged(version.id)

    with pytest.raises(NotFound):
        await documents.save_chunks(version.id, [a_chunk(version)])
    assert await documents.chunks_of_version(version.id) == []


async def test_progress_says_what_it_counts(documents: Documents, document: Document) -> None:
    version = await added(documents, document)
    await documents.begin_processing(version.id, "01")

    await documents.set_progress(version.id, Progress(3, 10, "pages"))

    assert (await documents.get(document.id)).newest.progress == Progress(3, 10, "pages")
