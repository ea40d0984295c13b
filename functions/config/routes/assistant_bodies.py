"""What the routes of assistants take and show."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from chatconnect.domain.assistant import AssistantConfig, Fallback, Retrieval
from chatconnect.domain.assistant_versions import MAX_NOTE, VersionedAssistant
from chatconnect.domain.identifiers import KnowledgeSourceId
from chatconnect.domain.moderation import Moderation, ModerationMode
from chatconnect.http.controls import ResponseFormatBody
from chatconnect.http.filters import FiltersBody
from functions.config.routes.secret_fields import revealed


class RetrievalBody(BaseModel):
    """How passages are found; no document ids means all documents."""

    limit: int = 5
    threshold: float = Field(
        default=0.25,
        description="0-1: nothing is found that is less relevant. Relevance comes from the words that passage and "
        "question share, and from how much closer in meaning it is than what else there is; it is the same for any "
        "embedding model. A knowledge source may take it for a cosine",
    )
    document_ids: list[UUID] | None = None
    knowledge_source: UUID | None = Field(
        default=None,
        description="Find passages in this knowledge source alone, and not in our own documents; none: in our own",
    )
    filters: FiltersBody | None = Field(
        default=None, description="Of our own documents only these; ids named here are kept as `document_ids`"
    )
    rerank: bool = Field(
        default=False,
        description="Order passages of our own documents by the deployment's reranking model; without one, or when it "
        "does not answer in time, by relevance",
    )

    @classmethod
    def of(cls, retrieval: Retrieval) -> "RetrievalBody":
        """Return the body that shows how passages are found."""
        return cls(
            limit=retrieval.limit,
            threshold=retrieval.threshold,
            document_ids=None if retrieval.document_ids is None else list(retrieval.document_ids),
            knowledge_source=retrieval.knowledge_source,
            filters=FiltersBody.of(retrieval.filters),
            rerank=retrieval.rerank,
        )

    def to_retrieval(self) -> Retrieval:
        """Return the settings that this asks for. Raises Invalid."""
        source, filters = self.knowledge_source, self.filters or FiltersBody()
        return Retrieval(
            limit=self.limit,
            threshold=self.threshold,
            document_ids=filters.named(self.document_ids),
            knowledge_source=None if source is None else KnowledgeSourceId(source),
            filters=filters.to_filters(),
            rerank=self.rerank,
        )


class FallbackBody(BaseModel):
    """The model that answers when the assistant's own fails before its first token."""

    provider: str
    model: str


class ModerationBody(BaseModel):
    """What is neither read nor said: `mode` is off, rules, or provider (which includes the rules)."""

    mode: ModerationMode = ModerationMode.OFF
    refusal: str = Moderation().refusal
    forbidden_phrases: list[str] = Field(
        default_factory=list, description="Found anywhere, inside words too; letter case makes no difference"
    )
    forbidden_patterns: list[str] = Field(
        default_factory=list,
        description="Regular expressions of characters, `.`, `\\d` `\\w` `\\s` `\\b`, classes, groups, `|` and repeats "
        "up to 100; at most 20, of 200 characters each. What is none is refused with 400 `invalid_pattern`",
        examples=[[r"\b\d{4}([ -]?\d{4}){3}\b"]],
    )


class ConfigurationView(BaseModel):
    """A configuration as it is shown. Its access token is never shown, only whether there is one."""

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

    @classmethod
    def showing(cls, config: AssistantConfig, **more: Any) -> Self:
        """Return the body that shows a configuration and `more` beside it."""
        return cls(
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
            retrieval=RetrievalBody.of(config.retrieval),
            refusal=config.refusal,
            condense=config.condense,
            tools=list(config.tools),
            tool_rounds=config.tool_rounds,
            fallback=FallbackBody(**asdict(config.fallback)) if config.fallback else None,
            moderation=ModerationBody(
                mode=config.moderation.mode,
                refusal=config.moderation.refusal,
                forbidden_phrases=list(config.moderation.forbidden_phrases),
                forbidden_patterns=list(config.moderation.forbidden_patterns),
            ),
            prompt_cache=config.prompt_cache,
            answer_cache=config.answer_cache,
            response_format=ResponseFormatBody.of(config.response_format),
            **more,
        )


class AssistantBody(ConfigurationView):
    """An assistant with the configuration of its version `version`: the published one, unless a draft was just saved.

    There is a draft while `latest_version` is above `published_version`. The ETag is the newest version.
    """

    id: UUID
    version: int
    published_version: int
    latest_version: int
    is_default: bool
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, shown: VersionedAssistant) -> "AssistantBody":
        """Return the body that shows an assistant."""
        assistant = shown.assistant
        return cls.showing(
            assistant.config,
            id=assistant.id,
            version=assistant.version,
            published_version=shown.published_version,
            latest_version=shown.latest_version,
            is_default=assistant.is_default,
            archived_at=shown.archived_at,
            created_at=assistant.created_at,
            updated_at=assistant.updated_at,
        )


class AssistantList(BaseModel):
    """Assistants, the default first."""

    assistants: list[AssistantBody]


class ConfigurationBody(BaseModel):
    """A whole configuration. Without an access token the stored one stays, unless provider or address change."""

    name: str
    provider: str
    model: str
    base_url: str | None = None
    access_token: SecretStr | None = None
    remove_access_token: bool = Field(default=False, description="Keep none from now on")
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
    note: str = Field(default="", max_length=MAX_NOTE, description="What changed and why, for the list of versions")

    def to_new_config(self) -> AssistantConfig:
        """Return the configuration that this asks for, of a new assistant. Raises Invalid."""
        return self.to_config(AssistantConfig(self.name, self.provider, self.model, self.base_url))

    def to_config(self, stored: AssistantConfig) -> AssistantConfig:
        """Return the configuration that this asks for. Raises Invalid."""
        moved = stored.with_model(self.provider, self.model, base_url=self.base_url)
        token = None if self.remove_access_token else moved.access_token
        if self.access_token:
            token = revealed(self.access_token)
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
            retrieval=self.retrieval.to_retrieval(),
            refusal=self.refusal,
            condense=self.condense,
            moderation=Moderation(
                self.moderation.mode,
                self.moderation.refusal,
                tuple(self.moderation.forbidden_phrases),
                tuple(self.moderation.forbidden_patterns),
            ),
            tools=tuple(self.tools),
            tool_rounds=self.tool_rounds,
            fallback=Fallback(self.fallback.provider, self.fallback.model) if self.fallback else None,
            prompt_cache=self.prompt_cache,
            answer_cache=self.answer_cache,
            response_format=self.response_format.to_format(),
        )


class RenameBody(BaseModel):
    """Another name."""

    name: str
    note: str = Field(default="", max_length=MAX_NOTE)
