"""Lets a model call tools, round by round, until it answers."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

from chatconnect.domain.context import ToolRound, ToolUse
from chatconnect.domain.errors import Caught, ChatConnectError, LimitReached, ProviderBusy, ProviderFailed
from chatconnect.domain.events import ToolMoved
from chatconnect.domain.json_schema import violation
from chatconnect.ports.models import (
    ChatModel,
    Finished,
    GenerationOptions,
    Prompt,
    PromptMessage,
    TextDelta,
    ToolCall,
    ToolResult,
)
from chatconnect.ports.tools import Tool, ToolFailed

TOOL_SECONDS = 15.0
MAX_CALLS = 8  # in one round
MAX_RESULT = 16_000  # characters
UNKNOWN = "unknown"

OnToolFault = Callable[[BaseException], None]


@dataclass(slots=True)
class _Round:
    """What a model said and asked for in one request."""

    text: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    finished: Finished | None = None


class ToolRounds:
    """A model with its tools.

    There are at most `limit` requests to the model; in the last one it may call nothing and has to answer. When its
    tenant's caps have no room for another request, the answer ends with what was said before, as one that is too long
    does; if nothing was, the cap is the error.
    `on_fault` hears of tools that broke; the model is told only that they did, and the visitor that a call failed.
    """

    def __init__(self, model: ChatModel, tools: Sequence[Tool], *, limit: int, on_fault: OnToolFault) -> None:
        self._model, self._limit, self._on_fault = model, limit, on_fault
        self._tools = {tool.definition.name: tool for tool in tools}
        self.rounds: list[ToolRound] = []
        """What the model called so far."""

    async def stream(
        self, prompt: Prompt, options: GenerationOptions
    ) -> AsyncGenerator[TextDelta | ToolMoved | Finished]:
        """Yield the pieces of text, what the tools do, and each round's end; the last end is the answer's.

        Raises what the model raises.
        """
        if self._tools:
            prompt = replace(prompt, tools=tuple(tool.definition for tool in self._tools.values()))
        said = ""
        for number in range(1, self._limit + 1):
            final = number == self._limit or not self._tools
            round_ = _Round()
            bounds = replace(options, may_call_tools=not final)
            async with aclosing(self._one_round(prompt, bounds, round_, said=bool(said))) as pieces:
                async for piece in pieces:
                    if said and not said.endswith("\n") and not round_.text:
                        yield TextDelta("\n\n")  # what was said before the call stands apart
                    round_.text.append(piece.text)
                    yield piece
            said = "".join(round_.text) or said
            if round_.finished is None:
                raise ProviderFailed
            yield round_.finished
            if not round_.calls:
                return
            if final:
                break
            results: list[ToolResult] = []
            async with aclosing(self._call_all(round_.calls, results)) as moves:
                async for move in moves:
                    yield move
            self.rounds.append(_told(round_, results))
            asked = PromptMessage("assistant", "".join(round_.text), calls=tuple(round_.calls))
            prompt = replace(prompt, messages=(*prompt.messages, asked, PromptMessage("tool", "", (), tuple(results))))
        if not said:
            raise ProviderFailed  # it calls tools although it may not, and says nothing

    async def _one_round(
        self, prompt: Prompt, options: GenerationOptions, round_: _Round, *, said: bool
    ) -> AsyncGenerator[TextDelta]:
        """Yield the text of one request. One that there is no room for ends the answer, where something was `said`."""
        try:
            async with aclosing(self._model.stream(prompt, options)) as deltas:
                async for delta in deltas:
                    if isinstance(delta, TextDelta):
                        yield delta
                    elif isinstance(delta, ToolCall):
                        round_.calls.append(delta)
                    elif isinstance(delta, Finished):
                        round_.finished = delta
                        break
        except LimitReached as reached:
            if isinstance(reached, ProviderBusy) or not said:
                raise
            round_.finished = Finished("length", 0, 0)

    async def _call_all(self, calls: Sequence[ToolCall], results: list[ToolResult]) -> AsyncGenerator[ToolMoved]:
        """Make a round's calls side by side; `results` gets one for each, in their order."""
        for call in calls:
            yield ToolMoved(self._shown_name(call), "called")
        running = {
            asyncio.create_task(self._call(call, surplus=position >= MAX_CALLS)): call
            for position, call in enumerate(calls)
        }
        waiting = set(running)
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield ToolMoved(self._shown_name(running[task]), "failed" if task.result().failed else "done")
        finally:
            for task in waiting:
                task.cancel()
        results.extend(task.result() for task in running)

    async def _call(self, call: ToolCall, *, surplus: bool) -> ToolResult:
        """Make one call. Whatever goes wrong becomes a result, in words for the model."""
        with Caught() as caught:
            tool, arguments = self._understood(call, surplus=surplus)
            async with asyncio.timeout(TOOL_SECONDS):
                return ToolResult(call.id, _bounded(await tool.call(arguments)))
        match caught.fault:
            case ToolFailed() as failure:
                return _failed(call, str(failure))
            case TimeoutError():
                return _failed(call, f"no result within {TOOL_SECONDS:.0f} seconds")
            case ChatConnectError() as error:
                return _failed(call, error.message)
            case Exception() as fault:
                self._on_fault(fault)
        return _failed(call, "the tool failed")

    def _understood(self, call: ToolCall, *, surplus: bool) -> tuple[Tool, dict[str, Any]]:
        if surplus:
            raise ToolFailed(f"at most {MAX_CALLS} calls can be made at once")
        tool = self._tools.get(call.name)
        if tool is None:
            raise ToolFailed(f"there is no such tool; there are: {', '.join(self._tools)}")
        try:
            arguments = json.loads(call.arguments)
        except (ValueError, RecursionError):
            raise ToolFailed("the arguments are not JSON") from None
        wrong = violation(tool.definition.parameters, arguments)
        if wrong is not None or not isinstance(arguments, dict):
            raise ToolFailed(wrong or "the arguments have to be an object")
        return tool, arguments

    def _shown_name(self, call: ToolCall) -> str:
        """Return a name that is ours: what a model makes up is no visitor's business."""
        return call.name if call.name in self._tools else UNKNOWN


def _told(round_: _Round, results: Sequence[ToolResult]) -> ToolRound:
    uses = (
        ToolUse(call.name, call.arguments, result.text, result.failed)
        for call, result in zip(round_.calls, results, strict=True)
    )
    return ToolRound("".join(round_.text), tuple(uses))


def _failed(call: ToolCall, why: str) -> ToolResult:
    return ToolResult(call.id, _bounded(f"Error: {why}"), failed=True)


def _bounded(text: str) -> str:
    """Return text that every provider takes: not too long, and without the halves of characters that JSON allows."""
    sound = text.encode(errors="replace").decode()
    return sound if len(sound) <= MAX_RESULT else f"{sound[:MAX_RESULT]}\n(shortened)"
