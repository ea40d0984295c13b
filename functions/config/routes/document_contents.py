"""What a document consists of: its versions, their files, and the chunks of the one that answers."""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from chatconnect.domain.identifiers import DocumentId
from chatconnect.domain.knowledge import Chunk, Version
from chatconnect.http.authentication import Viewer
from chatconnect.http.errors import responses
from chatconnect.services.documents import DOWNLOAD_TIME
from functions.config.routes.documents import FailureBody, ProgressBody
from functions.config.services import Documents

router = APIRouter(prefix="/v1/documents", tags=["documents"])

_LARGEST_POSITION = 2**31 - 1


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
        return cls(
            id=version.id,
            version=version.number,
            filename=version.filename,
            content_type=version.media_type,
            size=version.size,
            status=version.status.value,
            progress=ProgressBody.of(version.progress),
            failure=FailureBody.of(version.failure),
            answers=answers,
            created_at=version.created_at,
        )


class VersionList(BaseModel):
    """All versions of a document, newest first."""

    versions: list[VersionBody]


class ChunkBody(BaseModel):
    """A chunk; `start` and `end` index the document's extracted text, in characters."""

    position: int
    text: str
    page: int | None
    start: int
    end: int
    headings: list[str]

    @classmethod
    def of(cls, chunk: Chunk) -> "ChunkBody":
        """Return the body that shows a chunk."""
        return cls(
            position=chunk.position,
            text=chunk.text,
            page=chunk.page,
            start=chunk.start,
            end=chunk.end,
            headings=list(chunk.headings),
        )


class ChunkList(BaseModel):
    """Chunks in order; ask again with `after` set to `next_after` until that is null."""

    chunks: list[ChunkBody]
    next_after: int | None


class NeighbourhoodBody(BaseModel):
    """A chunk with those right before and right behind it, in order."""

    chunk: ChunkBody
    before: list[ChunkBody]
    behind: list[ChunkBody]


class DownloadBody(BaseModel):
    """An address that gives the file, without credentials, to be saved under its name."""

    url: str
    expires_in: int = Field(description="Seconds")


@router.get("/{document_id}/versions", responses=responses(401, 403, 404))
async def list_versions(document_id: UUID, caller: Viewer, documents: Documents) -> VersionList:
    """Show a document's versions: how each ended, and which one answers."""
    document, versions = await asyncio.gather(
        documents.get(caller.tenant_id, DocumentId(document_id)),
        documents.versions(caller.tenant_id, DocumentId(document_id)),
    )
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
    found = await documents.chunks(caller.tenant_id, DocumentId(document_id), after=after, limit=limit + 1)
    shown = found[:limit]
    further = shown[-1].position if len(found) > limit else None
    return ChunkList(chunks=[ChunkBody.of(chunk) for chunk in shown], next_after=further)


@router.get("/{document_id}/chunks/{position}", responses=responses(401, 403, 404))
async def show_chunk(
    document_id: UUID,
    position: Annotated[int, Path(ge=0, le=_LARGEST_POSITION)],
    caller: Viewer,
    documents: Documents,
    neighbours: Annotated[int, Query(ge=0, le=20, description="At most so many on each side")] = 1,
) -> NeighbourhoodBody:
    """Show a chunk with its neighbours."""
    found = await documents.neighbourhood(caller.tenant_id, DocumentId(document_id), position, each_side=neighbours)
    return NeighbourhoodBody(
        chunk=ChunkBody.of(found.chunk),
        before=[ChunkBody.of(chunk) for chunk in found.before],
        behind=[ChunkBody.of(chunk) for chunk in found.behind],
    )


@router.get("/{document_id}/download", responses=responses(401, 403, 404))
async def download(
    document_id: UUID,
    caller: Viewer,
    documents: Documents,
    version: Annotated[
        int | None, Query(ge=1, le=_LARGEST_POSITION, description="Which one; else what answers, or the newest")
    ] = None,
) -> DownloadBody:
    """Give out an address of a version's file; of versions that were replaced the file is gone."""
    url = await documents.download_url(caller.tenant_id, DocumentId(document_id), version)
    return DownloadBody(url=url, expires_in=int(DOWNLOAD_TIME.total_seconds()))
