"""What the prompt of an answer was made of: enough to make it again, byte for byte."""

from dataclasses import dataclass

from chatconnect.domain.identifiers import MessageId
from chatconnect.domain.knowledge import Chunk


@dataclass(frozen=True, slots=True)
class PromptContext:
    """Kept with an answer. Its question and its assistant's version stand in the messages themselves.

    `history` are the earlier messages that were sent along, oldest first; `summary` is the last message of what the
    summary in the prompt covers. `passages` are kept with their text, because documents come and go; `company` and
    `controls` (what the model was told beside the assistant's own instructions, in order and as it was) because they
    may be changed. `query` is what was searched for.
    """

    company: str
    query: str
    history: tuple[MessageId, ...] = ()
    summary: MessageId | None = None
    passages: tuple[Chunk, ...] = ()
    controls: tuple[str, ...] = ()
