"""Answers in JSON: nobody sees one before it is checked, and one that is wrong is put right once."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from chatconnect.domain.errors import AnswerNotJson, ProviderFailed
from chatconnect.domain.response_format import NotInForm, ResponseFormat
from chatconnect.ports.models import (
    ChatModel,
    Delta,
    Finished,
    GenerationOptions,
    Prompt,
    PromptMessage,
    TextDelta,
    ToolCall,
)


@dataclass(slots=True)
class _Said:
    """What a model said and asked for in one request."""

    finished: Finished
    text: str = ""
    calls: list[ToolCall] = field(default_factory=list)


class JsonModel:
    """A model that answers in the form that was asked for, or not at all, whatever a visitor tells it."""

    def __init__(self, model: ChatModel, response_format: ResponseFormat) -> None:
        self._model, self._format = model, response_format

    async def stream(self, prompt: Prompt, options: GenerationOptions) -> AsyncGenerator[Delta]:
        """Yield the answer in one piece, or the tool calls that it needs first, and the end.

        What the model says beside its calls is left out: it is no part of the JSON. An answer in another form goes back
        to the model once, with what is wrong. Raises AnswerNotJson when that does not help, and what the model raises.
        """
        said = await self._said(prompt, options)
        if said.calls and options.may_call_tools:
            for call in said.calls:
                yield call
        else:
            try:
                text = self._format.checked(said.text)
            except NotInForm as wrong:
                said = await self._said(_repair(prompt, said, wrong), replace(options, may_call_tools=False))
                text = self._checked_again(said.text)
            yield TextDelta(text)
        yield said.finished

    async def _said(self, prompt: Prompt, options: GenerationOptions) -> _Said:
        pieces: list[str] = []
        calls: list[ToolCall] = []
        async with aclosing(self._model.stream(prompt, options)) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta):
                    pieces.append(delta.text)
                elif isinstance(delta, ToolCall):
                    calls.append(delta)
                elif isinstance(delta, Finished):
                    return _Said(delta, "".join(pieces), calls)
        raise ProviderFailed

    def _checked_again(self, text: str) -> str:
        try:
            return self._format.checked(text)
        except NotInForm:
            raise AnswerNotJson from None  # what is wrong may quote the answer


def _repair(prompt: Prompt, said: _Said, wrong: NotInForm) -> Prompt:
    """Return the prompt that asks again, with the answer so far; not every provider takes an empty one."""
    shorter = " It was cut off: be shorter." if said.finished.reason == "length" else ""
    asked = f"Your answer cannot be used: {wrong}.{shorter} Answer again, with the JSON object alone."
    answered = PromptMessage("assistant", said.text if said.text.strip() else "(nothing)")
    return replace(prompt, messages=(*prompt.messages, answered, PromptMessage("user", asked)))
