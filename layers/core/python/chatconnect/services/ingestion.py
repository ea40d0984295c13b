"""From an uploaded file to knowledge: verify, parse, chunk, embed, store, publish."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from chatconnect.domain.chunking import DEFAULT_CHUNKS, ChunkSettings, ChunkText, CountTokens, split
from chatconnect.domain.errors import DocumentRejected, NotFound
from chatconnect.domain.knowledge import MAX_UPLOAD_BYTES, Chunk, Failure, ObjectKey, Progress, Version
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.knowledge import ChunksOf, Documents, DocumentsOf, Uploads
from chatconnect.ports.models import Embedder
from chatconnect.ports.parsing import DocumentParser
from chatconnect.services.changes import changing
from chatconnect.services.purging import purge

BATCH = 64


@dataclass(frozen=True, slots=True)
class Upload:
    """One object that arrived in the bucket. `sequencer` orders the events of one key; `size` in bytes."""

    key: str
    sequencer: str


@dataclass(frozen=True, slots=True)
class Ingested:
    """What came of an upload: its end, its chunks, and the seconds each step took."""

    outcome: str
    chunks: int
    seconds: dict[str, float]


class IngestionService:
    """Reads uploads. Safe to call any number of times, in any order, for the same upload."""

    def __init__(
        self,
        *,
        documents_of: DocumentsOf,
        chunks_of: ChunksOf,
        uploads: Uploads,
        parser: DocumentParser,
        embedder: Embedder,
        count_tokens: Callable[[], CountTokens],
        epochs: Epochs,
        chunking: ChunkSettings = DEFAULT_CHUNKS,
    ) -> None:
        self._documents_of, self._chunks_of, self._uploads = documents_of, chunks_of, uploads
        self._parser, self._embedder, self._count_tokens = parser, embedder, count_tokens
        self._epochs, self._chunking = epochs, chunking

    async def ingest(self, upload: Upload) -> Ingested:
        """Process one upload to its end: "ready", "failed" (the document says why) or "ignored" (nothing to do).

        Raises Invalid for a foreign key and Unavailable when something is away: then the event must come again.
        """
        place = ObjectKey.parse(upload.key)
        documents = self._documents_of(place.tenant_id)
        steps = _Stopwatch()
        # From here on there may be points that must not be found; and who was here before may have ended too soon to
        # tell that what it read can be found.
        async with changing(self._epochs, place.tenant_id, Area.KNOWLEDGE):
            version = await documents.begin_processing(place.version_id, upload.sequencer)
        if version is None:
            return Ingested("ignored", 0, steps.seconds)
        try:
            stored = await self._read(version, documents, steps)
        except DocumentRejected as rejection:
            await documents.fail(version.id, Failure(rejection.code, rejection.message))
            await self._chunks_of(place.tenant_id).delete_version(version.id)
            return Ingested("failed", 0, steps.seconds)
        except NotFound:  # the document was deleted meanwhile
            await self._purge(version, documents)
            return Ingested("ignored", 0, steps.seconds)
        with steps.timing("publish"):
            async with changing(self._epochs, place.tenant_id, Area.KNOWLEDGE):
                published = await documents.activate(version.id)
            if not published:  # replaced or deleted while it was read
                await self._purge(version, documents)
            for replaced in await documents.replaced_versions(version.document_id):
                await self._purge(replaced, documents)
        return Ingested("ready" if published else "ignored", stored, steps.seconds)

    async def give_up(self, upload: Upload, failure: Failure) -> None:
        """Mark an upload failed whose processing failed too often."""
        place = ObjectKey.parse(upload.key)
        await self._documents_of(place.tenant_id).fail(place.version_id, failure)

    async def _read(self, version: Version, documents: Documents, steps: "_Stopwatch") -> int:
        title = (await documents.get(version.document_id)).title
        with TemporaryDirectory() as folder:
            path = Path(folder) / "upload"
            with steps.timing("fetch"):
                await self._fetch(version, path)
            with steps.timing("parse"):
                parsed = await self._parser.parse(path, version.filename)
        with steps.timing("chunk"):
            texts = list(split(parsed, self._count_tokens(), size=self._chunking.size, overlap=self._chunking.overlap))
        if not texts:
            raise DocumentRejected("empty", "There is no text in this document.")
        await documents.set_progress(version.id, Progress(0, len(texts)))
        done = 0
        for batch in _batches(texts, BATCH):
            chunks = [_chunk(version, title, text) for text in batch]
            await self._store(version, chunks, documents, steps)
            done += len(chunks)
            await documents.set_progress(version.id, Progress(done, len(texts)))
        return done

    async def _fetch(self, version: Version, path: Path) -> None:
        try:
            if await self._uploads.size_of(version.object_key) > MAX_UPLOAD_BYTES:
                raise DocumentRejected("too_large", f"The file is larger than {MAX_UPLOAD_BYTES // 1024**2} MB.")
            await self._uploads.fetch(version.object_key, path)
        except NotFound as error:
            raise DocumentRejected("missing", "The file is no longer there; please upload it again.") from error

    async def _store(self, version: Version, chunks: list[Chunk], documents: Documents, steps: "_Stopwatch") -> None:
        with steps.timing("embed"):
            vectors = await self._embedder.embed([chunk.text for chunk in chunks])
        with steps.timing("store"):
            await self._chunks_of(version.tenant_id).save(chunks, vectors)
            await documents.save_chunks(version.id, chunks)

    async def _purge(self, version: Version, documents: Documents) -> None:
        """Remove what is left of a version outside the database."""
        chunks = self._chunks_of(version.tenant_id)
        await purge(version, documents=documents, chunks=chunks, uploads=self._uploads)


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


def _chunk(version: Version, title: str, text: ChunkText) -> Chunk:
    return Chunk(
        document_id=version.document_id,
        version_id=version.id,
        title=title,
        position=text.position,
        text=text.text,
        start=text.start,
        end=text.end,
        page=text.page,
        headings=text.headings,
    )


def _batches(items: Iterable[ChunkText], size: int) -> Iterator[list[ChunkText]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
