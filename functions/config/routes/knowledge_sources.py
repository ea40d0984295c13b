"""A tenant's knowledge bases elsewhere, in which its assistants may find their passages."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr

from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.identifiers import KnowledgeSourceId
from chatconnect.domain.knowledge import Passage
from chatconnect.domain.knowledge_source import KnowledgeSource
from chatconnect.http.authentication import Admin
from chatconnect.http.errors import responses
from chatconnect.services.knowledge_sources import KnowledgeSourceDraft, Trial
from chatconnect.services.retrieval import MAX_QUERY
from functions.config.routes.secret_fields import revealed
from functions.config.services import KnowledgeSources

router = APIRouter(prefix="/v1/knowledge-sources", tags=["knowledge"])


class NewKnowledgeSource(BaseModel):
    """A knowledge base at a provider; assistants name it as `retrieval.knowledge_source`."""

    name: str = Field(examples=["Handbook at Dify"])
    provider: str = Field(default="dify", description="dify: its Knowledge API, since 1.13")
    base_url: str = Field(description="With or without /v1 at its end", examples=["https://api.dify.ai/v1"])
    dataset_id: str = Field(
        description="The knowledge base's id at the provider", examples=["0b50716f-c66d-4c78-b088-2198fc12ae85"]
    )
    api_key: SecretStr | None = Field(
        default=None, description="Never shown; none keeps the stored one while the origin stays"
    )
    search_method: str | None = Field(
        default=None,
        description="semantic_search, full_text_search or keyword_search, for as many passages as the assistant wants; "
        "the assistant's threshold counts for semantic_search. None: as the knowledge base is set up at the provider",
    )

    def to_draft(self) -> KnowledgeSourceDraft:
        """Return what this asks for."""
        key = revealed(self.api_key) if self.api_key else None
        return KnowledgeSourceDraft(self.name, self.provider, self.base_url, self.dataset_id, key, self.search_method)


class KnowledgeSourceBody(BaseModel):
    """A source; its API key is never shown."""

    id: UUID
    name: str
    provider: str
    base_url: str
    dataset_id: str
    search_method: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, source: KnowledgeSource) -> "KnowledgeSourceBody":
        """Return the body that shows a source."""
        return cls(
            id=source.id,
            name=source.name,
            provider=source.provider,
            base_url=source.base_url,
            dataset_id=source.dataset_id,
            search_method=source.search_method,
            created_at=source.created_at,
            updated_at=source.updated_at,
        )


class KnowledgeSourceList(BaseModel):
    """All sources by name."""

    sources: list[KnowledgeSourceBody]


class TrialRequest(BaseModel):
    """What to look for, and how, as assistants do it."""

    query: str = Field(min_length=1, max_length=MAX_QUERY)
    limit: int = 5
    threshold: float = 0.25


class FoundBody(BaseModel):
    """A passage as it was found; what a document is called and numbered here is what citations say."""

    document_id: UUID
    title: str
    text: str
    score: float

    @classmethod
    def of(cls, passage: Passage) -> "FoundBody":
        """Return the body that shows a passage."""
        chunk = passage.chunk
        return cls(document_id=chunk.document_id, title=chunk.title, text=chunk.text, score=passage.score)


class TrialFailureBody(BaseModel):
    """Why nothing came of it.

    `code` is what visitors' answers end with: knowledge_source_rejected (the key is refused), knowledge_source_missing
    (there is no such dataset), knowledge_source_busy (too many requests there), or knowledge_source_failed.
    """

    code: str = Field(examples=["knowledge_source_rejected"])
    message: str = Field(examples=["the server answered with status 401 (unauthorized)"])


class TrialBody(BaseModel):
    """What the source found, best first, or why it failed."""

    works: bool
    failure: TrialFailureBody | None
    results: list[FoundBody]

    @classmethod
    def of(cls, trial: Trial) -> "TrialBody":
        """Return the body that shows a trial."""
        failure = trial.failure
        return cls(
            works=failure is None,
            failure=TrialFailureBody(code=failure.code, message=failure.reason) if failure else None,
            results=[FoundBody.of(passage) for passage in trial.passages],
        )


@router.get("", responses=responses(401, 403))
async def list_knowledge_sources(caller: Admin, sources: KnowledgeSources) -> KnowledgeSourceList:
    """List the tenant's sources."""
    return KnowledgeSourceList(
        sources=[KnowledgeSourceBody.of(source) for source in await sources.sources(caller.tenant_id)]
    )


@router.post("", status_code=201, responses=responses(401, 403, 409))
async def add_knowledge_source(
    body: NewKnowledgeSource, caller: Admin, sources: KnowledgeSources
) -> KnowledgeSourceBody:
    """Add a source. Only public https addresses are ever reached. Conflicts: `name_taken`, `too_many_sources`."""
    return KnowledgeSourceBody.of(await sources.add(caller.tenant_id, body.to_draft()))


@router.get("/{source_id}", responses=responses(401, 403, 404))
async def get_knowledge_source(source_id: UUID, caller: Admin, sources: KnowledgeSources) -> KnowledgeSourceBody:
    """Show a source."""
    return KnowledgeSourceBody.of(await sources.source(caller.tenant_id, KnowledgeSourceId(source_id)))


@router.put("/{source_id}", responses=responses(401, 403, 404, 409))
async def change_knowledge_source(
    source_id: UUID, body: NewKnowledgeSource, caller: Admin, sources: KnowledgeSources
) -> KnowledgeSourceBody:
    """Replace a source. Conflict: `name_taken`."""
    return KnowledgeSourceBody.of(await sources.change(caller.tenant_id, KnowledgeSourceId(source_id), body.to_draft()))


@router.delete("/{source_id}", status_code=204, responses=responses(401, 403, 404, 409))
async def delete_knowledge_source(source_id: UUID, caller: Admin, sources: KnowledgeSources) -> None:
    """Remove a source. Conflict: `source_in_use`, while an assistant names it."""
    await sources.delete(caller.tenant_id, KnowledgeSourceId(source_id))


@router.post("/{source_id}/test", responses=responses(401, 403, 404))
async def try_knowledge_source(
    source_id: UUID, body: TrialRequest, caller: Admin, sources: KnowledgeSources
) -> TrialBody:
    """Search a source now, as an assistant would; `failure` says what is wrong when that does not work."""
    settings = Retrieval(limit=body.limit, threshold=body.threshold)
    return TrialBody.of(await sources.test(caller.tenant_id, KnowledgeSourceId(source_id), body.query, settings))
