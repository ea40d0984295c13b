"""Documents: promise an upload, list, inspect, process again, delete."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chatconnect.domain.identifiers import DocumentId
from chatconnect.domain.knowledge import Document, Version
from chatconnect.http.authentication import Admin, Viewer
from chatconnect.http.errors import responses
from chatconnect.services.documents import NewUpload
from functions.config.services import Documents

router = APIRouter(prefix="/v1/documents", tags=["documents"])


class UploadRequest(BaseModel):
    """A file about to be uploaded: `size` in bytes; with a document id it becomes that document's new version."""

    filename: str
    content_type: str = ""
    size: int
    document_id: UUID | None = None
    title: str | None = None


class ProgressBody(BaseModel):
    """Chunks stored, of how many."""

    done: int
    total: int


class FailureBody(BaseModel):
    """Why the newest version could not be used."""

    code: str
    message: str


class DocumentBody(BaseModel):
    """A document; its status is that of its newest version, `version` counts from 1.

    `answers` says whether some version of it is used in answers now.
    """

    id: UUID
    title: str
    filename: str
    content_type: str
    size: int
    version: int
    status: str
    progress: ProgressBody
    failure: FailureBody | None = None
    embedding_tokens: int = Field(description="What was embedded for the newest version, about")
    embedding_cost_microusd: int = Field(description="Millionths of a US dollar")
    answers: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, document: Document) -> "DocumentBody":
        """Return the body that shows a document."""
        newest, failure = document.newest, document.newest.failure
        return cls(
            id=document.id,
            title=document.title,
            filename=newest.filename,
            content_type=newest.media_type,
            size=newest.size,
            version=newest.number,
            status=newest.status.value,
            progress=ProgressBody(done=newest.progress.done, total=newest.progress.total),
            failure=FailureBody(code=failure.code, message=failure.message) if failure else None,
            embedding_tokens=newest.embedded.tokens,
            embedding_cost_microusd=newest.embedded.cost_microusd,
            answers=document.active_version_id is not None,
            created_at=document.created_at,
            updated_at=document.updated_at,
        )


class VersionBody(BaseModel):
    """One upload of a document, or one reading of it; `answers` says whether it is the one that answers use."""

    id: UUID
    version: int
    filename: str
    content_type: str
    size: int
    status: str
    progress: ProgressBody
    failure: FailureBody | None = None
    answers: bool
    created_at: datetime

    @classmethod
    def of(cls, version: Version, *, answers: bool) -> "VersionBody":
        """Return the body that shows a version."""
        failure = version.failure
        return cls(
            id=version.id,
            version=version.number,
            filename=version.filename,
            content_type=version.media_type,
            size=version.size,
            status=version.status.value,
            progress=ProgressBody(done=version.progress.done, total=version.progress.total),
            failure=FailureBody(code=failure.code, message=failure.message) if failure else None,
            answers=answers,
            created_at=version.created_at,
        )


class VersionList(BaseModel):
    """All versions of a document, newest first."""

    versions: list[VersionBody]


class UploadBody(BaseModel):
    """Send `fields` and then the file (as `file`) as multipart/form-data to `url`."""

    url: str
    fields: dict[str, str]


class PromisedBody(BaseModel):
    """The document and the form to send its file with."""

    document: DocumentBody
    upload: UploadBody


class DocumentList(BaseModel):
    """A page of documents, newest first; `next_before` asks for the following one."""

    documents: list[DocumentBody]
    next_before: datetime | None


class ChunkBody(BaseModel):
    """A chunk; `start` and `end` index the document's extracted text, in characters."""

    position: int
    text: str
    page: int | None
    start: int
    end: int
    headings: list[str]


class ChunkList(BaseModel):
    """Chunks in order; ask again with `after` set to the last position."""

    chunks: list[ChunkBody]


@router.post("", status_code=201, responses=responses(401, 403, 404))
async def promise_upload(body: UploadRequest, caller: Admin, documents: Documents) -> PromisedBody:
    """Note a file and return the form that takes it straight to S3; the upload starts its processing."""
    upload = NewUpload(
        filename=body.filename,
        content_type=body.content_type,
        size=body.size,
        document_id=DocumentId(body.document_id) if body.document_id else None,
        title=body.title,
    )
    document, form = await documents.promise(caller.tenant_id, upload)
    return PromisedBody(document=DocumentBody.of(document), upload=UploadBody(url=form.url, fields=form.fields))


@router.get("", responses=responses(401, 403))
async def list_documents(
    caller: Viewer,
    documents: Documents,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: datetime | None = None,
) -> DocumentList:
    """List the tenant's documents."""
    page = await documents.list_newest(caller.tenant_id, limit=limit, before=before)
    return DocumentList(documents=[DocumentBody.of(d) for d in page.documents], next_before=page.next_before)


@router.get("/{document_id}", responses=responses(401, 403, 404))
async def get_document(document_id: UUID, caller: Viewer, documents: Documents) -> DocumentBody:
    """Show a document and how far it has come."""
    return DocumentBody.of(await documents.get(caller.tenant_id, DocumentId(document_id)))


@router.get("/{document_id}/versions", responses=responses(401, 403, 404))
async def list_versions(document_id: UUID, caller: Viewer, documents: Documents) -> VersionList:
    """Show a document's versions: how each ended, and which one answers."""
    document = await documents.get(caller.tenant_id, DocumentId(document_id))
    versions = await documents.versions(caller.tenant_id, document.id)
    active = document.active_version_id
    return VersionList(versions=[VersionBody.of(each, answers=each.id == active) for each in versions])


@router.get("/{document_id}/chunks", responses=responses(401, 403, 404))
async def list_chunks(
    document_id: UUID,
    caller: Viewer,
    documents: Documents,
    after: Annotated[int, Query(ge=-1)] = -1,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ChunkList:
    """Show what a document was cut into."""
    found = await documents.chunks(caller.tenant_id, DocumentId(document_id), after=after, limit=limit)
    return ChunkList(
        chunks=[
            ChunkBody(
                position=chunk.position,
                text=chunk.text,
                page=chunk.page,
                start=chunk.start,
                end=chunk.end,
                headings=list(chunk.headings),
            )
            for chunk in found
        ]
    )


@router.post("/{document_id}/reprocess", status_code=202, responses=responses(401, 403, 404, 409))
async def reprocess(document_id: UUID, caller: Admin, documents: Documents) -> DocumentBody:
    """Read the newest upload again; the present version answers until that is done."""
    return DocumentBody.of(await documents.reprocess(caller.tenant_id, DocumentId(document_id)))


@router.delete("/{document_id}", status_code=204, responses=responses(401, 403, 404))
async def delete_document(document_id: UUID, caller: Admin, documents: Documents) -> None:
    """Delete a document: it is found no more from now on."""
    await documents.delete(caller.tenant_id, DocumentId(document_id))
