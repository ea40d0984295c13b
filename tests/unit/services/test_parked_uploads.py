"""Documents whose messages failed too often say so."""

from collections.abc import Sequence

from chatconnect.domain.knowledge import Status
from chatconnect.services.document_feed import DocumentFeed
from chatconnect.services.parked_uploads import FAILED_TOO_OFTEN, ParkedUploadService
from tests.unit.services.knowing import ACME, Knowledge


class Parked:
    """Messages that stay."""

    def __init__(self, *uploads: tuple[str, str]) -> None:
        self.uploads = uploads

    async def look(self, *, most: int) -> Sequence[tuple[str, str]]:
        return self.uploads[:most]


def service(knowledge: Knowledge, *uploads: tuple[str, str]) -> ParkedUploadService:
    return ParkedUploadService(
        parked=Parked(*uploads), documents_of=knowledge.documents_of, feed=DocumentFeed(knowledge.publisher)
    )


async def test_a_version_whose_process_was_killed_at_its_last_try_is_failed_and_that_is_told_once() -> None:
    knowledge = Knowledge()
    document, done = await knowledge.uploaded(), await knowledge.known()
    parked = service(
        knowledge, (document.newest.object_key, "01"), (done.newest.object_key, "01"), ("backup/not-ours.txt", "01")
    )
    knowledge.publisher.published.clear()

    counts = [await parked.give_up() for _ in range(2)]

    failed = (await knowledge.documents.get(ACME, document.id)).newest
    assert counts == [1, 0]
    assert (failed.status, failed.failure) == (Status.FAILED, FAILED_TOO_OFTEN)
    assert [(told["id"], told["status"]) for told in knowledge.publisher.documents] == [(str(document.id), "failed")]
    assert (await knowledge.documents.get(ACME, done.id)).newest.status is Status.READY


async def test_once_its_message_is_put_back_the_document_becomes_ready() -> None:
    knowledge = Knowledge()
    document = await knowledge.uploaded()
    await service(knowledge, (document.newest.object_key, "01")).give_up()

    ingested = await knowledge.ingested(document)

    assert ingested.outcome == "ready"
