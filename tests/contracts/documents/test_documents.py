"""What every store of documents does."""

import asyncio

import pytest

from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import VersionId, new_id
from chatconnect.domain.knowledge import Document, Failure, Progress, Status
from chatconnect.ports.document_lists import Listing
from chatconnect.ports.knowledge import Documents
from tests.contracts.documents.steps import MODEL, OpenTenant, added, ready
from tests.factories import a_chunk, a_document, a_version


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

    await documents.stored_chunks(version.id, MODEL)
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
    await documents.stored_chunks(second.id, MODEL)

    failed = await documents.fail(second.id, Failure("encrypted", "The file has a password."))
    again = await documents.fail(second.id, Failure("damaged", "It cannot be read."))

    after = await documents.get(document.id)
    assert after.newest.failure == Failure("encrypted", "The file has a password.")
    assert after.newest.status is Status.FAILED
    assert (failed, again) == (after.newest, None)
    assert after.active_version_id == first.id
    assert await documents.hidden_versions() == [second.id]


async def test_what_is_rejected_before_it_has_a_chunk_makes_no_search_longer(
    documents: Documents, document: Document
) -> None:
    version = await added(documents, document)
    await documents.begin_processing(version.id, "01")

    await documents.fail(version.id, Failure("encrypted", "The file has a password."))

    assert await documents.hidden_versions() == []


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
    for version in (first, third):
        await documents.stored_chunks(version.id, MODEL)

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


async def test_all_versions_are_told_newest_first_the_purged_ones_too(documents: Documents, document: Document) -> None:
    first, second = await added(documents, document), a_version(document.tenant_id, document.id, 2)
    await documents.add_version(second)
    await ready(documents, second)
    await documents.purged(first.id)

    assert [version.id for version in await documents.versions(document.id)] == [second.id, first.id]

    await documents.delete_all([document.id])
    with pytest.raises(NotFound):
        await documents.versions(document.id)


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


async def test_a_rejected_version_does_not_become_active(documents: Documents, document: Document) -> None:
    version = await added(documents, document)
    await documents.begin_processing(version.id, "01")
    await documents.fail(version.id, Failure("damaged", "It cannot be read."))

    assert await documents.activate(version.id) is False
    assert (await documents.get(document.id)).newest.status is Status.FAILED


async def test_versions_that_are_added_at_once_get_a_number_each(documents: Documents, document: Document) -> None:
    await added(documents, document)
    versions = [a_version(document.tenant_id, document.id, 2) for _ in range(5)]

    stored = await asyncio.gather(*map(documents.add_version, versions))

    assert sorted(version.number for version in stored) == [2, 3, 4, 5, 6]
    assert await documents.versions(document.id) == [
        *sorted(stored, key=lambda version: version.number, reverse=True), document.newest
    ]  # fmt: skip
