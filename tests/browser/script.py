"""What a server says in answer to a question, in steps, with faults and pauses on demand."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

RETURNS: dict[str, Any] = {
    "marker": 1,
    "document_id": "d1",
    "title": "Returns policy.pdf",
    "page": 2,
    "quote": "Unridden bicycles may be returned within 30 days for a full refund.",
}
PRICES: dict[str, Any] = {
    "marker": 2,
    "document_id": "d2",
    "title": "Price list 2026.csv",
    "page": None,
    "quote": "Return shipping: 19.00 EUR per bicycle",
}

Event = tuple[str, dict[str, Any]]


class Hold:
    """Wait before the next event, until the test has seen enough."""

    def __init__(self) -> None:
        self._over = asyncio.Event()

    def end(self) -> None:
        """Go on."""
        self._over.set()

    async def wait(self) -> None:
        """Return when it has ended."""
        await self._over.wait()


@dataclass(frozen=True)
class Drop:
    """Break the connection in the middle of an event."""


@dataclass(frozen=True)
class Refuse:
    """Answer the request with an error instead of a stream."""

    status: int
    code: str
    message: str
    retry_after: int | None = None


Step = Event | Hold | Drop | Refuse
"""What a script is made of: one script per question asked, continued by each resumption."""


def tokens(text: str) -> list[Step]:
    """The text as one token event per word."""
    return [("token", {"text": word}) for word in _words(text)]


def _words(text: str) -> Iterator[str]:
    rest = text
    while rest:
        cut = rest.find(" ", 1)
        if cut < 0:
            cut = len(rest)
        yield rest[:cut]
        rest = rest[cut:]


def answer(text: str, *citations: dict[str, Any]) -> list[Step]:
    """A complete answer without incidents."""
    return [*tokens(text), *(("citation", citation) for citation in citations), DONE]


DONE: Event = ("done", {"finish_reason": "stop", "usage": {}})
ANSWER = answer(
    "You can return an **unridden** bicycle within 30 days [1]. Return shipping is 19 € [2].", RETURNS, PRICES
)
