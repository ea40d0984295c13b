"""OpenAI's chat completions, and the many servers that speak the same protocol."""

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import orjson

from chatconnect.adapters.provider_account import ProviderAccount
from chatconnect.adapters.provider_http import MAX_RETRIES, refusal, token_counts
from chatconnect.adapters.sse import brought_by, open_events
from chatconnect.adapters.token_estimate import estimated_prompt_tokens, estimated_tokens
from chatconnect.domain.errors import ProviderBusy, ProviderFailed
from chatconnect.domain.json_schema import is_closed
from chatconnect.domain.response_format import ResponseFormat
from chatconnect.ports.models import Delta, Finished, GenerationOptions, Prompt, PromptMessage, TextDelta, ToolCall

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

OWN_ADDRESS = "https://api.openai.com/v1"
REASONS = {"length": "length", "content_filter": "filtered"}  # any other is an ordinary stop
# These families think before they answer: they refuse a temperature, and the older name of the limit.
THINKING = re.compile(r"gpt-[5-9]|o\d")


class OpenAIAccount(ProviderAccount["AsyncOpenAI"]):
    """One key at OpenAI, or at a server that speaks the same protocol."""

    MODULE = "openai.resources.chat.completions"

    def open(self, http: "httpx2.AsyncClient") -> "AsyncOpenAI":
        """Return a client that sends through `http`."""
        from openai import AsyncOpenAI

        return AsyncOpenAI(
            api_key=self.key.reveal(), base_url=self.base_url or OWN_ADDRESS, http_client=http, max_retries=MAX_RETRIES
        )


class OpenAIChat:
    """One chat model of an account.

    A compatible server that reports no usage gets an estimate: four characters per token.
    """

    def __init__(self, account: OpenAIAccount, model: str) -> None:
        self._account, self._model = account, model

    async def stream(self, prompt: Prompt, options: GenerationOptions) -> AsyncGenerator[Delta]:
        """Yield the answer's pieces, then one Finished. Raises ProviderBusy and ProviderFailed."""
        answer = _Answer()
        with openai_errors():
            call = self._account.stream("/chat/completions", self._request(prompt, options))
            async with open_events(call, self._account.timeouts) as payloads:
                async for together in payloads:
                    for piece in brought_by(together, answer):
                        yield piece
                    if answer.done:
                        break
        finished = answer.finished(prompt)
        for wanted in answer.calls():
            yield wanted
        yield finished

    def _request(self, prompt: Prompt, options: GenerationOptions) -> dict[str, Any]:
        system = [{"role": "system", "content": prompt.system}] if prompt.system else []
        dialogue = [each for message in prompt.messages for each in _messages(message)]
        thinks = THINKING.match(self._model) is not None
        # OpenAI's own models refuse the older name; most compatible servers know no other.
        limit = "max_tokens" if self._account.base_url and not thinks else "max_completion_tokens"
        request: dict[str, Any] = {
            "model": self._model,
            "messages": system + dialogue,
            limit: options.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if options.temperature is not None and not thinks:
            request["temperature"] = options.temperature
        if prompt.tools:
            request["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.name,
                        "description": tool.description,
                        "parameters": dict(tool.parameters),
                    },
                }
                for tool in prompt.tools
            ]
            request["tool_choice"] = "auto" if options.may_call_tools else "none"
        if options.response_format.is_json:
            request["response_format"] = _response_format(options.response_format)
        return request


def _response_format(wanted: ResponseFormat) -> dict[str, Any]:
    """Return the form of an answer as the vendor's."""
    if wanted.schema is None:
        return {"type": "json_object"}
    schema = {"name": "answer", "schema": wanted.schema, "strict": is_closed(wanted.schema)}
    return {"type": "json_schema", "json_schema": schema}


def _messages(message: PromptMessage) -> list[dict[str, Any]]:
    """Return a message as the vendor's: each tool result is a message of its own."""
    if message.results:
        return [{"role": "tool", "tool_call_id": each.call_id, "content": each.text} for each in message.results]
    said: dict[str, Any] = {"role": message.role, "content": message.text}
    if message.calls:
        said["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.calls
        ]
    return [said]


class _Answer:
    """What is known of an answer while its chunks come in."""

    def __init__(self) -> None:
        self.done = False
        self._reason: str | None = None
        self._usage: dict[str, Any] = {}
        self._characters = 0
        self._calls: dict[int, dict[str, str]] = {}

    def take(self, payload: bytes) -> TextDelta | None:
        """Read one chunk and return its piece of text, if any. Raises ProviderBusy and ProviderFailed."""
        if payload == b"[DONE]":
            self.done = True
            return None
        try:
            chunk = orjson.loads(payload)
            if error := chunk.get("error"):
                raise _error_in_stream(error)
            if (usage := chunk.get("usage")) and isinstance(usage, dict):
                self._usage = usage
            if not (choices := chunk.get("choices")):
                return None
            self._reason = choices[0].get("finish_reason") or self._reason
            delta = choices[0].get("delta") or {}
            text: str = delta.get("content") or delta.get("refusal") or ""
            self._characters += len(text)
            if pieces := delta.get("tool_calls"):
                self._collect(pieces)
        except (ValueError, TypeError, AttributeError, LookupError):
            raise ProviderFailed from None
        return TextDelta(text) if text else None

    def _collect(self, pieces: list[dict[str, Any]]) -> None:
        """Put tool calls together: the first piece of each names it, the others continue its arguments."""
        for piece in pieces:
            call = self._calls.setdefault(piece.get("index") or 0, {"id": "", "name": "", "arguments": ""})
            function = piece.get("function") or {}
            call["id"] = call["id"] or piece.get("id") or ""
            call["name"] = call["name"] or function.get("name") or ""
            arguments: str = function.get("arguments") or ""
            call["arguments"] += arguments
            self._characters += len(arguments)

    def calls(self) -> list[ToolCall]:
        """Return the tool calls in the model's order, each with an id."""
        return [
            ToolCall(call["id"] or f"call_{index}", call["name"], call["arguments"] or "{}")
            for index, call in sorted(self._calls.items())
        ]

    def finished(self, prompt: Prompt) -> Finished:
        """Return the end of the answer. Raises ProviderFailed when the stream stopped before it."""
        if not self.done and self._reason is None:
            raise ProviderFailed
        usage, details = token_counts(self._usage), token_counts(self._usage.get("prompt_tokens_details"))
        return Finished(
            reason=REASONS.get(self._reason or "", "stop"),
            input_tokens=usage.get("prompt_tokens", estimated_prompt_tokens(prompt)),
            output_tokens=usage.get("completion_tokens", estimated_tokens(" " * self._characters)),
            cached_tokens=details.get("cached_tokens", 0),
            estimated=not usage,
        )


def _error_in_stream(error: dict[str, Any]) -> ProviderBusy | ProviderFailed:
    limited = "rate_limit" in f"{error.get('type')} {error.get('code')}"
    return ProviderBusy() if limited else ProviderFailed()


@contextmanager
def openai_errors() -> Iterator[None]:
    """Turn the vendor's errors into ours.

    Theirs may quote the prompt or the key, so they are not chained: no traceback shows them.
    """
    import httpx2
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        raise refusal(error.status_code, error.response.headers) from None
    except (openai.OpenAIError, httpx2.HTTPError, TimeoutError):
        raise ProviderFailed from None
