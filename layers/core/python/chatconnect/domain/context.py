"""What the prompt of an answer was made of: enough to make it again, byte for byte."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chatconnect.domain.identifiers import MessageId
from chatconnect.domain.knowledge import Chunk

MOST_KEPT = 40_000
"""Characters of what the tools of one answer were given and gave, and of what the model was told of them."""


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool that the model could call, as it was told of it: `parameters` is a JSON schema."""

    name: str
    description: str
    parameters: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call of a tool: its arguments as the model wrote them, and what the model was told came of it."""

    name: str
    arguments: str
    result: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class ToolRound:
    """What a model said before it called tools, and the calls, in their order; its next request had all that too."""

    said: str
    uses: tuple[ToolUse, ...]


@dataclass(frozen=True, slots=True)
class PromptContext:
    """Kept with an answer. Its question and its assistant's version stand in the messages themselves.

    `history` are the earlier messages that were sent along, oldest first; `summary` is the last message of what the
    summary in the prompt covers. `passages` are kept with their text, because documents come and go; `company` and
    `controls` (what the model was told beside the assistant's own instructions, in order and as it was) because they
    may be changed, and so may the `tools` that could be called. `query` is what was searched for. `rounds` came after
    the prompt, each on top of those before it.
    """

    company: str
    query: str
    history: tuple[MessageId, ...] = ()
    summary: MessageId | None = None
    passages: tuple[Chunk, ...] = ()
    controls: tuple[str, ...] = ()
    rounds: tuple[ToolRound, ...] = ()
    tools: tuple[OfferedTool, ...] = ()

    def with_tools(self, tools: Iterable[OfferedTool]) -> "PromptContext":
        """Return a copy with the tools; beyond MOST_KEPT characters of all together, with no more than their names."""
        left, kept = MOST_KEPT, []
        for tool in tools:
            left -= len(tool.description) + len(json.dumps(tool.parameters))
            kept.append(tool if left >= 0 else OfferedTool(tool.name, "", {}))
        return replace(self, tools=tuple(kept))

    def with_rounds(self, rounds: Iterable[ToolRound]) -> "PromptContext":
        """Return a copy with what the tools did, as far as that is kept: MOST_KEPT characters of all texts together."""
        left, kept = MOST_KEPT, []
        for round_ in rounds:
            texts = [round_.said, *(text for use in round_.uses for text in (use.arguments, use.result))]
            said, *others = (sound := _sound(texts, left))
            left -= sum(map(len, sound))
            pairs = zip(others[::2], others[1::2], round_.uses, strict=True)
            uses = tuple(
                ToolUse(_sound([use.name], MOST_KEPT)[0], arguments, result, use.failed)
                for arguments, result, use in pairs
            )
            kept.append(ToolRound(said, uses))
        return replace(self, rounds=tuple(kept))


def _sound(texts: Iterable[str], left: int) -> list[str]:
    """Return texts that every store takes (no zeros, no halves of characters), cut when they are too long together."""
    kept = []
    for text in texts:
        whole = text.encode(errors="replace").decode().replace("\0", "")
        kept.append(whole[: max(0, left)])
        left -= len(whole)
    return kept
