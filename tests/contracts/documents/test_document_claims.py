"""How every store of documents gives versions to whoever reads them, and takes them back."""

from datetime import UTC, datetime, timedelta

import pytest

from chatconnect.domain.identifiers import VersionId, new_id
from chatconnect.domain.knowledge import GIVEN_UP, Document, Failure, Progress, Status
from chatconnect.ports.knowledge import Documents
from tests.contracts.documents.steps import added, ready
from tests.factories import a_version


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


async def test_versions_that_wait_or_are_processed_for_long_are_stuck(documents: Documents, document: Document) -> None:
    waiting, ahead = await added(documents, document), datetime.now(UTC) + timedelta(hours=1)

    assert await documents.stuck_versions(waiting.created_at) == []
    assert [version.id for version in await documents.stuck_versions(ahead)] == [waiting.id]

    await documents.begin_processing(waiting.id, "01")
    assert await documents.stuck_versions(ahead - timedelta(hours=2)) == []
    assert [version.id for version in await documents.stuck_versions(ahead)] == [waiting.id]

    await documents.activate(waiting.id)
    assert await documents.stuck_versions(ahead) == []


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


async def test_progress_says_what_it_counts(documents: Documents, document: Document) -> None:
    version = await added(documents, document)
    await documents.begin_processing(version.id, "01")

    await documents.set_progress(version.id, Progress(3, 10, "pages"))

    assert (await documents.get(document.id)).newest.progress == Progress(3, 10, "pages")
