"""Searching the knowledge, and embedding texts."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.fusion import matched_terms
from chatconnect.domain.knowledge import Match, Passage
from chatconnect.domain.terms import terms
from chatconnect.http.authentication import Viewer
from chatconnect.http.errors import responses
from chatconnect.http.filters import FiltersBody
from functions.config.services import Retrieval as Search

router = APIRouter(prefix="/v1", tags=["knowledge"])


class SearchRequest(BaseModel):
    """A question or some words; at most `limit` (1-20) passages, none less relevant than `threshold` (0-1)."""

    query: str
    limit: int = 5
    threshold: float = 0.25
    filters: FiltersBody = FiltersBody()
    rerank: bool = Field(default=False, description="Order the passages by the deployment's reranking model, if any")


class MatchedBy(BaseModel):
    """How one part found the passage."""

    rank: int = Field(description="Its place in that part, from 1")
    score: float


class Explanation(BaseModel):
    """Why a passage was found; a part is null where it did not find it among its best."""

    dense: MatchedBy | None = Field(description="By meaning; the score is the cosine")
    sparse: MatchedBy | None = Field(description="By words; the score is BM25's")
    terms: list[str] = Field(
        description="The query's terms that the passage, its title or headings have: in lower case, without accents "
        "and a plural's s, a code whole and in parts, pairs of characters in scripts without spaces"
    )

    @classmethod
    def of(cls, passage: Passage, asked: frozenset[str]) -> "Explanation":
        """Return why a passage answers a query of these terms."""
        match = passage.match or Match()
        return cls(
            dense=_matched_by(match.dense_rank, match.dense_score),
            sparse=_matched_by(match.sparse_rank, match.sparse_score),
            terms=sorted(matched_terms(asked, passage.chunk)),
        )


def _matched_by(rank: int | None, score: float | None) -> MatchedBy | None:
    return None if rank is None or score is None else MatchedBy(rank=rank, score=score)


class PassageBody(BaseModel):
    """A passage; `start` and `end` index the document's extracted text.

    Of passages that were joined, the explanation is the best one's.
    """

    document_id: UUID
    title: str
    text: str
    page: int | None
    start: int
    end: int
    score: float = Field(description="How surely it answers, 0-1; or the reranking model's score, by its own measure")
    headings: list[str]
    explanation: Explanation

    @classmethod
    def of(cls, passage: Passage, asked: frozenset[str]) -> "PassageBody":
        """Return the body that shows a passage found by a query of these terms."""
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
            explanation=Explanation.of(passage, asked),
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
    """Find passages by meaning and by words, each with why it was found."""
    settings = Retrieval(
        limit=body.limit,
        threshold=body.threshold,
        document_ids=body.filters.named(),
        filters=body.filters.to_filters(),
        rerank=body.rerank,
    )
    found = await retrieval.search(caller.tenant_id, body.query, settings)
    asked = frozenset(terms(body.query))
    return SearchBody(results=[PassageBody.of(passage, asked) for passage in found])


@router.post("/embed", responses=responses(401, 403))
async def embed(body: EmbedRequest, caller: Viewer, retrieval: Search) -> EmbedBody:
    """Embed texts with the model that the knowledge is indexed with."""
    return EmbedBody(vectors=await retrieval.embed(caller.tenant_id, body.texts))
