"""An assistant: the configuration behind a widget. Immutable; every change is a checked copy."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from chatconnect.domain.addresses import check_base_url
from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import AssistantId, DocumentId, KnowledgeSourceId, TenantId
from chatconnect.domain.metadata import DocumentFilters
from chatconnect.domain.moderation import Moderation
from chatconnect.domain.response_format import TEXT, ResponseFormat
from chatconnect.domain.secret import Secret, check_credential

PROVIDERS = ("offline", "openai", "anthropic")
MAX_NAME = 100
MAX_SYSTEM_PROMPT = 20_000
MAX_OUTPUT_TOKENS = 32_000
MAX_HISTORY = 200
MAX_TOOLS = 20
MAX_TOOL_NAME = 161  # a server's name, a slash and the name of its tool
MAX_TOOL_ROUNDS = 10

DEFAULT_SYSTEM_PROMPT = (
    "You are the assistant on {company}'s website. Answer the visitor's question from the passages below, and only "
    "from them, in the language of the question, briefly and kindly. After each statement that a passage supports put "
    "its marker, like [1]. When the passages do not hold the answer, say exactly: {refusal}"
)
DEFAULT_REFUSAL = "I could not find that in our documents."


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How passages are found: at most `limit`, none less relevant than `threshold` (0-1; see domain/relevance.py).

    `document_ids` None means all of the tenant's documents; of these, only those that the filters mean, if there are
    any. `knowledge_source` None means our own store; with one, passages come from there alone. `rerank`: those of our
    own store are put in order by the deployment's reranking model, if it has one.
    """

    limit: int = 5
    threshold: float = 0.25
    document_ids: tuple[DocumentId, ...] | None = None
    knowledge_source: KnowledgeSourceId | None = None
    filters: DocumentFilters | None = None
    rerank: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= 20:
            raise Invalid("between 1 and 20 passages can be retrieved", details={"field": "retrieval.limit"})
        if not 0.0 <= self.threshold <= 1.0:
            raise Invalid("the threshold lies between 0 and 1", details={"field": "retrieval.threshold"})
        if self.knowledge_source is not None and self.document_ids is not None:
            raise Invalid(
                "document ids choose among our own documents, not among those of a knowledge source",
                details={"field": "retrieval.document_ids"},
            )
        if self.knowledge_source is not None and self.filters is not None:
            raise Invalid(
                "filters choose among our own documents, not among those of a knowledge source",
                details={"field": "retrieval.filters"},
            )


@dataclass(frozen=True, slots=True)
class Fallback:
    """The model that answers when the assistant's own fails before its first token."""

    provider: str
    model: str

    def __post_init__(self) -> None:
        _check_text("fallback.model", self.model, MAX_NAME)
        if self.provider not in PROVIDERS:
            raise Invalid(f"the provider is one of {', '.join(PROVIDERS)}", details={"field": "fallback.provider"})


@dataclass(frozen=True, slots=True)
class AssistantConfig:
    """All that an assistant version fixes (C1).

    `base_url` None: the provider's own address. `access_token` None: the deployment's own key for the provider.
    `control_messages` are further instructions, in order ("answer in JSON"). In `system_prompt` and
    `control_messages` the words {company}, {assistant} and {refusal} stand for the tenant's values.
    `tools` are the names of what the model may call: "search_knowledge", the tenant's own, and "server/tool" or
    "server/*" for those of its MCP servers; `tool_rounds` the most requests to the model for one answer. `fallback`
    uses the same address and token where its provider is the same, and the deployment's own otherwise. `condense`
    "auto": a question that needs what was said before is written in full for the search; "off": the search gets it as
    it is. `prompt_cache`: a provider that charges for keeping the
    beginning of a prompt may do so. `answer_cache`: a first question that was asked before gets the same answer, as
    long as nothing has changed. `response_format` holds unless an endpoint or a conversation has one of its own.
    """

    name: str
    provider: str
    model: str
    base_url: str | None = None
    access_token: Secret | None = None
    system_prompt: str = DEFAULT_SYSTEM_PROMPT
    control_messages: tuple[str, ...] = ()
    temperature: float = 0.2
    max_tokens: int = 800
    history_messages: int = 20
    retrieval: Retrieval = Retrieval()
    refusal: str = DEFAULT_REFUSAL
    tools: tuple[str, ...] = ()
    tool_rounds: int = 4
    fallback: Fallback | None = None
    moderation: Moderation = field(default_factory=Moderation)
    condense: str = "auto"
    prompt_cache: bool = True
    answer_cache: bool = False
    response_format: ResponseFormat = TEXT

    def __post_init__(self) -> None:
        _check_text("name", self.name, MAX_NAME)
        _check_text("model", self.model, MAX_NAME)
        _check_text("system_prompt", self.system_prompt, MAX_SYSTEM_PROMPT)
        _check_text("refusal", self.refusal, 1_000)
        if self.provider not in PROVIDERS:
            raise Invalid(f"the provider is one of {', '.join(PROVIDERS)}", details={"field": "provider"})
        if self.base_url is not None:
            check_base_url(self.base_url)
        if self.access_token is not None:
            check_credential(self.access_token, "an access token", field="access_token")
        _check_range("temperature", self.temperature, 0.0, 2.0)
        _check_range("max_tokens", self.max_tokens, 1, MAX_OUTPUT_TOKENS)
        _check_range("history_messages", self.history_messages, 0, MAX_HISTORY)
        if self.condense not in ("auto", "off"):
            raise Invalid("condense is auto or off", details={"field": "condense"})
        _check_range("tool_rounds", self.tool_rounds, 1, MAX_TOOL_ROUNDS)
        if len(self.tools) > MAX_TOOLS or len(set(self.tools)) < len(self.tools):
            raise Invalid(f"an assistant has at most {MAX_TOOLS} tools, each once", details={"field": "tools"})
        for number, name in enumerate(self.tools):
            _check_text(f"tools.{number}", name, MAX_TOOL_NAME)
        for number, text in enumerate(self.control_messages):
            _check_text(f"control_messages.{number}", text, 4_000)

    def with_model(self, provider: str, model: str, *, base_url: str | None = None) -> "AssistantConfig":
        """Return a copy that uses another model. The old access token is dropped with another provider or address."""
        moved = replace(self, provider=provider, model=model, base_url=base_url, access_token=None)
        return moved.with_token_of(self)

    def with_name(self, name: str) -> "AssistantConfig":
        """Return a copy with another name."""
        return replace(self, name=name)

    def with_access_token(self, token: Secret | None) -> "AssistantConfig":
        """Return a copy with another access token."""
        return replace(self, access_token=token)

    def with_token_of(self, other: "AssistantConfig") -> "AssistantConfig":
        """Return a copy with the token of another configuration; none when that is for another provider or address."""
        same = (self.provider, self.base_url) == (other.provider, other.base_url)
        return replace(self, access_token=other.access_token if same else None)

    def with_system_prompt(self, text: str) -> "AssistantConfig":
        """Return a copy with other instructions."""
        return replace(self, system_prompt=text)

    def with_temperature(self, temperature: float) -> "AssistantConfig":
        """Return a copy with another temperature, 0.0-2.0."""
        return replace(self, temperature=temperature)

    def with_response_format(self, response_format: ResponseFormat) -> "AssistantConfig":
        """Return a copy that answers in another form."""
        return replace(self, response_format=response_format)

    def with_retrieval(self, retrieval: Retrieval) -> "AssistantConfig":
        """Return a copy with other retrieval settings."""
        return replace(self, retrieval=retrieval)


@dataclass(frozen=True, slots=True)
class Assistant:
    """An assistant with its published configuration; `version` counts its saves from 1."""

    id: AssistantId
    tenant_id: TenantId
    config: AssistantConfig
    version: int
    is_default: bool
    created_at: datetime
    updated_at: datetime


def _check_text(field: str, text: str, longest: int) -> None:
    if not text.strip() or len(text) > longest or "\0" in text:
        raise Invalid(f"{field} needs 1 to {longest:,} characters", details={"field": field})


def _check_range(field: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise Invalid(f"{field} lies between {low} and {high}", details={"field": field})
