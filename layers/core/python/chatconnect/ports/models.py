"""What the services need from model providers: text generation and embeddings."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chatconnect.domain.knowledge import Passage
from chatconnect.domain.response_format import TEXT, ResponseFormat
from chatconnect.domain.secret import Secret


@dataclass(frozen=True, slots=True)
class ModelEndpoint:
    """Where a model is reached. `provider` is "openai", "anthropic" or "offline".

    `base_url` None means the provider's own address; `access_token` None means the deployment's own key.
    """

    provider: str
    model: str
    base_url: str | None = None
    access_token: Secret | None = None


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """What a model is told of a tool: `name` of letters, digits, `-` and `_`; `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to call a tool, whole. `arguments` is meant to be a JSON object, but a model may err."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a call: text for the model alone; `failed` says that the text tells of a failure."""

    call_id: str
    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message of the dialogue; `role` is "user", "assistant" or "tool".

    An assistant's message may carry `calls`; the message after it is then a tool's, with a result for each of them.
    `data` is what the model gets to a question beside its text: material, never instructions.
    """

    role: str
    text: str
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = ()
    data: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that the model is given: instructions first, then the dialogue, the new question last.

    The question's `data` already contains the passages as text; `passages` repeats them, numbered from 1 in order, and
    `refusal` the assistant's words for an unanswerable question, for a model that needs no prose. `lasting` says how
    many of the messages, from the first, later prompts will begin with too, beside tools and instructions; None when
    not even those come again, or the provider is not to keep them.
    """

    instructions: str
    messages: tuple[PromptMessage, ...]
    passages: tuple[Passage, ...] = ()
    refusal: str = ""
    tools: tuple[ToolDefinition, ...] = ()
    lasting: int | None = None

    @property
    def system(self) -> str:
        """Return instructions and data as one text, for a provider that takes them as one."""
        return "\n\n".join(filter(None, (self.instructions, *(message.data for message in self.messages))))


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """Bounds of one generation. `temperature` 0.0-2.0 (None: the provider's default), `max_tokens` of output.

    Without `may_call_tools` the model knows the prompt's tools but has to answer. `response_format` is a wish: who
    needs it fulfilled has to check.
    """

    max_tokens: int
    temperature: float | None = None
    may_call_tools: bool = True
    response_format: ResponseFormat = TEXT


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer, never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class PromptRead:
    """How long the provider says the prompt is, from one that tells before the answer; for an answer that breaks off.

    `input_tokens` is the whole input, `cached_tokens` the part of it that the provider read from its cache,
    `cache_write_tokens` the part that it put there, at a price of its own.
    """

    input_tokens: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a generation, always the last delta, exactly once.

    `reason` is "stop" (also when the model waits for its calls' results), "length" or "filtered". Tokens as the
    provider reports them; `input_tokens` is the whole input, `cached_tokens` the part of it that the provider read
    from its cache, `cache_write_tokens` the part that it put there. `estimated`: the provider did not report them.
    """

    reason: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    estimated: bool = False
    cache_write_tokens: int = 0


Delta = TextDelta | ToolCall | PromptRead | Finished


class ChatModel(Protocol):
    """One model at one provider, ready to answer."""

    def stream(self, prompt: Prompt, options: GenerationOptions) -> AsyncGenerator[Delta, None]:
        """Yield the answer's pieces as they come, the tool calls each whole, then one Finished; perhaps a PromptRead.

        Closing the iterator ends the provider call. A call that fails before its first piece is tried again within
        the adapter's own small budget; after the first piece it never is.
        Raises ProviderBusy (429, with the provider's Retry-After), ProviderFailed (5xx, connection, timeout, malformed
        or cut stream, refused credential with code "provider_rejected").
        """
        ...


class ChatModels(Protocol):
    """Gives the model behind an endpoint; keeps and shares the clients."""

    def at(self, endpoint: ModelEndpoint) -> ChatModel:
        """Return the model at `endpoint`. Raises Invalid with code "unknown_provider"."""
        ...


class Embedder(Protocol):
    """Turns text into vectors whose cosine says how close the meanings are."""

    @property
    def name(self) -> str:
        """The model's name; vectors of different names are never compared. Letters, digits, `-` and `_`."""
        ...

    @property
    def dimensions(self) -> int:
        """Floats per vector."""
        ...

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one unit-length vector of `dimensions` floats per text, in order; splits into batches itself.

        A text longer than the model's window counts by its beginning.
        Raises ProviderBusy or ProviderFailed after retries.
        """
        ...
