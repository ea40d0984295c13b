"""What happens while an answer is made, in the words of the public event stream."""

from dataclasses import dataclass
from math import ceil
from typing import Self

from chatconnect.domain.conversation import Citation, Usage
from chatconnect.domain.errors import ChatConnectError, LimitReached, Unavailable
from chatconnect.domain.identifiers import ConversationId, MessageId


@dataclass(frozen=True, slots=True)
class Started:
    """The turn was accepted; always the first event."""

    conversation_id: ConversationId
    message_id: MessageId
    user_message_id: MessageId
    trace_id: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something to know that does not stop the answer, such as a soft limit."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class ToolMoved:
    """A tool was called, is done, or failed; `state` is "called", "done" or "failed"."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """The marker whose first use follows, and what it stands for."""

    citation: Citation


@dataclass(frozen=True, slots=True)
class Done:
    """The answer is complete and stored; the last event of a good stream."""

    finish_reason: str
    usage: Usage
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """The answer ended in an error; the last event of a bad stream. `detail` is for the visitor.

    `retry_after` are the seconds after which it may go better, where that is known.
    """

    code: str
    detail: str
    retryable: bool
    retry_after: int | None = None

    @classmethod
    def of(cls, error: ChatConnectError) -> Self:
        """Return the end of an answer that an error has ended."""
        if not isinstance(error, Unavailable | LimitReached):
            return cls(error.code, error.message, retryable=False)
        wait = error.retry_after
        return cls(error.code, error.message, True, None if wait is None else max(1, ceil(wait)))


@dataclass(frozen=True, slots=True)
class Frame:
    """One event as it goes over the wire: numbers count from 1 within an answer, `data` is JSON."""

    number: int
    name: str
    data: bytes

    @property
    def is_last(self) -> bool:
        """Whether the stream ends with this event."""
        return self.name in ("done", "error")


KEEP_ALIVE = Frame(0, "", b"")
"""Says that nothing happened for a while, so that no proxy takes the stream for dead."""

Event = Started | Warned | ToolMoved | Token | Cited | Done | Failed
