"""Documents as staff handle them: promise an upload, list, inspect, process again, delete."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

from chatconnect.domain.chunking import ChunkSettings
from chatconnect.domain.errors import Conflict, Invalid, NotFound, Unavailable
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId, new_id
from chatconnect.domain.knowledge import (
    MAX_UPLOAD_BYTES,
    Chunk,
    Document,
    Version,
    media_type_of,
    safe_filename,
)
from chatconnect.domain.metadata import Metadata, checked_metadata
from chatconnect.domain.text import cleaned
from chatconnect.ports.clock import Clock
from chatconnect.ports.document_lists import Counts, DocumentPage, Listing, Selection
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.knowledge import DocumentsOf, PointsOf
from chatconnect.ports.uploads import UploadForm, Uploads
from chatconnect.services.changes import changing
from chatconnect.services.purging import purge

MAX_TITLE = 300
DOWNLOAD_TIME = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What the uploader says about a file; `document_id` makes it a new version of that document."""

    filename: str
    content_type: str
    size: int
    document_id: DocumentId | None = None
    title: str | None = None
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """A chunk with those right before and right behind it, in order."""

    chunk: Chunk
    before: Sequence[Chunk]
    behind: Sequence[Chunk]


class DocumentService:
    """Manages a tenant's documents. Reading them is the ingestion's work, started by the upload itself."""

    def __init__(
        self, *, documents_of: DocumentsOf, points_of: PointsOf, uploads: Uploads, epochs: Epochs, clock: Clock
    ) -> None:
        self._documents_of, self._points_of, self._uploads = documents_of, points_of, uploads
        self._epochs, self._clock = epochs, clock

    async def promise(self, tenant_id: TenantId, upload: NewUpload) -> tuple[Document, UploadForm]:
        """Note a file that is about to come and return the form to send it with.

        A new version leaves title and metadata as they are. Raises Invalid with code "unsupported_type",
        "type_mismatch", "too_large", "empty_file", "invalid_filename" or "invalid_metadata"; NotFound when the document
        to renew does not exist; Conflict with code "too_many_documents" or "storage_full" when the plan has no room.
        """
        filename, metadata = safe_filename(upload.filename), checked_metadata(upload.metadata)
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
            number=1,  # a further one gets its own when it is stored
            filename=filename,
            media_type=media_type,
            size=upload.size,
            created_at=now,
        )
        if known:
            version = await documents.add_version(version)
            document = replace(known, newest=version, updated_at=now)
        else:
            title = _title(upload.title or "") or filename
            document = Document(document_id, tenant_id, title, now, now, version, metadata=metadata)
            await documents.add(document)
        return document, await self._uploads.form(version, largest=upload.size)

    async def get(self, tenant_id: TenantId, document_id: DocumentId) -> Document:
        """Return the document. Raises NotFound."""
        return await self._documents_of(tenant_id).get(document_id)

    async def versions(self, tenant_id: TenantId, document_id: DocumentId) -> Sequence[Version]:
        """Return the document's versions, newest first, with those of which nothing is left. Raises NotFound."""
        return await self._documents_of(tenant_id).versions(document_id)

    async def page(self, tenant_id: TenantId, listing: Listing) -> DocumentPage:
        """Return a page of documents."""
        return await self._documents_of(tenant_id).page(listing)

    async def count(self, tenant_id: TenantId, meant: Selection) -> Counts:
        """Return how many of the documents meant have each status, whichever status is meant."""
        return await self._documents_of(tenant_id).count(meant)

    async def change(
        self,
        tenant_id: TenantId,
        document_id: DocumentId,
        *,
        title: str | None = None,
        metadata: Metadata | None = None,
    ) -> Document:
        """Replace a document's title, its metadata, or both, which holds from the next search on.

        Raises NotFound, Invalid; and Unavailable, when the new title is shown but not searched for yet: it may be
        repeated.
        """
        documents, shown = self._documents_of(tenant_id), None if title is None else _title(title)
        if shown == "":
            raise Invalid("the document needs a title", details={"field": "title"})
        checked = None if metadata is None else checked_metadata(metadata)
        async with changing(self._epochs, tenant_id, Area.KNOWLEDGE):
            await documents.change(document_id, title=shown, metadata=checked, at=self._clock())
            changed = await documents.get(document_id)
            if shown is not None:
                await self._retitle(changed)
        return changed

    async def _retitle(self, document: Document) -> None:
        """Have what answers be found by the title, and what may be about to: perhaps all of it has been read."""
        points = self._points_of(document.tenant_id)
        for version_id in {document.newest.id, document.active_version_id or document.newest.id}:
            await points.retitle_version(version_id, document.title)

    async def download_url(self, tenant_id: TenantId, document_id: DocumentId, number: int | None = None) -> str:
        """Return an address that gives a document's file for DOWNLOAD_TIME; without a number, of what answers now.

        Where nothing answers yet it is that of the newest version. Raises NotFound when there is no such version, or no
        file of it (any more).
        """
        documents = self._documents_of(tenant_id)
        document = await documents.get(document_id)
        shown = document.active_version_id or document.newest.id
        for version in await documents.versions(document_id):
            wanted = version.id == shown if number is None else version.number == number
            if wanted and await self._uploads.exists(version.object_key):
                return await self._uploads.download_url(version, seconds=int(DOWNLOAD_TIME.total_seconds()))
        raise NotFound("file of the document", document_id)

    async def chunks(
        self, tenant_id: TenantId, document_id: DocumentId, *, after: int = -1, limit: int = 50
    ) -> Sequence[Chunk]:
        """Return the document's chunks in order. Raises NotFound."""
        return await self._documents_of(tenant_id).chunks(document_id, after=after, limit=limit)

    async def neighbourhood(
        self, tenant_id: TenantId, document_id: DocumentId, position: int, *, each_side: int
    ) -> Neighbourhood:
        """Return a chunk of the document with its neighbours. Raises NotFound."""
        first = max(0, position - each_side)
        found = await self.chunks(tenant_id, document_id, after=first - 1, limit=position + each_side + 1 - first)
        for place, chunk in enumerate(found):
            if chunk.position == position:
                return Neighbourhood(chunk, found[:place], found[place + 1 :])
        raise NotFound("chunk", position)

    async def delete(self, tenant_id: TenantId, document_id: DocumentId) -> None:
        """Delete a document: it stops answering at once, then its points and files go. Raises NotFound.

        What cannot be purged now is found again by the reconcile job.
        """
        versions = await self.hide(tenant_id, [document_id])
        if not versions:
            raise NotFound("document", document_id)
        await self.purge(tenant_id, versions[document_id])

    async def hide(
        self, tenant_id: TenantId, document_ids: Collection[DocumentId]
    ) -> Mapping[DocumentId, Sequence[Version]]:
        """Delete documents, so that none answers any more; return those that were there, with what is to be purged."""
        hidden: dict[DocumentId, list[Version]] = {}
        async with changing(self._epochs, tenant_id, Area.KNOWLEDGE):
            for version in await self._documents_of(tenant_id).delete_all(document_ids):
                hidden.setdefault(version.document_id, []).append(version)
        return hidden

    async def purge(self, tenant_id: TenantId, versions: Sequence[Version]) -> None:
        """Remove the points and files of what was deleted, as far as that is possible now."""
        documents, points = self._documents_of(tenant_id), self._points_of(tenant_id)
        with suppress(Unavailable):  # deleted it is; saying otherwise would make the caller try again in vain
            for version in versions:
                await purge(version, documents=documents, points=points, uploads=self._uploads)

    async def reprocess(self, tenant_id: TenantId, document_id: DocumentId) -> Document:
        """Read the newest file again, as a new version: the present one answers until that is ready.

        Raises NotFound, Conflict with code "not_uploaded" when no file of the document ever arrived, or "storage_full".
        """
        documents = self._documents_of(tenant_id)
        document = await documents.get(document_id)
        source, now = await self._newest_with_file(document), self._clock()
        again = await documents.add_version(source.again(VersionId(new_id()), now))
        await self._uploads.copy(source.object_key, again.object_key)
        return replace(document, newest=again, updated_at=now)

    async def chunk_settings(self, tenant_id: TenantId) -> ChunkSettings:
        """Return how the tenant's documents are cut."""
        return await self._documents_of(tenant_id).chunk_settings()

    async def set_chunk_settings(self, tenant_id: TenantId, settings: ChunkSettings) -> None:
        """Have the tenant's documents cut in this way whenever they are processed from now on."""
        await self._documents_of(tenant_id).set_chunk_settings(settings)

    async def _newest_with_file(self, document: Document) -> Version:
        """Return the newest version, or else the one that answers: of others between them the file may be missing."""
        if await self._uploads.exists(document.newest.object_key):
            return document.newest
        for version in await self._documents_of(document.tenant_id).versions(document.id):
            if version.id == document.active_version_id and await self._uploads.exists(version.object_key):
                return version
        raise Conflict("the file was never uploaded", code="not_uploaded")


def _title(text: str) -> str:
    return cleaned(text)[:MAX_TITLE].strip()


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
