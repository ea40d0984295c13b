"""What searches have found lately."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatconnect.domain.identifiers import DocumentId, TenantId
from chatconnect.domain.knowledge import Passage
from chatconnect.domain.metadata import DocumentFilters


@dataclass(frozen=True, slots=True)
class Query:
    """All that decides what a search finds: `embedder` is a model's name, `knowledge` the epoch of the knowledge."""

    text: str
    embedder: str
    knowledge: str
    documents: tuple[DocumentId, ...] | None
    limit: int
    threshold: float
    filters: DocumentFilters | None = None
    rerank: bool = False


@dataclass(frozen=True, slots=True)
class Remembered:
    """What is known of a query: its vector, which depends on the text and the embedder alone, and its passages."""

    vector: Sequence[float] | None = None
    passages: Sequence[Passage] | None = None


class QueryCache(Protocol):
    """One tenant's queries (B8). Never fails: when the cache is away, nothing is known and nothing is kept."""

    async def find(self, query: Query) -> Remembered:
        """Return what is known, in one round trip."""
        ...

    async def keep(self, query: Query, found: Remembered) -> None:
        """Keep what is not None: a vector for an hour, in single precision, passages for five minutes."""
        ...


QueryCacheOf = Callable[[TenantId], QueryCache]
