"""Answers that were given lately."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from chatconnect.domain.given_answer import GivenAnswer
from chatconnect.domain.identifiers import AssistantId, TenantId


@dataclass(frozen=True, slots=True)
class Asked:
    """All that decides which answer a conversation's first question gets.

    `question` is normalised; `configuration` and `knowledge` are the tenant's epochs, read before anything else of the
    turn; `controls` is what the model is told beside the assistant's own instructions.
    """

    assistant_id: AssistantId
    version: int
    configuration: str
    knowledge: str
    controls: tuple[str, ...]
    question: str


class AnswerCache(Protocol):
    """One tenant's answers. Never fails: when the cache is away, nothing is known and nothing is kept."""

    async def find(self, asked: Asked) -> GivenAnswer | None:
        """Return the answer that was given, in one round trip."""
        ...

    async def keep(self, asked: Asked, answer: GivenAnswer) -> None:
        """Keep an answer for an hour, unless it is very long."""
        ...


AnswerCacheOf = Callable[[TenantId], AnswerCache]
