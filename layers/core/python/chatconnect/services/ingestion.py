"""From an uploaded file to knowledge: verify, parse, chunk, embed, store, publish."""

import time
from asyncio import to_thread
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid5

from chatconnect.domain.chunking import ChunkText, CountTokens, split
from chatconnect.domain.errors import Conflict, DocumentRejected, NotFound
from chatconnect.domain.identifiers import VersionId
from chatconnect.domain.knowledge import (
    MAX_UPLOAD_BYTES,
    Chunk,
    Failure,
    ObjectKey,
    Progress,
    Status,
    Version,
)
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.indexes import Index
from chatconnect.ports.knowledge import Documents, DocumentsOf
from chatconnect.ports.parsing import DocumentParser, OnProgress
from chatconnect.ports.uploads import Continuations, Uploads
from chatconnect.services.changes import changing
from chatconnect.services.document_feed import DocumentFeed, Progressing
from chatconnect.services.embedding import EmbeddingService
from chatconnect.services.indexes import IndexService
from chatconnect.services.pace import Pace
from chatconnect.services.parked_uploads import give_up
from chatconnect.services.purging import purge

# With less time than this left no further batch is begun: embedding one and storing it takes seconds, retries included.
MARGIN_SECONDS = 45.0

RemainingSeconds = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Upload:
    """One object that arrived in the bucket. `sequencer` orders the events of one key; equal files have one `etag`."""

    key: str
    sequencer: str
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What came of an upload: its end, the chunks stored in this call, and the seconds each step took."""

    outcome: str
    chunks: int
    seconds: dict[str, float]


class _OutOfTime(Exception):
    """The rest is for another call. `chunks` were stored in this one."""

    def __init__(self, chunks: int) -> None:
        super().__init__()
        self.chunks = chunks


class IngestionService:
    """Reads uploads. Safe to call any number of times, in any order, for the same upload."""

    def __init__(
        self,
        *,
        documents_of: DocumentsOf,
        indexes: IndexService,
        uploads: Uploads,
        parser: DocumentParser,
        embedding: EmbeddingService,
        count_tokens: Callable[[], CountTokens],
        epochs: Epochs,
        continuations: Continuations,
        clock: Clock,
        feed: DocumentFeed,
    ) -> None:
        self._documents_of, self._indexes, self._uploads = documents_of, indexes, uploads
        self._parser, self._embedding, self._count_tokens = parser, embedding, count_tokens
        self._epochs, self._continuations = epochs, continuations
        self._clock, self._feed = clock, feed

    async def ingest(self, upload: Upload, remaining_seconds: RemainingSeconds = lambda: inf) -> Ingested:
        """Process one upload to its end: "ready", "failed" (the document says why) or "ignored" (nothing to do).

        "renewed": the version is of another file that was sent with the same form, so this one gets its own.
        "continued": the time ran out; what was stored stays, and the upload is announced again. Each call stores
        something, and what an earlier one has stored, to its end or not, is not embedded again.
        Raises Invalid for a foreign key and Unavailable when something is away: then the event must come again.
        """
        place = ObjectKey.parse(upload.key)
        documents = self._documents_of(place.tenant_id)
        steps = _Stopwatch()
        # From here on there may be points that must not be found; and who was here before may have ended too soon to
        # tell that what it read can be found.
        async with changing(self._epochs, place.tenant_id, Area.KNOWLEDGE):
            version = await documents.begin_processing(place.version_id, upload.sequencer, upload.etag)
        if version is None:
            return Ingested(await self._renew(place, upload, documents), 0, steps.seconds)
        index = await self._indexes.filled(place.tenant_id)
        try:
            title = (await documents.get(version.document_id)).title
            reading = _Reading(version, title, index, documents, steps)
            async with self._feed.following(version, partial(documents.set_progress, version.id)) as progress:
                stored = await self._read(reading, progress, remaining_seconds)
        except _OutOfTime as pause:
            return await self._continue(upload, reading, pause.chunks)
        except DocumentRejected as rejection:
            failure = Failure(rejection.code, rejection.message)
            failed = await documents.fail(version.id, failure)
            if failed is not None:
                await self._feed.tell(failed)
            await self._forget_chunks(reading)
            return Ingested("failed", 0, steps.seconds)
        except NotFound:  # the document was deleted meanwhile
            await self._purge(version, documents)
            return Ingested("ignored", 0, steps.seconds)
        with steps.timing("publish"):
            return await self._publish(upload, reading, progress.version, stored)

    async def give_up(self, upload: Upload) -> None:
        """Mark an upload failed whose processing failed too often."""
        await give_up(upload.key, upload.sequencer, documents_of=self._documents_of, feed=self._feed)

    async def _renew(self, place: ObjectKey, upload: Upload, documents: Documents) -> str:
        """Make a version of its own of a later upload under the key of one that is another's; else do nothing.

        The copy is announced like any upload.
        """
        taken = await documents.later_upload(place.version_id, upload.sequencer, upload.etag)
        if taken is None:
            return "ignored"
        known = await documents.versions(taken.document_id)
        version_id = VersionId(uuid5(taken.id, upload.sequencer))
        version = next((each for each in known if each.id == version_id), None)
        if version is None:
            try:
                version = await documents.add_version(taken.again(version_id, self._clock()))
            except Conflict:
                return "ignored"  # the plan has no room for it
        if version.status is Status.UPLOADED:
            await self._uploads.copy(taken.object_key, version.object_key)
        return "renewed"

    async def _publish(self, upload: Upload, reading: "_Reading", version: Version, stored: int) -> Ingested:
        """Have answers use what was read, and purge what it replaces; or else purge it, or have it read once more."""
        documents, seconds = reading.documents, reading.steps.seconds
        async with changing(self._epochs, version.tenant_id, Area.KNOWLEDGE):
            published = await documents.activate(version.id)
        if published:
            await self._feed.tell(version.moved_to(Status.READY))
        elif (await self._indexes.filled(version.tenant_id)).model != reading.index.model:  # changed while it was read
            await self._forget_chunks(reading)
            return await self._continue(upload, reading, stored)
        else:  # replaced or deleted while it was read
            await self._purge(version, documents)
        for replaced in await documents.replaced_versions(version.document_id):
            await self._purge(replaced, documents)
        return Ingested("ready" if published else "ignored", stored, seconds)

    async def _continue(self, upload: Upload, reading: "_Reading", stored: int) -> Ingested:
        """Announce the upload again, unless nobody waits for it any more: then nobody else would purge this batch."""
        version, documents = reading.version, reading.documents
        try:
            document = await documents.get(version.document_id)
        except NotFound:
            document = None
        if document is None or document.active_version_id == document.newest.id != version.id:
            await self._purge(version, documents)
            return Ingested("ignored", 0, reading.steps.seconds)
        await self._continuations.put(upload.key, upload.sequencer)
        return Ingested("continued", stored, reading.steps.seconds)

    async def _read(self, reading: "_Reading", progress: Progressing, remaining_seconds: RemainingSeconds) -> int:
        """Store the chunks that are not stored yet and return how many. Raises _OutOfTime, DocumentRejected."""
        texts = await self._texts(reading, progress)
        missing = await self._missing(reading, texts)
        known = len(texts) - len(missing)
        await progress.reached(Progress(known, len(texts)))
        stored, pace = 0, Pace()
        while batch := missing[stored : stored + pace.size]:
            if stored and remaining_seconds() < MARGIN_SECONDS:
                raise _OutOfTime(stored)
            begin = time.perf_counter()
            await self._store(reading, batch)
            stored += len(batch)
            await progress.reached(Progress(known + stored, len(texts)))
            pace.took(len(batch), time.perf_counter() - begin)
        await self._retitle(reading)
        return stored

    async def _texts(self, reading: "_Reading", progress: Progressing) -> list[ChunkText]:
        """Return what the file is cut into. Raises DocumentRejected."""
        version, steps = reading.version, reading.steps
        chunking = await reading.documents.chunk_settings()
        with TemporaryDirectory() as folder:
            path = Path(folder) / "upload"
            with steps.timing("fetch"):
                await self._fetch(version, path)
            with steps.timing("parse"):
                parsed = await self._parser.parse(path, version.filename, progress.note)
        with steps.timing("chunk"):
            pieces = split(parsed, self._count_tokens(), size=chunking.size, overlap=chunking.overlap)
            texts = await to_thread(_counted, pieces, progress.note)
        if not texts:
            raise DocumentRejected("empty", "There is no text in this document.")
        return texts

    async def _missing(self, reading: "_Reading", texts: Sequence[ChunkText]) -> list[ChunkText]:
        """Return what is not stored yet with the index's vectors. A chunk is stored after its point."""
        stored = await reading.documents.stored_chunks(reading.version.id, str(reading.index.model))
        if any(position >= len(texts) for position in stored):  # of another file under the same key
            await self._forget_chunks(reading)
            return list(texts)
        if not stored:
            return list(texts)
        return [text for text in texts if stored.get(text.position) != reading.chunk(text).digest]

    async def _retitle(self, reading: "_Reading") -> None:
        """Have the version be found by a title that its document got meanwhile; whoever gives it a later one does so.

        Raises NotFound when the document was deleted.
        """
        title = (await reading.documents.get(reading.version.document_id)).title
        if title != reading.title:
            await reading.index.chunks.retitle_version(reading.version.id, title)

    async def _forget_chunks(self, reading: "_Reading") -> None:
        """Remove chunks before points, so that none is taken for stored that is not found."""
        await reading.documents.drop_chunks(reading.version.id)
        await self._indexes.points(reading.version.tenant_id).delete_version(reading.version.id)

    async def _fetch(self, version: Version, path: Path) -> None:
        try:
            if await self._uploads.size_of(version.object_key) > MAX_UPLOAD_BYTES:
                raise DocumentRejected("too_large", f"The file is larger than {MAX_UPLOAD_BYTES // 1024**2} MB.")
            await self._uploads.fetch(version.object_key, path)
        except NotFound as error:
            raise DocumentRejected("missing", "The file is no longer there; please upload it again.") from error

    async def _store(self, reading: "_Reading", texts: Sequence[ChunkText]) -> None:
        version, index, documents = reading.version, reading.index, reading.documents
        chunks, tokens = [reading.chunk(text) for text in texts], [text.tokens for text in texts]
        with reading.steps.timing("embed"):
            vectors = await self._embedding.vectors(version.tenant_id, index, chunks, tokens, documents)
        with reading.steps.timing("store"):
            await index.chunks.save(chunks, vectors)
            await documents.save_chunks(version.id, chunks)

    async def _purge(self, version: Version, documents: Documents) -> None:
        """Remove what is left of a version outside the database."""
        points = self._indexes.points(version.tenant_id)
        await purge(version, documents=documents, points=points, uploads=self._uploads)


class _Stopwatch:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timing(self, step: str) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - begin


@dataclass(frozen=True, slots=True)
class _Reading:
    """A version that is being read: under which title and into which index."""

    version: Version
    title: str
    index: Index
    documents: Documents
    steps: _Stopwatch

    def chunk(self, text: ChunkText) -> Chunk:
        """Return a piece of the text as it is stored."""
        return Chunk(
            document_id=self.version.document_id,
            version_id=self.version.id,
            title=self.title,
            position=text.position,
            text=text.text,
            start=text.start,
            end=text.end,
            page=text.page,
            headings=text.headings,
        )


def _counted(texts: Iterator[ChunkText], note: OnProgress) -> list[ChunkText]:
    """Return the texts, and tell how many there are so far: to cut a large document takes a second or two."""
    found = []
    for text in texts:
        found.append(text)
        note(Progress(0, len(found)))
    return found
