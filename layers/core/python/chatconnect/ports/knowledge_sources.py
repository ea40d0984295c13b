"""Where a tenant's knowledge sources are kept, and how they are reached."""

from collections.abc import Callable, Sequence
from typing import Protocol

from chatconnect.domain.identifiers import KnowledgeSourceId, TenantId
from chatconnect.domain.knowledge_source import KnowledgeSource
from chatconnect.ports.knowledge import PassageSource


class KnowledgeSources(Protocol):
    """One tenant's knowledge sources."""

    async def list_all(self) -> Sequence[KnowledgeSource]:
        """Return all sources by name. Raises Unavailable."""
        ...

    async def count(self) -> int:
        """Return how many sources there are, without opening any secret."""
        ...

    async def get(self, source_id: KnowledgeSourceId) -> KnowledgeSource:
        """Return the source. Raises NotFound."""
        ...

    async def add(self, source: KnowledgeSource) -> None:
        """Store a new source. Raises Conflict with code "name_taken"."""
        ...

    async def save(self, source: KnowledgeSource) -> None:
        """Store the source in place of its earlier state. Raises NotFound, Conflict with code "name_taken"."""
        ...

    async def delete(self, source_id: KnowledgeSourceId) -> None:
        """Remove the source. Raises NotFound."""
        ...


KnowledgeSourcesOf = Callable[[TenantId], KnowledgeSources]

Reach = Callable[[KnowledgeSource], PassageSource]
"""Gives the way to search a source of one provider; connects nothing yet, and only ever to public addresses."""
