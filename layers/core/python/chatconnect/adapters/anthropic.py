"""Anthropic's messages."""

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson

from chatconnect.adapters.provider_account import ProviderAccount
from chatconnect.adapters.provider_http import MAX_RETRIES, refusal, token_counts
from chatconnect.adapters.sse import brought_by, open_events
from chatconnect.domain.errors import ProviderBusy, ProviderFailed
from chatconnect.domain.json_schema import is_closed
from chatconnect.ports.models import (
    Delta,
    Finished,
    GenerationOptions,
    Prompt,
    PromptMessage,
    PromptRead,
    TextDelta,
    ToolCall,
)

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic

OWN_ADDRESS = "https://api.anthropic.com"
REASONS = {  # any other is an ordinary stop
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "filtered",
}
BUSY_ERRORS = frozenset({"overloaded_error", "rate_limit_error"})
INPUT_COUNTS = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
# How long, in tokens, a prompt's beginning has to be for the vendor to keep it, as published; it keeps nothing shorter.
SHORTEST_KEPT = {
    "claude-fable-5": 512,
    "claude-mythos-5": 512,
    "claude-opus-5": 512,
    "claude-opus-4-8": 1_024,
    "claude-sonnet-5": 1_024,
    "claude-sonnet-4-6": 1_024,
    "claude-sonnet-4-5": 1_024,
    "claude-opus-4-7": 2_048,
}
SHORTEST_KEPT_ELSEWHERE = 4_096
BYTES_PER_TOKEN = 4
KEPT = {"type": "ephemeral"}  # for five minutes from its last use


class AnthropicAccount(ProviderAccount["AsyncAnthropic"]):
    """One key at Anthropic."""

    MODULE = "anthropic.resources.messages"

    def open(self, http: "httpx2.AsyncClient") -> "AsyncAnthropic":
        """Return a client that sends through `http`."""
        from anthropic import AsyncAnthropic

        return AsyncAnthropic(
            api_key=self.key.reveal(), base_url=self.base_url or OWN_ADDRESS, http_client=http, max_retries=MAX_RETRIES
        )


class AnthropicChat:
    """One model of an account.

    The API's version 2026-10-21, which the vendor's client speaks, refuses a temperature of whatever value: none is
    sent, and `GenerationOptions.temperature` has no effect here.
    """

    def __init__(self, account: AnthropicAccount, model: str) -> None:
        self._account, self._model = account, model

    async def stream(self, prompt: Prompt, options: GenerationOptions) -> AsyncGenerator[Delta]:
        """Yield the answer's pieces, then one Finished. Raises ProviderBusy and ProviderFailed."""
        answer = _Answer()
        with anthropic_errors():
            call = self._account.stream("/v1/messages", self._request(prompt, options))
            async with open_events(call, self._account.timeouts) as payloads:
                async for together in payloads:
                    for piece in brought_by(together, answer):
                        yield piece
                    if answer.done:
                        break
        yield answer.finished()

    def _request(self, prompt: Prompt, options: GenerationOptions) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self._model,
            "messages": [_message(message) for message in prompt.messages],
            "max_tokens": options.max_tokens,
            "stream": True,
        }
        if prompt.instructions:
            request["system"] = prompt.instructions
        if prompt.tools:
            request["tools"] = [
                {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)}
                for tool in prompt.tools
            ]
            request["tool_choice"] = {"type": "auto" if options.may_call_tools else "none"}
        if (schema := options.response_format.schema) is not None and is_closed(schema):  # it takes no others
            request["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        if prompt.lasting is not None:
            _mark_lasting(request, prompt.lasting, _shortest_kept(self._model))
        return request


def _shortest_kept(model: str) -> int:
    """Return how long a prompt's beginning has to be; a dated release ("claude-opus-5-20260801") is as its model."""
    known = SHORTEST_KEPT.get(re.sub(r"-20\d{6}$", "", model))
    return SHORTEST_KEPT_ELSEWHERE if known is None else known


def _mark_lasting(request: dict[str, Any], messages: int, shortest: int) -> None:
    """Have the vendor keep what later requests begin with: tools and instructions, and so many messages after them.

    Writing costs a quarter more than reading anew, so nothing is marked that changes with the next question.
    """
    dialogue = request["messages"][:messages]
    tokens = len(orjson.dumps([request.get("tools"), request.get("system")])) // BYTES_PER_TOKEN
    if "system" in request and tokens >= shortest:
        request["system"] = [_text(request["system"]) | {"cache_control": KEPT}]
    if dialogue and tokens + len(orjson.dumps(dialogue)) // BYTES_PER_TOKEN >= shortest:
        last = dialogue[-1]
        last["content"] = [_text(last["content"]) | {"cache_control": KEPT}]


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _message(message: PromptMessage) -> dict[str, Any]:
    """Return a message as the vendor's: calls are blocks of the assistant's message, results of a user's."""
    if message.results:
        results = [
            {"type": "tool_result", "tool_use_id": each.call_id, "content": each.text, "is_error": each.failed}
            for each in message.results
        ]
        return {"role": "user", "content": results}
    if message.data:  # after the dialogue, so that all before it can be kept
        return {"role": message.role, "content": [_text(message.data), _text(message.text)]}
    if not message.calls:
        return {"role": message.role, "content": message.text}
    text = [_text(message.text)] if message.text.strip() else []  # an empty block is refused
    calls = [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": _object(call.arguments)}
        for call in message.calls
    ]
    return {"role": message.role, "content": text + calls}


def _object(arguments: str) -> dict[str, Any]:
    """Return a call's arguments; broken ones, whose result says so, as none: the API takes objects only."""
    try:
        value = orjson.loads(arguments)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


class _Answer:
    """What is known of an answer while its events come in."""

    def __init__(self) -> None:
        self.done = False
        self._reason = ""
        self._usage: dict[str, int] = {}
        self._prompt_told = False
        self._call: dict[str, str] | None = None  # blocks come one after the other

    def take(self, payload: bytes) -> TextDelta | ToolCall | PromptRead | None:
        """Read one event and return the piece that it brings or completes. Raises ProviderBusy and ProviderFailed."""
        return self._piece(payload) or self._prompt_read()

    def _piece(self, payload: bytes) -> TextDelta | ToolCall | None:
        try:
            event = orjson.loads(payload)
            match event["type"]:
                case "content_block_delta":
                    return self._take_delta(event["delta"])
                case "content_block_start":
                    self._begin_block(event["content_block"])
                case "content_block_stop":
                    return self._end_block()
                case "message_start":
                    self._count(event["message"].get("usage"))
                case "message_delta":
                    self._count(event.get("usage"))
                    self._reason = event["delta"].get("stop_reason") or self._reason
                case "message_stop":
                    self.done = True
                case "error":
                    raise _error_in_stream(event["error"])
        except (ValueError, TypeError, AttributeError, LookupError):
            raise ProviderFailed from None
        return None

    def _take_delta(self, delta: dict[str, Any]) -> TextDelta | None:
        if self._call is not None:
            self._call["arguments"] += delta.get("partial_json") or ""
            return None
        text = delta.get("text")
        return TextDelta(text) if text else None

    def _begin_block(self, block: dict[str, Any]) -> None:
        if block["type"] == "tool_use":
            self._call = {"id": block["id"], "name": block["name"], "arguments": ""}

    def _end_block(self) -> ToolCall | None:
        call, self._call = self._call, None
        return ToolCall(call["id"], call["name"], call["arguments"] or "{}") if call else None

    def _count(self, usage: dict[str, Any] | None) -> None:
        """Counts are cumulative: the newest of each stands."""
        self._usage |= token_counts(usage)

    def _prompt_read(self) -> PromptRead | None:
        """Return how long the prompt is, once, as soon as it is known."""
        if self._prompt_told or not self._usage:
            return None
        self._prompt_told = True
        return PromptRead(self._input_tokens(), *self._cached_tokens())

    def _input_tokens(self) -> int:
        return sum(self._usage.get(name, 0) for name in INPUT_COUNTS)

    def _cached_tokens(self) -> tuple[int, int]:
        """Return how much of the input was read from the cache, and how much was put there."""
        return self._usage.get("cache_read_input_tokens", 0), self._usage.get("cache_creation_input_tokens", 0)

    def finished(self) -> Finished:
        """Return the end of the answer. Raises ProviderFailed when the stream stopped before it."""
        if not self.done:
            raise ProviderFailed
        cached, written = self._cached_tokens()
        return Finished(
            reason=REASONS.get(self._reason, "stop"),
            input_tokens=self._input_tokens(),
            output_tokens=self._usage.get("output_tokens", 0),
            cached_tokens=cached,
            cache_write_tokens=written,
        )


def _error_in_stream(error: dict[str, Any]) -> ProviderBusy | ProviderFailed:
    return ProviderBusy() if error.get("type") in BUSY_ERRORS else ProviderFailed()


@contextmanager
def anthropic_errors() -> Iterator[None]:
    """Turn the vendor's errors into ours.

    Theirs may quote the prompt or the key, so they are not chained: no traceback shows them.
    """
    import anthropic
    import httpx2

    try:
        yield
    except anthropic.APIStatusError as error:
        raise refusal(error.status_code, error.response.headers) from None
    except (anthropic.AnthropicError, httpx2.HTTPError, TimeoutError):
        raise ProviderFailed from None
