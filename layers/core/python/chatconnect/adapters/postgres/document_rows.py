"""What the statements about documents return, and the entities made of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatconnect.domain.errors import Conflict
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId
from chatconnect.domain.knowledge import Chunk, Document, Embedded, Failure, Progress, Status, Version
from chatconnect.domain.metadata import Metadata
from chatconnect.ports.knowledge import Holding


@dataclass(frozen=True, slots=True)
class RoomRow:
    """What a tenant's plan allows of documents and of their bytes, whether one more had room, and its number if so."""

    documents: int | None
    storage_bytes: int | None
    for_document: bool
    for_file: bool
    number: int | None

    def check(self) -> None:
        """Raise Conflict with code "too_many_documents" or "storage_full"."""
        if not self.for_document:
            raise Conflict(
                f"the plan allows {self.documents:,} documents",
                code="too_many_documents",
                details={"documents": self.documents},
            )
        if not self.for_file:
            raise Conflict(
                f"the plan allows {self.storage_bytes:,} bytes of documents",
                code="storage_full",
                details={"storage_bytes": self.storage_bytes},
            )


@dataclass(frozen=True, slots=True)
class TitleRow:
    """A version's id with its document's title."""

    id: UUID
    title: str


@dataclass(frozen=True, slots=True)
class StatusCountRow:
    """How many documents have a status."""

    status: str
    documents: int


@dataclass(frozen=True, slots=True)
class DigestRow:
    """A stored chunk's place and the digest of its text."""

    position: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """A row of document_versions."""

    tenant_id: UUID
    version_id: UUID
    document_id: UUID
    number: int
    filename: str
    media_type: str
    size: int
    status: str
    progress_done: int
    progress_total: int
    progress_unit: str
    failure_code: str | None
    failure_message: str | None
    embedding_tokens: int
    embedding_cost_microusd: int
    uploaded_at: datetime

    def to_version(self) -> Version:
        """Return the entity."""
        failed = self.failure_code is not None and self.failure_message is not None
        return Version(
            id=VersionId(self.version_id),
            document_id=DocumentId(self.document_id),
            tenant_id=TenantId(self.tenant_id),
            number=self.number,
            filename=self.filename,
            media_type=self.media_type,
            size=self.size,
            created_at=self.uploaded_at,
            status=Status(self.status),
            progress=Progress(self.progress_done, self.progress_total, self.progress_unit),
            failure=Failure(self.failure_code or "", self.failure_message or "") if failed else None,
            embedded=Embedded(self.embedding_tokens, self.embedding_cost_microusd),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingRow(VersionRow):
    """A row of document_versions with what there is of it."""

    chunks: int
    answers: bool

    def to_holding(self) -> Holding:
        """Return the value."""
        return Holding(self.to_version(), self.chunks, self.answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow(VersionRow):
    """A row of documents with its newest version."""

    title: str
    metadata: Metadata | None
    created_at: datetime
    updated_at: datetime
    active_version_id: UUID | None

    def to_document(self) -> Document:
        """Return the entity."""
        return Document(
            id=DocumentId(self.document_id),
            tenant_id=TenantId(self.tenant_id),
            title=self.title,
            created_at=self.created_at,
            updated_at=self.updated_at,
            newest=self.to_version(),
            active_version_id=VersionId(self.active_version_id) if self.active_version_id else None,
            metadata=self.metadata or {},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRow:
    """A row of chunks; `position` is null when the document has none (left)."""

    document_id: UUID
    version_id: UUID
    title: str
    position: int | None
    text: str
    start: int
    end: int
    page: int | None
    headings: Sequence[str]

    def to_chunk(self) -> Chunk:
        """Return the value of a row that has one."""
        return Chunk(
            DocumentId(self.document_id),
            VersionId(self.version_id),
            self.title,
            self.position or 0,
            self.text,
            self.start,
            self.end,
            self.page,
            tuple(self.headings),
        )
