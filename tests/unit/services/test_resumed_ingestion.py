"""A document that is read in several calls: when time runs out, when a process is killed, when it was given up."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatconnect.domain.errors import Unavailable
from chatconnect.domain.knowledge import Document, Embedded, Progress, Status
from chatconnect.services.ingestion import MARGIN_SECONDS, Ingested, Upload
from chatconnect.services.pace import FIRST_BATCH
from tests.fakes.indexes import LETTERS
from tests.fakes.models import CountingEmbedder, LetterEmbedder
from tests.unit.services.knowing import ACME, Knowledge

# A page of 300 words is a chunk: two do not fit into one.
PAGES = 3 * FIRST_BATCH + 5
LONG = "\n\n".join("word " * 300 + str(number) for number in range(PAGES))
_MOST_CALLS = 20


def counting() -> tuple[Knowledge, CountingEmbedder]:
    embedder = CountingEmbedder()
    return Knowledge(embedder=embedder), embedder


async def ingested_in_calls(knowledge: Knowledge, document: Document) -> list[Ingested]:
    """Read the upload in calls that have time for one batch each, until none is left to be made."""
    knowledge.continuations.waiting.append((document.newest.object_key, "01"))
    calls = []
    while knowledge.continuations.waiting:
        upload = Upload(*knowledge.continuations.waiting.pop())
        calls.append(await knowledge.ingestion.ingest(upload, lambda: MARGIN_SECONDS - 1))
        assert len(calls) < _MOST_CALLS
    return calls


async def test_a_document_too_long_for_one_call_is_finished_in_several_and_nothing_is_embedded_twice() -> None:
    knowledge, embedder = counting()
    document = await knowledge.uploaded(LONG)

    calls = await ingested_in_calls(knowledge, document)

    assert [(call.outcome, call.chunks) for call in calls] == [("continued", FIRST_BATCH)] * 3 + [("ready", 5)]
    assert len(embedder.texts) == len(set(embedder.texts)) == PAGES
    assert len(knowledge.points.of(document.newest.id)) == PAGES
    ready = await knowledge.documents.get(ACME, document.id)
    assert (ready.newest.status, ready.newest.progress) == (Status.READY, Progress(PAGES, PAGES))


async def test_a_call_goes_on_for_as_long_as_there_is_time() -> None:
    knowledge, _ = counting()
    document = await knowledge.uploaded(LONG)
    left: Iterator[float] = chain([MARGIN_SECONDS + 1], repeat(MARGIN_SECONDS - 1))

    first = await knowledge.ingestion.ingest(Upload(document.newest.object_key, "01"), lambda: next(left))

    assert (first.outcome, first.chunks) == ("continued", 3 * FIRST_BATCH)
    assert knowledge.continuations.waiting == [(document.newest.object_key, "01")]
    assert (await knowledge.documents.get(ACME, document.id)).newest.progress == Progress(3 * FIRST_BATCH, PAGES)


async def test_what_was_stored_before_a_kill_is_not_embedded_again() -> None:
    knowledge, embedder = counting()
    document = await knowledge.uploaded(LONG)
    await knowledge.ingestion.ingest(Upload(document.newest.object_key, "01"), lambda: 0)
    knowledge.document_faults["save_chunks"] = Unavailable("the database")
    with pytest.raises(Unavailable):
        await knowledge.ingested(document)
    knowledge.document_faults.clear()
    before = list(embedder.texts)

    ingested = await knowledge.ingested(document)

    # The batch in which it was killed has to be embedded again, no other.
    assert ingested.outcome == "ready"
    assert len(before) == 2 * FIRST_BATCH
    assert set(embedder.texts[len(before) :]) & set(before[:FIRST_BATCH]) == set()
    assert ingested.chunks == PAGES - FIRST_BATCH


async def test_a_document_deleted_between_two_calls_leaves_nothing_behind() -> None:
    knowledge, _ = counting()
    document = await knowledge.uploaded(LONG)
    await knowledge.ingestion.ingest(Upload(document.newest.object_key, "01"), lambda: 0)

    await knowledge.documents.delete(ACME, document.id)
    again = await knowledge.ingested(document)

    assert again.outcome == "ignored"
    assert not knowledge.points.points


async def test_a_document_deleted_during_the_last_batch_of_a_call_is_not_continued() -> None:
    knowledge, _ = counting()
    document = await knowledge.uploaded(LONG)

    class Deleting(LetterEmbedder):
        async def embed(self, texts: Sequence[str]) -> list[list[float]]:
            await knowledge.documents.delete(ACME, document.id)
            return await super().embed(texts)

    knowledge.embedder = Deleting()
    ingested = await knowledge.ingestion.ingest(Upload(document.newest.object_key, "01"), lambda: 0)

    assert ingested.outcome == "ignored"
    assert not knowledge.continuations.waiting
    assert not knowledge.points.points


async def test_a_shorter_file_under_the_same_key_leaves_no_chunk_of_the_longer_one() -> None:
    knowledge, _ = counting()
    document = await knowledge.uploaded(LONG)
    await knowledge.ingestion.ingest(Upload(document.newest.object_key, "01"), lambda: 0)
    knowledge.uploads.objects[document.newest.object_key] = b"A short text."

    await knowledge.ingested(document, "02")

    assert [chunk.text for chunk in await knowledge.documents.chunks(ACME, document.id)] == ["A short text."]
    assert knowledge.texts(document) == ["A short text."]


async def test_another_file_sent_with_the_same_form_becomes_a_version_of_its_own() -> None:
    knowledge, _ = counting()
    document = await knowledge.uploaded(LONG)
    key = document.newest.object_key
    half = await knowledge.ingestion.ingest(Upload(key, "01", "long"), lambda: 0)
    knowledge.uploads.objects[key] = b"A short text."

    told = [await knowledge.ingestion.ingest(Upload(key, "02", "short")) for _ in range(2)]
    copied = await knowledge.documents.get(ACME, document.id)
    read = await knowledge.ingestion.ingest(Upload(copied.newest.object_key, "01", "short"))
    late = [await knowledge.ingestion.ingest(Upload(key, f"0{number}", "long")) for number in (1, 3)]

    assert [half.outcome, *(each.outcome for each in told), read.outcome] == ["continued", *["renewed"] * 2, "ready"]
    assert [each.outcome for each in late] == ["ignored"] * 2
    assert (copied.newest.number, copied.newest.status) == (2, Status.UPLOADED)
    assert [chunk.text for chunk in await knowledge.documents.chunks(ACME, document.id)] == ["A short text."]
    assert knowledge.points.of(document.newest.id) == []
    assert [version.number for version in await knowledge.documents.versions(ACME, document.id)] == [2, 1]


async def test_an_equal_file_sent_with_the_same_form_changes_nothing() -> None:
    knowledge, _ = counting()
    document = await knowledge.uploaded("A short text.")
    await knowledge.ingestion.ingest(Upload(document.newest.object_key, "01", "same"))

    again = await knowledge.ingestion.ingest(Upload(document.newest.object_key, "02", "same"))

    assert again.outcome == "ignored"
    assert (await knowledge.documents.get(ACME, document.id)).newest == (
        await knowledge.documents.versions(ACME, document.id)
    )[0]


async def test_chunks_with_another_models_vectors_are_embedded_again() -> None:
    knowledge, embedder = counting()
    document = await knowledge.uploaded(LONG)
    await knowledge.ingestion.ingest(Upload(document.newest.object_key, "01"), lambda: 0)
    knowledge.model = replace(LETTERS, name="others")
    before = len(embedder.texts)

    await knowledge.ingested(document)

    assert len(embedder.texts) - before == PAGES


async def test_a_document_that_was_given_up_is_ready_once_its_message_is_put_back() -> None:
    knowledge, embedder = counting()
    document = await knowledge.uploaded(LONG)
    await knowledge.ingestion.ingest(Upload(document.newest.object_key, "01"), lambda: 0)
    await knowledge.ingestion.give_up(Upload(document.newest.object_key, "01"))

    ingested = await knowledge.ingested(document)

    ready = await knowledge.documents.get(ACME, document.id)
    assert (ingested.outcome, ready.newest.status, ready.newest.failure) == ("ready", Status.READY, None)
    assert len(embedder.texts) == PAGES


async def test_what_is_embedded_is_added_up_for_the_document_and_the_day() -> None:
    knowledge, _ = counting()
    document = await knowledge.uploaded(LONG)

    await ingested_in_calls(knowledge, document)

    # 301 words a page at two cents a million, rounded up for each batch.
    spent = (await knowledge.documents.get(ACME, document.id)).newest.embedded
    assert spent.tokens == PAGES * 301
    assert PAGES * 301 * 0.02 <= spent.cost_microusd <= PAGES * 301 * 0.02 + 4
    assert knowledge.stored[ACME].embedded == {knowledge.clock().date(): spent}
    await knowledge.ingested(document)
    assert knowledge.stored[ACME].embedded == {knowledge.clock().date(): spent}


async def test_a_version_that_is_read_again_has_taken_nothing_yet() -> None:
    knowledge, _ = counting()
    document = await knowledge.known()

    again = await knowledge.documents.reprocess(ACME, document.id)

    assert document.newest.embedded.tokens > 0
    assert again.newest.embedded == Embedded()


EVENTS = st.lists(st.tuples(st.sampled_from(["old", "new", "kill", "pause"]), st.integers(1, 3)), max_size=12)


@settings(max_examples=60)
@given(EVENTS)
async def test_whatever_comes_how_often_and_in_which_order_each_version_has_one_effect(
    events: list[tuple[str, int]],
) -> None:
    knowledge = Knowledge()
    old = await knowledge.uploaded(LONG)
    new = await knowledge.uploaded(LONG.replace("word", "term"), renews=old.id)

    for kind, number in events:
        upload = Upload((old if kind == "old" else new).newest.object_key, f"0{number}")
        if kind == "kill":
            knowledge.document_faults["save_chunks"] = Unavailable("the database")
        with suppress(Unavailable):
            await knowledge.ingestion.ingest(upload, partial(float, 0 if kind == "pause" else 1_000))
        knowledge.document_faults.clear()
    await knowledge.ingested(new, "04")

    # The newest version answers, with each chunk once, and of the old one nothing is left.
    now = await knowledge.documents.get(ACME, old.id)
    assert (now.newest.status, now.active_version_id) == (Status.READY, new.newest.id)
    assert len(knowledge.points.of(new.newest.id)) == PAGES
    assert len(await knowledge.documents.chunks(ACME, old.id, limit=1_000)) == PAGES
    assert knowledge.points.of(old.newest.id) == []
