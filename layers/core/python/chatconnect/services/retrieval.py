"""Finding the passages that answer a question."""

import asyncio
from collections.abc import Sequence

from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.knowledge import Passage, merge_adjacent
from chatconnect.ports.knowledge import ChunksOf, DocumentsOf, SearchScope
from chatconnect.ports.models import Embedder

MAX_QUERY = 2_000
# Some of what is found may be joined or turn out to be replaced, so more is asked for.
_SPARE = 2


class RetrievalService:
    """Searches a tenant's knowledge."""

    def __init__(self, *, documents_of: DocumentsOf, chunks_of: ChunksOf, embedder: Embedder) -> None:
        self._documents_of, self._chunks_of, self._embedder = documents_of, chunks_of, embedder

    async def search(self, tenant_id: TenantId, query: str, settings: Retrieval) -> list[Passage]:
        """Return the best passages, best first; neighbours are joined, and only active versions are found.

        Raises Invalid for an empty or over-long query, Unavailable when a store or the embedder is away.
        """
        if not query.strip() or len(query) > MAX_QUERY:
            raise Invalid(f"a query has 1 to {MAX_QUERY:,} characters", details={"field": "query"})
        documents = self._documents_of(tenant_id)
        [vector], hidden = await asyncio.gather(self._embedder.embed([query]), documents.hidden_versions())
        passages = await self._chunks_of(tenant_id).search(
            query,
            vector,
            SearchScope(settings.document_ids, tuple(hidden)),
            limit=settings.limit * _SPARE,
            threshold=settings.threshold,
        )
        if not passages:
            return []
        # A version may have been replaced or deleted since `hidden` was read: one snapshot decides for all.
        active = await documents.active_among({passage.chunk.version_id for passage in passages})
        standing = [passage for passage in passages if passage.chunk.version_id in active]
        return merge_adjacent(standing)[: settings.limit]

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector per text. Raises Invalid for none, too many, or an empty or over-long one."""
        if not 1 <= len(texts) <= 100:
            raise Invalid("between 1 and 100 texts can be embedded at once", details={"field": "texts"})
        for number, text in enumerate(texts):
            if not text.strip() or len(text) > 10 * MAX_QUERY:
                raise Invalid("a text has 1 to 20,000 characters", details={"field": f"texts.{number}"})
        return await self._embedder.embed(texts)
