"""Vectors of documents' chunks: what was embedded lately is not asked for again, and what is asked for is accounted."""

from collections.abc import Callable, Sequence
from datetime import date

from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.knowledge import Chunk, Embedded
from chatconnect.domain.pricing import Price
from chatconnect.ports.clock import Clock
from chatconnect.ports.indexes import Index
from chatconnect.ports.knowledge import Documents
from chatconnect.ports.vector_cache import Vector, VectorCacheOf

REMEMBERED = 5_000
"""Chunks of one document: at 1,536 floats they take 30 MB for an hour. Further ones are embedded each time."""

PriceOf = Callable[[str, str, date], Price | None]
"""Returns what a provider's model costs on a day; None: nothing."""
OnLookups = Callable[[str, int, int], None]
"""Hears of which cache ("embedding") something was asked, how often it knew, and how often not."""


class EmbeddingService:
    """Embeds chunks for the index that they go to. Without `cache_of` nothing is remembered."""

    def __init__(
        self,
        *,
        price_of: PriceOf,
        clock: Clock,
        cache_of: VectorCacheOf | None = None,
        on_lookups: OnLookups = lambda *_: None,
    ) -> None:
        self._price_of, self._clock = price_of, clock
        self._cache_of, self._on_lookups = cache_of, on_lookups

    async def vectors(
        self, tenant_id: TenantId, index: Index, chunks: Sequence[Chunk], tokens: Sequence[int], documents: Documents
    ) -> list[Vector]:
        """Return a vector for each chunk of a version, in order; `tokens` says how long each is, about.

        What the provider is asked for is added to the version's and the tenant's usage; equal texts are asked for once.
        Raises ProviderBusy, ProviderFailed, Unavailable.
        """
        texts = [chunk.text for chunk in chunks]
        known = await self._known(tenant_id, index, chunks)
        lengths = dict(zip(texts, tokens, strict=True))
        asked = list(dict.fromkeys(text for text in texts if text not in known))
        if asked:
            new = dict(zip(asked, await index.embedder.embed(asked), strict=True))
            await self._account(index, chunks[0], sum(lengths[text] for text in asked), documents)
            await self._keep(tenant_id, index, chunks, new)
            known |= new
        return [known[text] for text in texts]

    async def _known(self, tenant_id: TenantId, index: Index, chunks: Sequence[Chunk]) -> dict[str, Vector]:
        if self._cache_of is None:
            return {}
        texts = _remembered(chunks)
        found = await self._cache_of(tenant_id).find(index.model.key, texts)
        known = {text: vector for text, vector in zip(texts, found, strict=True) if vector is not None}
        self._on_lookups("embedding", len(known), len(texts) - len(known))
        return known

    async def _keep(
        self, tenant_id: TenantId, index: Index, chunks: Sequence[Chunk], new: dict[str, list[float]]
    ) -> None:
        if self._cache_of is not None:
            texts = [text for text in _remembered(chunks) if text in new]
            await self._cache_of(tenant_id).keep(index.model.key, texts, [new[text] for text in texts])

    async def _account(self, index: Index, chunk: Chunk, tokens: int, documents: Documents) -> None:
        """Add what was embedded to the tenant's usage; tokens are counted here, about as the model does."""
        day = self._clock().date()
        price = self._price_of(index.model.provider, index.model.name, day)
        cost = price.of(input_tokens=tokens, output_tokens=0) if price else 0
        await documents.add_embedded(chunk.version_id, Embedded(tokens, cost), day)


def _remembered(chunks: Sequence[Chunk]) -> list[str]:
    return list(dict.fromkeys(chunk.text for chunk in chunks if chunk.position < REMEMBERED))
