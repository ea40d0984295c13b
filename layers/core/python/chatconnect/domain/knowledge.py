"""A tenant's knowledge: documents, their versions, and the passages that a search finds in them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath
from uuid import UUID

from chatconnect.domain.errors import Conflict, Invalid
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId

MAX_UPLOAD_BYTES = 10 * 1024 * 1024
MAX_FILENAME = 200

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
    """Chunks stored so far, of how many; both 0 until the text has been cut."""

    done: int = 0
    total: int = 0


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

    def moved_to(self, status: Status, *, failure: Failure | None = None) -> "Version":
        """Return the version in `status`. Raises Conflict when that step is not allowed."""
        if status not in _NEXT[self.status]:
            raise Conflict(f"a document that is {self.status} cannot become {status}")
        return replace(self, status=status, failure=failure)

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
    metadata: dict[str, str] | None = None


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
            return cls(TenantId(UUID(tenant)), DocumentId(UUID(document)), VersionId(UUID(version)), filename)
        except ValueError as error:
            raise Invalid("not the key of an upload", code="foreign_object") from error


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


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that a search found, with its score (higher is better; comparable within one search only).

    `similarity` is the cosine of the dense part, where it was computed: comparable between searches.
    """

    chunk: Chunk
    score: float
    similarity: float | None = None


def media_type_of(filename: str) -> str:
    """Return the media type that the name promises. Raises Invalid with code "unsupported_type"."""
    media_type = MEDIA_TYPES.get(PurePosixPath(filename).suffix.lower())
    if media_type is None:
        supported = ", ".join(sorted({suffix.lstrip(".").upper() for suffix in MEDIA_TYPES}))
        raise Invalid(f"this kind of file is not supported; supported are {supported}", code="unsupported_type")
    return media_type


def safe_filename(name: str) -> str:
    """Return the last part of `name` without what a key or header cannot hold. Raises Invalid when nothing is left."""
    last = re.split(r"[/\\]", name)[-1]
    cleaned = re.sub(r"[\x00-\x1f\x7f<>:\"|?*%#{}^`~\[\]]+", "_", last).strip(" .")
    if not cleaned or not cleaned.strip("_"):
        raise Invalid("the file needs a name", code="invalid_filename")
    suffix = PurePosixPath(cleaned).suffix
    return cleaned if len(cleaned) <= MAX_FILENAME else cleaned[: MAX_FILENAME - len(suffix)] + suffix


def merge_adjacent(passages: Iterable[Passage]) -> list[Passage]:
    """Join passages that follow each other in one version into one; the best score stands, best first, no duplicates.

    Overlapping text is taken once: chunks carry their offsets.
    """
    by_place = sorted(passages, key=lambda p: (str(p.chunk.version_id), p.chunk.position))
    merged: list[Passage] = []
    last_position = -1
    for passage in by_place:
        previous = merged[-1] if merged else None
        if previous and previous.chunk.version_id == passage.chunk.version_id:
            if passage.chunk.position == last_position:
                continue
            if passage.chunk.position == last_position + 1 and passage.chunk.page == previous.chunk.page:
                merged[-1] = _joined(previous, passage)
                last_position = passage.chunk.position
                continue
        merged.append(passage)
        last_position = passage.chunk.position
    return sorted(merged, key=lambda p: p.score, reverse=True)


def _joined(first: Passage, second: Passage) -> Passage:
    overlap = max(0, first.chunk.end - second.chunk.start)
    gap = "\n" if second.chunk.start > first.chunk.end else ""
    chunk = replace(first.chunk, text=first.chunk.text + gap + second.chunk.text[overlap:], end=second.chunk.end)
    similarities = [s for s in (first.similarity, second.similarity) if s is not None]
    return Passage(chunk, max(first.score, second.score), max(similarities) if similarities else None)
