"""From an upload to knowledge, whatever comes twice, late, broken or in between."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from chatconnect.domain.chunking import ChunkSettings, ChunkText, split
from chatconnect.domain.errors import DocumentRejected, Invalid, NotFound, ProviderFailed, Unavailable
from chatconnect.domain.identifiers import VersionId, new_id
from chatconnect.domain.knowledge import Document, Failure, Progress, Status
from chatconnect.services.ingestion import Upload
from chatconnect.services.pace import FIRST_BATCH, LARGEST_BATCH
from tests.fakes.documents import MemoryDocuments
from tests.fakes.models import LetterEmbedder
from tests.unit.services.knowing import ACME, PRICES, Knowledge

# A page of 300 words is a chunk: two do not fit into one.
LONGEST_WAIT = 20.0
LONG = "\n\n".join("word " * 300 + str(number) for number in range(LARGEST_BATCH + 10))


async def status_of(knowledge: Knowledge, document: Document) -> Status:
    return (await knowledge.documents.get(ACME, document.id)).newest.status


async def test_an_upload_becomes_knowledge() -> None:
    knowledge = Knowledge()
    document = await knowledge.uploaded()

    ingested = await knowledge.ingested(document)

    ready = await knowledge.documents.get(ACME, document.id)
    assert ingested.outcome == "ready"
    assert (ready.newest.status, ready.active_version_id) == (Status.READY, document.newest.id)
    assert ready.newest.progress == Progress(ingested.chunks, ingested.chunks)
    assert set(ingested.seconds) == {"fetch", "parse", "chunk", "embed", "store", "publish"}
    chunks = await knowledge.documents.chunks(ACME, document.id)
    assert chunks == knowledge.points.of(document.newest.id)
    for chunk in chunks:
        assert chunk.text == PRICES[chunk.start : chunk.end]
        assert chunk.title == "prices.txt"


async def test_chunks_are_as_long_as_the_settings_say() -> None:
    knowledge = Knowledge()
    await knowledge.documents.set_chunk_settings(ACME, ChunkSettings(size=100, overlap=10))
    document = await knowledge.uploaded("One short sentence here. " * 100)

    await knowledge.ingested(document)

    chunks = await knowledge.documents.chunks(ACME, document.id)
    assert len(chunks) == 5
    assert all(88 <= len(chunk.text.split()) <= 100 for chunk in chunks[:-1])


async def test_progress_counts_the_chunks_as_they_are_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Progress] = []
    set_progress = MemoryDocuments.set_progress

    async def watched(self: MemoryDocuments, version_id: VersionId, progress: Progress) -> None:
        seen.append(progress)
        await set_progress(self, version_id, progress)

    monkeypatch.setattr(MemoryDocuments, "set_progress", watched)
    knowledge = Knowledge()

    ingested = await knowledge.ingested(await knowledge.uploaded(LONG))

    total = ingested.chunks
    assert total > 3 * FIRST_BATCH
    assert seen == [Progress(done, total) for done in (0, FIRST_BATCH, 3 * FIRST_BATCH, 7 * FIRST_BATCH, total)]


async def test_while_a_text_is_cut_it_is_told_how_many_chunks_there_are_so_far(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chatconnect.services.document_feed._LATEST_SECONDS", 0.05)
    told, heard = list[Progress](), threading.Event()
    set_progress = MemoryDocuments.set_progress

    async def watched(self: MemoryDocuments, version_id: VersionId, progress: Progress) -> None:
        told.append(progress)
        if progress.total and progress.unit == "chunks":
            heard.set()
        await set_progress(self, version_id, progress)

    def slow(*arguments: Any, **settings: Any) -> Iterator[ChunkText]:
        chunks = split(*arguments, **settings)
        yield next(chunks)
        heard.wait(LONGEST_WAIT)
        yield from chunks

    monkeypatch.setattr(MemoryDocuments, "set_progress", watched)
    monkeypatch.setattr("chatconnect.services.ingestion.split", slow)
    knowledge = Knowledge()

    ingested = await knowledge.ingested(await knowledge.uploaded(LONG))

    assert Progress(0, 1) in told
    assert told[-1] == Progress(ingested.chunks, ingested.chunks)


@pytest.mark.parametrize(
    ("at_once", "each", "sizes"),
    [
        (0.0, 0.45, [FIRST_BATCH, FIRST_BATCH // 2, 2, 2]),
        (0.2, 0.1, [FIRST_BATCH, FIRST_BATCH, FIRST_BATCH]),
        (0.6, 0.001, [FIRST_BATCH, 13, 26]),
        (2.5, 0.0, [FIRST_BATCH, FIRST_BATCH // 2, FIRST_BATCH, 2 * FIRST_BATCH, 4 * FIRST_BATCH]),
    ],
)
async def test_batches_are_as_large_as_progress_can_be_told_often(
    monkeypatch: pytest.MonkeyPatch, at_once: float, each: float, sizes: list[int]
) -> None:
    seen: list[int] = []
    embed, seconds = LetterEmbedder.embed, 0.0

    async def slow(self: LetterEmbedder, texts: Sequence[str]) -> list[list[float]]:
        nonlocal seconds
        seen.append(len(texts))
        seconds += at_once + len(texts) * each
        return await embed(self, texts)

    monkeypatch.setattr(LetterEmbedder, "embed", slow)
    monkeypatch.setattr("chatconnect.services.ingestion.time.perf_counter", lambda: seconds)
    knowledge = Knowledge()

    await knowledge.ingested(await knowledge.uploaded(LONG))

    assert seen[: len(sizes)] == sizes


async def test_the_same_event_again_changes_nothing() -> None:
    knowledge = Knowledge()
    document = await knowledge.uploaded()
    await knowledge.ingested(document)
    before = dict(knowledge.points.points)

    again = [await knowledge.ingested(document), await knowledge.ingested(document, "00")]

    assert [ingested.outcome for ingested in again] == ["ignored", "ignored"]
    assert knowledge.points.points == before
    assert await status_of(knowledge, document) is Status.READY


@pytest.mark.parametrize("text", ["!not a document", "", "   \n\n  "])
async def test_a_rejected_document_says_why_and_leaves_no_points(text: str) -> None:
    knowledge = Knowledge()
    document = await knowledge.uploaded(text or " ")
    knowledge.uploads.objects[document.newest.object_key] = text.encode()

    ingested = await knowledge.ingested(document)

    failed = (await knowledge.documents.get(ACME, document.id)).newest
    assert ingested.outcome == "failed"
    assert failed.status is Status.FAILED
    assert failed.failure
    assert failed.failure.code == ("damaged" if text.startswith("!") else "empty")
    assert knowledge.points.points == {}


async def test_a_document_rejected_half_way_leaves_no_points() -> None:
    knowledge = Knowledge()
    document = await knowledge.uploaded(LONG)
    knowledge.document_faults["save_chunks"] = DocumentRejected("too_complex", "It is too complex.")

    await knowledge.ingested(document)

    assert knowledge.points.points == {}
    assert await status_of(knowledge, document) is Status.FAILED


async def test_a_file_larger_than_was_promised_is_rejected_unread() -> None:
    knowledge = Knowledge()
    document = await knowledge.uploaded()
    knowledge.uploads.sizes[document.newest.object_key] = 10 * 1024 * 1024 + 1

    await knowledge.ingested(document)

    assert (await knowledge.documents.get(ACME, document.id)).newest.failure == Failure(
        "too_large", "The file is larger than 10 MB."
    )


async def test_a_file_that_is_gone_is_told_so() -> None:
    knowledge = Knowledge()
    document = await knowledge.uploaded()
    knowledge.uploads.objects.clear()

    await knowledge.ingested(document)

    failure = (await knowledge.documents.get(ACME, document.id)).newest.failure
    assert failure
    assert failure.code == "missing"


async def test_a_failed_new_version_leaves_the_old_one_answering() -> None:
    knowledge = Knowledge()
    document = await knowledge.known()

    renewed = await knowledge.uploaded("!damaged", renews=document.id)
    await knowledge.ingested(renewed)

    now = await knowledge.documents.get(ACME, document.id)
    assert (now.newest.status, now.active_version_id) == (Status.FAILED, document.newest.id)
    assert knowledge.texts(document)


@pytest.mark.parametrize(
    ("faults", "call", "fault"),
    [
        ("upload_faults", "size_of", Unavailable("the bucket")),
        ("upload_faults", "fetch", Unavailable("the bucket")),
        ("embedder_faults", "embed", ProviderFailed()),
        ("point_faults", "save", Unavailable("the search")),
        ("document_faults", "save_chunks", Unavailable("the database")),
        ("document_faults", "activate", Unavailable("the database")),
        ("embedder_faults", "embed", RuntimeError("a bug")),
    ],
)
async def test_when_something_is_away_the_event_can_come_again_and_then_succeeds(
    faults: str, call: str, fault: Exception
) -> None:
    knowledge = Knowledge()
    document = await knowledge.uploaded()
    getattr(knowledge, faults)[call] = fault

    with pytest.raises(type(fault)):
        await knowledge.ingested(document)

    assert await status_of(knowledge, document) is Status.PROCESSING
    getattr(knowledge, faults).clear()
    assert (await knowledge.ingested(document)).outcome == "ready"
    assert len(knowledge.points.points) == len(await knowledge.documents.chunks(ACME, document.id))


async def test_a_document_deleted_while_it_was_read_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    knowledge = Knowledge()
    document = await knowledge.uploaded()
    set_progress = MemoryDocuments.set_progress

    async def delete_at_the_end(self: MemoryDocuments, version_id: VersionId, progress: Progress) -> None:
        await set_progress(self, version_id, progress)
        if progress.done == progress.total:
            await knowledge.documents.delete(ACME, document.id)
            knowledge.uploads.objects[document.newest.object_key] = b"a late copy"

    monkeypatch.setattr(MemoryDocuments, "set_progress", delete_at_the_end)

    ingested = await knowledge.ingested(document)

    assert ingested.outcome == "ignored"
    assert not knowledge.points.points
    assert not knowledge.uploads.objects
    assert not knowledge.stored[ACME].chunks


async def test_a_document_deleted_before_its_title_was_read_leaves_nothing_behind() -> None:
    knowledge = Knowledge()
    document = await knowledge.uploaded()
    knowledge.document_faults["get"] = NotFound("document", document.id)

    ingested = await knowledge.ingested(document)

    assert ingested.outcome == "ignored"
    assert not knowledge.points.points
    assert not knowledge.uploads.objects


async def test_an_event_for_a_deleted_document_is_ignored() -> None:
    knowledge = Knowledge()
    document = await knowledge.uploaded()
    await knowledge.documents.delete(ACME, document.id)

    assert (await knowledge.ingested(document)).outcome == "ignored"
    assert knowledge.points.points == {}


async def test_of_two_versions_the_newer_one_wins_in_whichever_order_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    knowledge = Knowledge()
    old = await knowledge.uploaded("The pro plan costs 49 euros.")
    new = await knowledge.uploaded("The pro plan costs 59 euros.", renews=old.id)
    activate = MemoryDocuments.activate

    async def overtaken(self: MemoryDocuments, version_id: VersionId) -> bool:
        if version_id == old.newest.id:
            await knowledge.ingested(new)
        return await activate(self, version_id)

    monkeypatch.setattr(MemoryDocuments, "activate", overtaken)

    ingested = await knowledge.ingested(old)

    now = await knowledge.documents.get(ACME, old.id)
    assert ingested.outcome == "ignored"
    assert now.active_version_id == new.newest.id
    assert [chunk.version_id for chunk, _ in knowledge.points.points.values()] == [new.newest.id]
    assert list(knowledge.uploads.objects) == [new.newest.object_key]


async def test_chunks_carry_the_documents_title() -> None:
    knowledge = Knowledge()
    document = await knowledge.uploaded()
    stored = knowledge.stored[ACME]
    stored.documents[document.id] = replace(document, title="Our prices")

    await knowledge.ingested(document)

    assert {chunk.title for chunk in knowledge.points.of(document.newest.id)} == {"Our prices"}


@pytest.mark.parametrize(
    "key",
    ["backup/a.txt", f"{ACME}/x/y/z", f"{ACME}/{new_id()}/{new_id()}/a/b"],
    ids=["a foreign one", "ids that are none", "one part too many"],
)
async def test_an_object_that_is_no_upload_is_refused(key: str) -> None:
    with pytest.raises(Invalid):
        await Knowledge().ingestion.ingest(Upload(key, "01"))


async def test_an_upload_that_nobody_promised_is_ignored() -> None:
    knowledge = Knowledge()

    ingested = await knowledge.ingestion.ingest(Upload(f"{ACME}/{new_id()}/{new_id()}/a.txt", "01"))

    assert ingested.outcome == "ignored"


async def test_an_upload_that_failed_too_often_is_marked_so_but_never_one_that_is_ready() -> None:
    knowledge = Knowledge()
    hopeless, ready = await knowledge.uploaded(), await knowledge.known()

    for document in (hopeless, ready):
        await knowledge.ingestion.give_up(Upload(document.newest.object_key, "01"))

    assert await status_of(knowledge, hopeless) is Status.FAILED
    assert await status_of(knowledge, ready) is Status.READY
