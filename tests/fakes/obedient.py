"""A model that does whatever it reads, wherever it reads it: the worst that an injection can make of one."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace

from chatconnect.ports.models import Delta, GenerationOptions, Prompt, TextDelta, ToolCall
from tests.fakes.models import FINISHED, ScriptedModel

_ORDER = re.compile(r"OBEY\((say|call) ([^)]*?)\)YEBO", re.DOTALL)


def order_to_say(text: str) -> str:
    """Words that make the model say a text; {instructions} and {said} stand for what it knows of both.

    The words do not hold the text itself: that would be a document's to say.
    """
    return f"OBEY(say {b64encode(text.encode()).decode()})YEBO"


def order_to_call(tool: str, **arguments: object) -> str:
    """Words that make the model call a tool."""
    return f"OBEY(call {tool} {json.dumps(arguments)})YEBO"


class ObedientModel(ScriptedModel):
    """Obeys each order once, tool calls first, and says the rest in pieces of a few characters."""

    def __init__(self) -> None:
        super().__init__()
        self._obeyed: set[str] = set()

    async def stream(self, prompt: Prompt, options: GenerationOptions) -> AsyncGenerator[Delta]:
        self.prompts.append(prompt)
        orders = [match for text in _read(prompt) for match in _ORDER.finditer(text)]
        calls = [order for order in orders if order[1] == "call" and order[0] not in self._obeyed]
        for number, order in enumerate(calls):
            self._obeyed.add(order[0])
            name, _, arguments = order[2].partition(" ")
            yield ToolCall(f"call-{len(self.prompts)}-{number}", name, arguments)
        if not calls:
            said = "\n".join(message.text for message in prompt.messages)
            for order in (order for order in orders if order[1] == "say"):
                text = b64decode(order[2]).decode().replace("{instructions}", prompt.instructions)
                for piece in _in_pieces(f"{text.replace('{said}', said[:40])} "):
                    yield TextDelta(piece)
            yield TextDelta("That is all.")
        yield replace(FINISHED, reason="tool_calls" if calls else "stop")


def _read(prompt: Prompt) -> Iterator[str]:
    for tool in prompt.tools:
        yield tool.description
    for message in prompt.messages:
        yield message.text
        yield message.data
        for result in message.results:
            yield result.text


def _in_pieces(text: str) -> Iterator[str]:
    return (text[at : at + 7] for at in range(0, len(text), 7))
