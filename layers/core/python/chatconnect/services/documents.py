"""Documents as staff handle them: promise an upload, list, inspect, process again, delete."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from chatconnect.domain.errors import Conflict, Invalid, Unavailable
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId, new_id
from chatconnect.domain.knowledge import (
    MAX_UPLOAD_BYTES,
    Chunk,
    Document,
    Embedded,
    Progress,
    Status,
    Version,
    media_type_of,
    safe_filename,
)
from chatconnect.domain.text import cleaned
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.knowledge import ChunksOf, DocumentPage, DocumentsOf, UploadForm, Uploads
from chatconnect.services.changes import changing
from chatconnect.services.purging import purge

MAX_TITLE = 300


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What the uploader says about a file; `document_id` makes it a new version of that document."""

    filename: str
    content_type: str
    size: int
    document_id: DocumentId | None = None
    title: str | None = None


class DocumentService:
    """Manages a tenant's documents. Reading them is the ingestion's work, started by the upload itself."""

    def __init__(
        self, *, documents_of: DocumentsOf, chunks_of: ChunksOf, uploads: Uploads, epochs: Epochs, clock: Clock
    ) -> None:
        self._documents_of, self._chunks_of, self._uploads = documents_of, chunks_of, uploads
        self._epochs, self._clock = epochs, clock

    async def promise(self, tenant_id: TenantId, upload: NewUpload) -> tuple[Document, UploadForm]:
        """Note a file that is about to come and return the form to send it with.

        Raises Invalid with code "unsupported_type", "type_mismatch", "too_large", "empty_file" or "invalid_filename";
        NotFound when the document to renew does not exist.
        """
        filename = safe_filename(upload.filename)
        media_type = media_type_of(filename)
        _check_declared(upload, media_type)
        documents = self._documents_of(tenant_id)
        now = self._clock()
        known = await documents.get(upload.document_id) if upload.document_id else None
        document_id = known.id if known else DocumentId(new_id())
        version = Version(
            id=VersionId(new_id()),
            document_id=document_id,
            tenant_id=tenant_id,
            number=known.newest.number + 1 if known else 1,
            filename=filename,
            media_type=media_type,
            size=upload.size,
            created_at=now,
        )
        if known:
            await documents.add_version(version)
            document = replace(known, newest=version, updated_at=now)
        else:
            title = cleaned(upload.title or "")[:MAX_TITLE].strip() or filename
            document = Document(document_id, tenant_id, title, now, now, version)
            await documents.add(document)
        return document, await self._uploads.form(version, largest=MAX_UPLOAD_BYTES)

    async def get(self, tenant_id: TenantId, document_id: DocumentId) -> Document:
        """Return the document. Raises NotFound."""
        return await self._documents_of(tenant_id).get(document_id)

    async def versions(self, tenant_id: TenantId, document_id: DocumentId) -> Sequence[Version]:
        """Return the document's versions, newest first, with those of which nothing is left. Raises NotFound."""
        return await self._documents_of(tenant_id).versions(document_id)

    async def list_newest(self, tenant_id: TenantId, *, limit: int, before: datetime | None) -> DocumentPage:
        """Return a page of documents, newest first."""
        return await self._documents_of(tenant_id).list_newest(limit=limit, before=before)

    async def chunks(
        self, tenant_id: TenantId, document_id: DocumentId, *, after: int = -1, limit: int = 50
    ) -> Sequence[Chunk]:
        """Return the document's chunks in order. Raises NotFound."""
        return await self._documents_of(tenant_id).chunks(document_id, after=after, limit=limit)

    async def delete(self, tenant_id: TenantId, document_id: DocumentId) -> None:
        """Delete a document: it stops answering at once, then its points and files go. Raises NotFound.

        What cannot be purged now is found again by the reconcile job.
        """
        documents, chunks = self._documents_of(tenant_id), self._chunks_of(tenant_id)
        async with changing(self._epochs, tenant_id, Area.KNOWLEDGE):
            versions = await documents.delete(document_id)
        with suppress(Unavailable):  # deleted it is; saying otherwise would make the caller try again in vain
            for version in versions:
                await purge(version, documents=documents, chunks=chunks, uploads=self._uploads)

    async def reprocess(self, tenant_id: TenantId, document_id: DocumentId) -> Document:
        """Read the newest file again, as a new version: the present one answers until that is ready.

        Raises NotFound, Conflict with code "not_uploaded" when no file of the document ever arrived.
        """
        documents = self._documents_of(tenant_id)
        document = await documents.get(document_id)
        source, now = await self._newest_with_file(document), self._clock()
        again = replace(
            source,
            id=VersionId(new_id()),
            number=document.newest.number + 1,
            created_at=now,
            status=Status.UPLOADED,
            progress=Progress(),
            failure=None,
            embedded=Embedded(),
        )
        await documents.add_version(again)
        await self._uploads.copy(source.object_key, again.object_key)
        return replace(document, newest=again, updated_at=now)

    async def _newest_with_file(self, document: Document) -> Version:
        """Return the newest version, or else the one that answers: of others between them the file may be missing."""
        if await self._uploads.exists(document.newest.object_key):
            return document.newest
        for version in await self._documents_of(document.tenant_id).versions(document.id):
            if version.id == document.active_version_id and await self._uploads.exists(version.object_key):
                return version
        raise Conflict("the file was never uploaded", code="not_uploaded")


def _check_declared(upload: NewUpload, media_type: str) -> None:
    if upload.size <= 0:
        raise Invalid("the file is empty", code="empty_file", details={"field": "size"})
    if upload.size > MAX_UPLOAD_BYTES:
        raise Invalid(
            f"a file has at most {MAX_UPLOAD_BYTES // 1024**2} MB",
            code="too_large",
            details={"field": "size", "largest": MAX_UPLOAD_BYTES},
        )
    declared = upload.content_type.split(";")[0].strip().lower()
    # Browsers are not sure of text files: each kind goes by several names, and where Excel is installed CSV is its own.
    loose = media_type.startswith("text/") and declared.startswith("text/")
    excel = media_type == "text/csv" and declared == "application/vnd.ms-excel"
    if declared not in ("", media_type, "application/octet-stream") and not (loose or excel):
        raise Invalid(
            f"the name says {media_type}, the content type {declared}",
            code="type_mismatch",
            details={"field": "content_type"},
        )
