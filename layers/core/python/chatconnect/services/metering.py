"""What an answer takes, counted while it is made, so that one that breaks off has its price too."""

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol

from chatconnect.domain.conversation import Usage
from chatconnect.domain.pricing import Price
from chatconnect.ports.models import (
    ChatModel,
    Delta,
    Finished,
    GenerationOptions,
    Prompt,
    PromptRead,
    TextDelta,
    ToolCall,
)

CountTokens = Callable[[str], int]

MESSAGE_TOKENS = 4
"""What a provider adds to each message for its role and its borders."""
TOOL_USE_TOKENS = 350
"""What a provider tells its model of how tools are called; the published figures are up to 346."""

LONGEST_TOKEN = 40
"""Characters that no text has per token, taken over a whole answer."""


def prompt_tokens(prompt: Prompt, count_tokens: CountTokens) -> int:
    """Return how many tokens a prompt has, about."""
    texts = [prompt.system]
    for message in prompt.messages:
        texts += [message.text, *(call.arguments for call in message.calls), *(each.text for each in message.results)]
    return sum(count_tokens(text) + MESSAGE_TOKENS for text in texts) + tools_tokens(prompt, count_tokens)


def tools_tokens(prompt: Prompt, count_tokens: CountTokens) -> int:
    """Return how many tokens of a prompt, about, tell of its tools."""
    if not prompt.tools:
        return 0
    told = (f"{tool.name} {tool.description} {json.dumps(tool.parameters)}" for tool in prompt.tools)
    return TOOL_USE_TOKENS + sum(count_tokens(text) + MESSAGE_TOKENS for text in told)


class Allowance(Protocol):
    """What the calls of one model may still take."""

    async def grant(self, prompt: Prompt, options: GenerationOptions) -> GenerationOptions:
        """Set aside what a call may take at worst, and return its options, cut to what is left. Raises LimitReached."""
        ...

    def took(self, finished: Finished) -> None:
        """Hear what the last call took."""
        ...


@dataclass(slots=True)
class _Call:
    """One call of the model, as far as it has come."""

    prompt: Prompt
    text: list[str] = field(default_factory=list)
    read: PromptRead | None = None
    finished: Finished | None = None

    def take(self, delta: Delta) -> None:
        """Note what has come."""
        match delta:
            case TextDelta(text) | ToolCall(arguments=text):
                self.text.append(text)
            case PromptRead():
                self.read = delta
            case Finished():
                self.finished = delta


class MeteredModel:
    """A model whose calls are allowed and counted for one answer, by the provider's own figures where it gave them.

    A call that brought nothing, not even its prompt's length, counts nothing: providers charge for no refusal. Zeros,
    which no database takes, are left out of what a model says.
    """

    def __init__(self, model: ChatModel, count_tokens: CountTokens, allowance: Allowance) -> None:
        self._model, self._count_tokens, self._allowance = model, count_tokens, allowance
        self._calls: list[_Call] = []

    async def stream(self, prompt: Prompt, options: GenerationOptions) -> AsyncGenerator[Delta]:
        """Yield what the model says. Raises LimitReached when there is no room for the call, and what the model raises.

        Where there is little room, the output is shorter than `options` have it, and no tools are called: there would
        be none for their results. A model that goes far beyond what it may say is cut off: it may be anybody's.
        """
        options = await self._allowance.grant(prompt, options)
        call = _Call(prompt)
        self._calls.append(call)
        left = LONGEST_TOKEN * options.max_tokens
        async with aclosing(self._model.stream(prompt, options)) as deltas:
            async for delta in deltas:
                call.take(delta)
                if isinstance(delta, TextDelta) and (left := left - len(delta.text)) < 0:
                    break
                if call.finished is not None:
                    self._allowance.took(call.finished)
                if isinstance(delta, TextDelta) and "\0" in delta.text:
                    if text := delta.text.replace("\0", ""):
                        yield TextDelta(text)
                else:
                    yield delta
        if left < 0 and (cut := self._broken_off(call)) is not None:
            call.finished = replace(cut, reason="length")
            self._allowance.took(call.finished)
            yield call.finished

    def usage(self, price: Price | None) -> Usage:
        """Return what has been taken so far, without times; without a price it costs nothing."""
        ends = [end for call in self._calls if (end := call.finished or self._broken_off(call))]
        input_tokens = sum(end.input_tokens for end in ends)
        output_tokens = sum(end.output_tokens for end in ends)
        cached_tokens = sum(end.cached_tokens for end in ends)
        written = sum(end.cache_write_tokens for end in ends)
        cost = 0
        if price:
            cost = price.of(
                input_tokens=input_tokens,
                output_tokens=output_tokens,
                cached_tokens=cached_tokens,
                cache_write_tokens=written,
            )
        estimated = any(end.estimated for end in ends)
        return Usage(input_tokens, output_tokens, cached_tokens, cost, estimated=estimated, cache_write_tokens=written)

    def _broken_off(self, call: _Call) -> Finished | None:
        """Return the estimate of a call that has no end, None when nothing came of it."""
        if call.read is None and not call.text:
            return None
        read = call.read or PromptRead(prompt_tokens(call.prompt, self._count_tokens))
        output = self._count_tokens("".join(call.text))
        return Finished(
            "stop",
            read.input_tokens,
            output,
            read.cached_tokens,
            estimated=True,
            cache_write_tokens=read.cache_write_tokens,
        )
