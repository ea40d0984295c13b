"""A title that a document gets while it is read is what it is found by."""

from collections.abc import Sequence

import pytest

from chatconnect.domain.errors import Unavailable
from chatconnect.domain.identifiers import VersionId
from chatconnect.domain.knowledge import Document
from chatconnect.services.ingestion import MARGIN_SECONDS, Upload
from chatconnect.services.pace import FIRST_BATCH
from tests.fakes.documents import MemoryDocuments
from tests.fakes.models import LetterEmbedder
from tests.unit.services.knowing import ACME, Knowledge

# A page of 300 words is a chunk: two do not fit into one.
LONG = "\n\n".join("word " * 300 + str(number) for number in range(4 * FIRST_BATCH))


class RenamingEmbedder(LetterEmbedder):
    """Gives the document another title while the batch of that number is embedded."""

    def __init__(self, batch: int) -> None:
        self.batches_left = batch
        self.knowledge: Knowledge
        self.document: Document

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.batches_left -= 1
        if self.batches_left == 0:
            await self.knowledge.documents.change(ACME, self.document.id, title="Tariffs")
        return await super().embed(texts)


async def renamed_in(batch: int) -> tuple[Knowledge, Document]:
    """Return an upload that gets its title while that batch of its chunks is embedded."""
    embedder = RenamingEmbedder(batch)
    embedder.knowledge = knowledge = Knowledge(embedder=embedder)
    embedder.document = document = await knowledge.uploaded(LONG)
    return knowledge, document


def titles(knowledge: Knowledge, document: Document) -> set[str]:
    return {chunk.title for chunk in knowledge.points.of(document.newest.id)}


@pytest.mark.parametrize("batch", [1, 2])
async def test_a_title_given_while_chunks_are_embedded_is_that_of_all_of_them(batch: int) -> None:
    knowledge, document = await renamed_in(batch)

    ingested = await knowledge.ingested(document)

    assert ingested.outcome == "ready"
    assert titles(knowledge, document) == {"Tariffs"}


async def test_a_title_given_in_a_call_whose_time_ran_out_is_that_of_its_chunks_too() -> None:
    knowledge, document = await renamed_in(1)
    upload = Upload(document.newest.object_key, "01")

    first = await knowledge.ingestion.ingest(upload, lambda: MARGIN_SECONDS - 1)
    second = await knowledge.ingestion.ingest(upload)

    assert (first.outcome, second.outcome) == ("continued", "ready")
    assert titles(knowledge, document) == {"Tariffs"}


async def test_a_title_given_once_all_is_read_and_before_it_answers_is_that_of_the_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    knowledge = Knowledge()
    document = await knowledge.uploaded()
    activate = MemoryDocuments.activate

    async def renamed_before(self: MemoryDocuments, version_id: VersionId) -> bool:
        await knowledge.documents.change(ACME, document.id, title="Tariffs")
        return await activate(self, version_id)

    monkeypatch.setattr(MemoryDocuments, "activate", renamed_before)

    await knowledge.ingested(document)

    assert titles(knowledge, document) == {"Tariffs"}


async def test_when_the_points_are_away_the_title_is_theirs_once_the_event_comes_again() -> None:
    knowledge, document = await renamed_in(1)
    knowledge.point_faults["retitle_version"] = Unavailable("the knowledge store")
    with pytest.raises(Unavailable):
        await knowledge.ingested(document)
    knowledge.point_faults.clear()

    assert (await knowledge.ingested(document)).outcome == "ready"
    assert titles(knowledge, document) == {"Tariffs"}
