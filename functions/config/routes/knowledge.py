"""Searching the knowledge, and embedding texts."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.identifiers import DocumentId
from chatconnect.domain.knowledge import Passage
from chatconnect.http.authentication import Viewer
from chatconnect.http.errors import responses
from functions.config.services import Retrieval as Search

router = APIRouter(prefix="/v1", tags=["knowledge"])


class SearchFilters(BaseModel):
    """Only these documents."""

    document_ids: list[UUID] | None = None


class SearchRequest(BaseModel):
    """A question or some words; at most `limit` (1-20) passages, none less similar than `threshold` (cosine)."""

    query: str
    limit: int = 5
    threshold: float = 0.25
    filters: SearchFilters = SearchFilters()


class PassageBody(BaseModel):
    """A passage; `start` and `end` index the document's extracted text, scores compare within one search only."""

    document_id: UUID
    title: str
    text: str
    page: int | None
    start: int
    end: int
    score: float
    headings: list[str]

    @classmethod
    def of(cls, passage: Passage) -> "PassageBody":
        """Return the body that shows a passage."""
        chunk = passage.chunk
        return cls(
            document_id=chunk.document_id,
            title=chunk.title,
            text=chunk.text,
            page=chunk.page,
            start=chunk.start,
            end=chunk.end,
            score=passage.score,
            headings=list(chunk.headings),
        )


class SearchBody(BaseModel):
    """The passages, best first."""

    results: list[PassageBody]


class EmbedRequest(BaseModel):
    """Texts to embed."""

    texts: list[str] = Field(max_length=100)


class EmbedBody(BaseModel):
    """One unit-length vector per text, in order."""

    vectors: list[list[float]]


@router.post("/knowledge/search", responses=responses(401, 403))
async def search(body: SearchRequest, caller: Viewer, retrieval: Search) -> SearchBody:
    """Find passages by meaning and by words."""
    documents = body.filters.document_ids
    settings = Retrieval(
        limit=body.limit,
        threshold=body.threshold,
        document_ids=None if documents is None else tuple(map(DocumentId, documents)),
    )
    found = await retrieval.search(caller.tenant_id, body.query, settings)
    return SearchBody(results=[PassageBody.of(passage) for passage in found])


@router.post("/embed", responses=responses(401, 403))
async def embed(body: EmbedRequest, _: Viewer, retrieval: Search) -> EmbedBody:
    """Embed texts with the model that the knowledge is indexed with."""
    return EmbedBody(vectors=await retrieval.embed(body.texts))
