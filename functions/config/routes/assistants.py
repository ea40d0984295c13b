"""A tenant's assistants."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr

from chatconnect.domain.assistant import Assistant, AssistantConfig, Fallback, Retrieval
from chatconnect.domain.identifiers import AssistantId, DocumentId, KnowledgeSourceId
from chatconnect.domain.moderation import Moderation, ModerationMode
from chatconnect.domain.principals import Staff
from chatconnect.domain.secret import Secret
from chatconnect.http.authentication import Admin, Viewer
from chatconnect.http.controls import ResponseFormatBody
from chatconnect.http.errors import responses
from functions.config.services import KnowledgeSources, Tenants

router = APIRouter(prefix="/v1/assistants", tags=["assistants"])


class RetrievalBody(BaseModel):
    """How passages are found; no document ids means all documents."""

    limit: int = 5
    threshold: float = 0.25
    document_ids: list[UUID] | None = None
    knowledge_source: UUID | None = Field(
        default=None,
        description="Find passages in this knowledge source alone, and not in our own documents; none: in our own",
    )


class FallbackBody(BaseModel):
    """The model that answers when the assistant's own fails before its first token."""

    provider: str
    model: str


class ModerationBody(BaseModel):
    """What is neither read nor said: `mode` is off, rules, or provider (which includes the rules)."""

    mode: ModerationMode = ModerationMode.OFF
    refusal: str = Moderation().refusal
    forbidden_phrases: list[str] = Field(default_factory=list)


class AssistantBody(BaseModel):
    """An assistant with its published configuration. Its access token is never shown, only whether there is one."""

    id: UUID
    name: str
    provider: str
    model: str
    base_url: str | None
    has_access_token: bool
    system_prompt: str
    control_messages: list[str]
    temperature: float
    max_tokens: int
    history_messages: int
    retrieval: RetrievalBody
    refusal: str
    condense: str
    tools: list[str]
    tool_rounds: int
    fallback: FallbackBody | None
    moderation: ModerationBody
    prompt_cache: bool
    answer_cache: bool
    response_format: ResponseFormatBody
    version: int
    is_default: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, assistant: Assistant) -> "AssistantBody":
        """Return the body that shows an assistant."""
        config, retrieval = assistant.config, assistant.config.retrieval
        documents = None if retrieval.document_ids is None else list(map(UUID, map(str, retrieval.document_ids)))
        return cls(
            id=assistant.id,
            name=config.name,
            provider=config.provider,
            model=config.model,
            base_url=config.base_url,
            has_access_token=config.access_token is not None,
            system_prompt=config.system_prompt,
            control_messages=list(config.control_messages),
            temperature=config.temperature,
            max_tokens=config.max_tokens,
            history_messages=config.history_messages,
            retrieval=RetrievalBody(
                limit=retrieval.limit,
                threshold=retrieval.threshold,
                document_ids=documents,
                knowledge_source=retrieval.knowledge_source,
            ),
            refusal=config.refusal,
            condense=config.condense,
            tools=list(config.tools),
            tool_rounds=config.tool_rounds,
            fallback=FallbackBody(**asdict(config.fallback)) if config.fallback else None,
            moderation=ModerationBody(
                mode=config.moderation.mode,
                refusal=config.moderation.refusal,
                forbidden_phrases=list(config.moderation.forbidden_phrases),
            ),
            prompt_cache=config.prompt_cache,
            answer_cache=config.answer_cache,
            response_format=ResponseFormatBody.of(config.response_format),
            version=assistant.version,
            is_default=assistant.is_default,
            created_at=assistant.created_at,
            updated_at=assistant.updated_at,
        )


class AssistantList(BaseModel):
    """All assistants, the default first."""

    assistants: list[AssistantBody]


class ConfigurationBody(BaseModel):
    """A whole configuration; without an access token the one that is stored stays, unless the provider changes."""

    name: str
    provider: str
    model: str
    base_url: str | None = None
    access_token: SecretStr | None = None
    system_prompt: str
    control_messages: list[str] = Field(default_factory=list, max_length=20)
    temperature: float = 0.2
    max_tokens: int = 800
    history_messages: int = 20
    retrieval: RetrievalBody = RetrievalBody()
    refusal: str
    condense: str = Field(default="auto", description="auto: a follow-up is written in full for the search; or off")
    tools: list[str] = Field(
        default_factory=list,
        description="What the model may call: `search_knowledge`, the company's own tools by their names, and those of "
        "its MCP servers as `server/tool`, or all of a server's as `server/*`. A name behind which there is nothing is "
        "passed over, and so are servers' tools beyond a hundred.",
        examples=[["search_knowledge", "find_order", "shop/*"]],
    )
    tool_rounds: int = Field(default=4, description="At most this many requests to the model for one answer")
    fallback: FallbackBody | None = None
    moderation: ModerationBody = ModerationBody()
    prompt_cache: bool = Field(
        default=True,
        description="A provider that charges for it (Anthropic) keeps instructions and history for the next requests",
    )
    answer_cache: bool = Field(
        default=False,
        description="A conversation's first question that was asked before, word for word, gets the same answer, at no "
        "cost; for an hour, or until knowledge or configuration change",
    )
    response_format: ResponseFormatBody = ResponseFormatBody()

    def to_config(self, stored: AssistantConfig) -> AssistantConfig:
        """Return the configuration that this asks for. Raises Invalid."""
        moved = stored.with_model(self.provider, self.model, base_url=self.base_url)
        token = Secret(self.access_token.get_secret_value()) if self.access_token else moved.access_token
        documents, source = self.retrieval.document_ids, self.retrieval.knowledge_source
        return AssistantConfig(
            name=self.name,
            provider=self.provider,
            model=self.model,
            base_url=self.base_url,
            access_token=token,
            system_prompt=self.system_prompt,
            control_messages=tuple(self.control_messages),
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            history_messages=self.history_messages,
            retrieval=Retrieval(
                limit=self.retrieval.limit,
                threshold=self.retrieval.threshold,
                document_ids=None if documents is None else tuple(map(DocumentId, documents)),
                knowledge_source=None if source is None else KnowledgeSourceId(source),
            ),
            refusal=self.refusal,
            condense=self.condense,
            moderation=Moderation(
                self.moderation.mode, self.moderation.refusal, tuple(self.moderation.forbidden_phrases)
            ),
            tools=tuple(self.tools),
            tool_rounds=self.tool_rounds,
            fallback=Fallback(self.fallback.provider, self.fallback.model) if self.fallback else None,
            prompt_cache=self.prompt_cache,
            answer_cache=self.answer_cache,
            response_format=self.response_format.to_format(),
        )


@router.get("", responses=responses(401, 403))
async def list_assistants(caller: Viewer, tenants: Tenants) -> AssistantList:
    """List the tenant's assistants."""
    return AssistantList(assistants=[AssistantBody.of(a) for a in await tenants.assistants(caller.tenant_id)])


@router.get("/{assistant_id}", responses=responses(401, 403, 404))
async def get_assistant(assistant_id: UUID, caller: Viewer, tenants: Tenants) -> AssistantBody:
    """Show one assistant."""
    return AssistantBody.of(await tenants.assistant(caller.tenant_id, AssistantId(assistant_id)))


@router.put("/{assistant_id}", responses=responses(401, 403, 404))
async def publish_assistant(
    assistant_id: UUID, body: ConfigurationBody, caller: Admin, tenants: Tenants, sources: KnowledgeSources
) -> AssistantBody:
    """Save a configuration as the next version and publish it."""
    stored = await tenants.assistant(caller.tenant_id, AssistantId(assistant_id))
    if body.retrieval.knowledge_source is not None:
        await sources.source(caller.tenant_id, KnowledgeSourceId(body.retrieval.knowledge_source))
    author = caller.account_id if isinstance(caller, Staff) else None
    published = await tenants.publish(caller.tenant_id, stored.id, body.to_config(stored.config), author=author)
    return AssistantBody.of(published)
