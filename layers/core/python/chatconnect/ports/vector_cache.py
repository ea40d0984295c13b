"""Vectors of texts that were embedded lately."""

from collections.abc import Callable, Sequence
from typing import Protocol

from chatconnect.domain.identifiers import TenantId

Vector = Sequence[float]


class VectorCache(Protocol):
    """One tenant's vectors (B8). Never fails: when the cache is away, nothing is known and nothing is kept."""

    async def find(self, embedder: str, texts: Sequence[str]) -> list[Vector | None]:
        """Return what is known of each text, in order and in one round trip; `embedder` is a model's name."""
        ...

    async def keep(self, embedder: str, texts: Sequence[str], vectors: Sequence[Vector]) -> None:
        """Keep a vector for each text, for an hour, in single precision."""
        ...


VectorCacheOf = Callable[[TenantId], VectorCache]
