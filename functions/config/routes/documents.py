"""Documents: promise an upload, list, inspect, process again, delete."""

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chatconnect.domain.errors import ChatConnectError
from chatconnect.domain.identifiers import DocumentId
from chatconnect.domain.knowledge import Document, Failure, Progress, Status
from chatconnect.domain.metadata import MAX_ENTRIES
from chatconnect.http.authentication import Admin, Viewer
from chatconnect.http.errors import responses
from chatconnect.http.filters import MetadataBody
from chatconnect.ports.document_lists import Sort
from chatconnect.services.document_batches import MAX_DOCUMENTS
from chatconnect.services.documents import NewUpload
from functions.config.routes.document_queries import DocumentsQuery
from functions.config.services import DocumentBatches, Documents

router = APIRouter(prefix="/v1/documents", tags=["documents"])


class UploadRequest(BaseModel):
    """A file about to be uploaded: `size` in bytes; with a document id it becomes that document's new version."""

    filename: str
    content_type: str = ""
    size: int
    document_id: UUID | None = None
    title: str | None = None
    metadata: MetadataBody = Field(
        default_factory=dict,
        description=f"At most {MAX_ENTRIES} entries by which searches can be filtered. A new version leaves the "
        "document's as they are",
        examples=[{"language": "de", "year": 2026, "public": True}],
    )


class ChangeRequest(BaseModel):
    """What to replace: the title, the metadata (all of it), or both."""

    title: str | None = None
    metadata: MetadataBody | None = None


class ProgressBody(BaseModel):
    """How far it is: pages or percent read so far, then chunks stored of those that the text has been cut into."""

    done: int
    total: int
    unit: Literal["pages", "percent", "chunks"]

    @classmethod
    def of(cls, progress: Progress) -> "ProgressBody":
        """Return the body that shows how far a version is."""
        return cls.model_validate(asdict(progress))


class FailureBody(BaseModel):
    """Why the newest version could not be used."""

    code: str
    message: str

    @classmethod
    def of(cls, failure: Failure | ChatConnectError | None) -> "FailureBody | None":
        """Return the body that shows why something failed; None: it did not."""
        return cls(code=failure.code, message=failure.message) if failure else None


class DocumentBody(BaseModel):
    """A document; its status is that of its newest version, `version` counts from 1.

    `answers` says whether some version of it is used in answers now.
    """

    id: UUID
    title: str
    metadata: MetadataBody
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
        newest = document.newest
        return cls(
            id=document.id,
            title=document.title,
            metadata=dict(document.metadata),
            filename=newest.filename,
            content_type=newest.media_type,
            size=newest.size,
            version=newest.number,
            status=newest.status.value,
            progress=ProgressBody.of(newest.progress),
            failure=FailureBody.of(newest.failure),
            embedding_tokens=newest.embedded.tokens,
            embedding_cost_microusd=newest.embedded.cost_microusd,
            answers=document.active_version_id is not None,
            created_at=document.created_at,
            updated_at=document.updated_at,
        )


class UploadBody(BaseModel):
    """Send `fields` and then the file (as `file`) as multipart/form-data to `url`."""

    url: str
    fields: dict[str, str]


class PromisedBody(BaseModel):
    """The document and the form to send its file with."""

    document: DocumentBody
    upload: UploadBody


class StatusCounts(BaseModel):
    """How many documents have each status."""

    uploaded: int
    processing: int
    ready: int
    failed: int


class DocumentList(BaseModel):
    """A page of documents in order, and how many the filters leave."""

    documents: list[DocumentBody]
    next_cursor: str | None = Field(description="Asks for the following page, with the same order; null: no more")
    next_before: datetime | None = Field(description="As `before` it does the same, while the newest come first")
    total: int = Field(description="On all pages")
    counts: StatusCounts = Field(description="On all pages, whichever status is asked for")


class BulkRequest(BaseModel):
    """What to do, to which documents."""

    action: Literal["delete", "reprocess"]
    ids: list[UUID] = Field(min_length=1, max_length=MAX_DOCUMENTS)


class BulkOutcome(BaseModel):
    """What became of one document."""

    id: UUID
    done: bool
    error: FailureBody | None


class BulkBody(BaseModel):
    """What became of each document, in the order in which they were named."""

    results: list[BulkOutcome]
    done: int
    failed: int


@router.post("", status_code=201, responses=responses(401, 403, 404, 409))
async def promise_upload(body: UploadRequest, caller: Admin, documents: Documents) -> PromisedBody:
    """Note a file and return the form that takes it, and no more than `size`, straight to S3; that starts processing.

    409 `too_many_documents` or `storage_full` when the plan has no room for it.
    """
    upload = NewUpload(
        filename=body.filename,
        content_type=body.content_type,
        size=body.size,
        document_id=DocumentId(body.document_id) if body.document_id else None,
        title=body.title,
        metadata=body.metadata,
    )
    document, form = await documents.promise(caller.tenant_id, upload)
    return PromisedBody(document=DocumentBody.of(document), upload=UploadBody(url=form.url, fields=form.fields))


@router.post("/bulk", responses=responses(401, 403))
async def change_many(body: BulkRequest, caller: Admin, batches: DocumentBatches) -> BulkBody:
    """Delete or re-process several documents. One that cannot be says why and keeps no other from it."""
    action = batches.delete if body.action == "delete" else batches.reprocess
    outcomes = await action(caller.tenant_id, [DocumentId(each) for each in body.ids])
    results = [
        BulkOutcome(id=each.document_id, done=each.error is None, error=FailureBody.of(each.error)) for each in outcomes
    ]
    done = sum(result.done for result in results)
    return BulkBody(results=results, done=done, failed=len(results) - done)


@router.get("", responses=responses(401, 403))
async def list_documents(
    asked: Annotated[DocumentsQuery, Query()], caller: Viewer, documents: Documents
) -> DocumentList:
    """List the tenant's documents, the newest first unless another order is asked for."""
    listing = asked.to_listing()
    page, counts = await asyncio.gather(
        documents.page(caller.tenant_id, listing), documents.count(caller.tenant_id, listing.meant)
    )
    status, following = listing.meant.status, page.following
    newest_first = listing.sort is Sort.CREATED and listing.descending
    return DocumentList(
        documents=[DocumentBody.of(document) for document in page.documents],
        next_cursor=asked.cursor_to(following) if following else None,
        next_before=page.documents[-1].created_at if following and newest_first else None,
        total=sum(counts.values()) if status is None else counts[status],
        counts=StatusCounts(**{each.value: counts[each] for each in Status}),
    )


@router.get("/{document_id}", responses=responses(401, 403, 404))
async def get_document(document_id: UUID, caller: Viewer, documents: Documents) -> DocumentBody:
    """Show a document and how far it has come."""
    return DocumentBody.of(await documents.get(caller.tenant_id, DocumentId(document_id)))


@router.patch("/{document_id}", responses=responses(401, 403, 404))
async def change_document(document_id: UUID, body: ChangeRequest, caller: Admin, documents: Documents) -> DocumentBody:
    """Replace a document's title or metadata; searches and answers go by the new ones from the next question on."""
    changed = await documents.change(
        caller.tenant_id, DocumentId(document_id), title=body.title, metadata=body.metadata
    )
    return DocumentBody.of(changed)


@router.post("/{document_id}/reprocess", status_code=202, responses=responses(401, 403, 404, 409))
async def reprocess(document_id: UUID, caller: Admin, documents: Documents) -> DocumentBody:
    """Read the newest upload again; the present version answers until that is done. 409 `storage_full`, too."""
    return DocumentBody.of(await documents.reprocess(caller.tenant_id, DocumentId(document_id)))


@router.delete("/{document_id}", status_code=204, responses=responses(401, 403, 404))
async def delete_document(document_id: UUID, caller: Admin, documents: Documents) -> None:
    """Delete a document: it is found no more from now on."""
    await documents.delete(caller.tenant_id, DocumentId(document_id))
