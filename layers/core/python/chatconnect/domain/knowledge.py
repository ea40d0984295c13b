"""A tenant's knowledge: documents, their versions, and the passages that a search finds in them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import PurePosixPath
from uuid import UUID

from chatconnect.domain.errors import Conflict, Invalid
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId
from chatconnect.domain.metadata import Metadata
from chatconnect.domain.text import cleaned

MAX_UPLOAD_BYTES = 10 * 1024 * 1024
MAX_FILENAME = 200
_LONGEST_SUFFIX = 20
# Neighbours lie at most this many characters apart: between them is white space that was trimmed.
_WIDEST_GAP = 100

MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
}


# A version that failed for reasons of ours; the same upload may be tried again.
GIVEN_UP = "processing_failed"


class Status(StrEnum):
    """Where a document (by its newest version) stands."""

    UPLOADED = "uploaded"  # the upload was promised; nothing has been read yet
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


_NEXT = {
    Status.UPLOADED: {Status.PROCESSING, Status.FAILED},
    Status.PROCESSING: {Status.PROCESSING, Status.READY, Status.FAILED},
    Status.READY: set(),
    Status.FAILED: {Status.PROCESSING},
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: pages or percent of the file read so far, then chunks stored of those that it has been cut into.

    Both numbers are 0 until something is known; `total` grows while the text is being cut.
    """

    done: int = 0
    total: int = 0
    unit: str = "chunks"


@dataclass(frozen=True, slots=True)
class Embedded:
    """What embedding took: tokens, about, and their price in millionths of a US dollar."""

    tokens: int = 0
    cost_microusd: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a version could not become knowledge: a stable code and a sentence for the tenant's staff."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Version:
    """One upload of a document. `number` counts from 1; `size` in bytes, as promised by the uploader."""

    id: VersionId
    document_id: DocumentId
    tenant_id: TenantId
    number: int
    filename: str
    media_type: str
    size: int
    created_at: datetime
    status: Status = Status.UPLOADED
    progress: Progress = Progress()
    failure: Failure | None = None
    embedded: Embedded = Embedded()

    def moved_to(self, status: Status, *, failure: Failure | None = None) -> "Version":
        """Return the version in `status`. Raises Conflict when that step is not allowed."""
        if status not in _NEXT[self.status]:
            raise Conflict(f"a document that is {self.status} cannot become {status}")
        return replace(self, status=status, failure=failure)

    def again(self, version_id: VersionId, at: datetime) -> "Version":
        """Return a further version of the same file, of which nothing is known yet; the store gives it its number."""
        return replace(
            self, id=version_id, created_at=at, status=Status.UPLOADED, progress=Progress(), failure=None,
            embedded=Embedded(),
        )  # fmt: skip

    @property
    def object_key(self) -> str:
        """Where the upload lies in the bucket; the only key its presigned form allows."""
        return f"{self.tenant_id}/{self.document_id}/{self.id}/{self.filename}"


@dataclass(frozen=True, slots=True)
class Document:
    """A document as staff see it: its newest version's state. `active_version_id` is the one that answers use."""

    id: DocumentId
    tenant_id: TenantId
    title: str
    created_at: datetime
    updated_at: datetime
    newest: Version
    active_version_id: VersionId | None = None
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """A bucket key taken apart; `parse` is how an upload event gets its tenant."""

    tenant_id: TenantId
    document_id: DocumentId
    version_id: VersionId
    filename: str

    @classmethod
    def parse(cls, key: str) -> "ObjectKey":
        """Take `{tenant}/{document}/{version}/{filename}` apart. Raises Invalid when it is not of that form."""
        parts = key.split("/")
        try:
            tenant, document, version, filename = parts
            ids = UUID(tenant), UUID(document), UUID(version)
        except ValueError as error:
            raise Invalid("not the key of an upload", code="foreign_object") from error
        if not filename or [str(id_) for id_ in ids] != parts[:3]:  # UUID() takes other spellings too
            raise Invalid("not the key of an upload", code="foreign_object")
        return cls(TenantId(ids[0]), DocumentId(ids[1]), VersionId(ids[2]), filename)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document as it is stored. `start` and `end` index the document's extracted text, in characters."""

    document_id: DocumentId
    version_id: VersionId
    title: str
    position: int
    text: str
    start: int
    end: int
    page: int | None = None
    headings: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The SHA-256 of place, title and text, in hexadecimal: by it a chunk is known that was stored before."""
        return sha256(f"{self.start}:{self.title}\n{self.text}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Match:
    """Why a passage was found: its place (from 1) and score by meaning (cosine) and by words (BM25), None where that
    part did not find it.
    """

    dense_rank: int | None = None
    dense_score: float | None = None
    sparse_rank: int | None = None
    sparse_score: float | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that a search found, with its score (higher is better; comparable within one search only, unless it is
    the relevance, 0 to 1, of our own store).

    `similarity` is the cosine of the dense part, where it was computed: comparable between searches. `match` says why
    it was found; a foreign knowledge base does not tell.
    """

    chunk: Chunk
    score: float
    similarity: float | None = None
    match: Match | None = None


def media_type_of(filename: str) -> str:
    """Return the media type that the name promises. Raises Invalid with code "unsupported_type"."""
    media_type = MEDIA_TYPES.get(PurePosixPath(filename).suffix.lower())
    if media_type is None:
        supported = ", ".join(sorted({suffix.lstrip(".").upper() for suffix in MEDIA_TYPES}))
        raise Invalid(f"this kind of file is not supported; supported are {supported}", code="unsupported_type")
    return media_type


def safe_filename(name: str) -> str:
    """Return the last part of `name` without what a key or header cannot hold. Raises Invalid when nothing is left."""
    last = cleaned(re.split(r"[/\\]", name)[-1])
    safe = re.sub(r"[<>:\"|?*%#{}^`~\[\]]+", "_", last).strip(" .")
    if not safe.strip("_"):
        raise Invalid("the file needs a name", code="invalid_filename")
    suffix = PurePosixPath(safe).suffix[:_LONGEST_SUFFIX]
    return safe if len(safe) <= MAX_FILENAME else safe[: MAX_FILENAME - len(suffix)] + suffix


def merge_adjacent(passages: Iterable[Passage]) -> list[Passage]:
    """Join passages that follow each other in one version into one; the best score stands, best first, no duplicates.

    Overlapping text is taken once: chunks carry their offsets.
    """
    by_place = sorted(passages, key=lambda p: (p.chunk.version_id.int, p.chunk.position, -p.score))
    merged: list[Passage] = []
    last_position = -1
    for passage in by_place:
        previous = merged[-1] if merged else None
        if previous and previous.chunk.version_id == passage.chunk.version_id:
            if passage.chunk.position == last_position:
                continue
            if passage.chunk.position == last_position + 1 and _adjoin(previous.chunk, passage.chunk):
                merged[-1] = _joined(previous, passage)
                last_position = passage.chunk.position
                continue
        merged.append(passage)
        last_position = passage.chunk.position
    return sorted(merged, key=lambda p: p.score, reverse=True)


def _adjoin(first: Chunk, second: Chunk) -> bool:
    return first.page == second.page and second.start - first.end <= _WIDEST_GAP


def _joined(first: Passage, second: Passage) -> Passage:
    """Join two neighbours; the text stays as long as its offsets say."""
    overlap = max(0, first.chunk.end - second.chunk.start)
    gap = "\n" * (second.chunk.start - first.chunk.end)
    text = first.chunk.text + gap + second.chunk.text[overlap:]
    chunk = replace(first.chunk, text=text, end=max(first.chunk.end, second.chunk.end))
    similarities = [s for s in (first.similarity, second.similarity) if s is not None]
    better = first if first.score >= second.score else second
    return Passage(chunk, better.score, max(similarities) if similarities else None, better.match)
