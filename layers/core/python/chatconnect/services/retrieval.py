"""Finding the passages that answer a question."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.errors import Invalid, KnowledgeSourceFailed
from chatconnect.domain.fusion import without_duplicates
from chatconnect.domain.identifiers import TenantId, VersionId
from chatconnect.domain.knowledge import Passage, merge_adjacent
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Epoch, Epochs
from chatconnect.ports.knowledge import ChunksOf, DocumentsOf, SearchScope
from chatconnect.ports.models import Embedder
from chatconnect.ports.query_cache import Query, QueryCacheOf, Remembered
from chatconnect.services.epoch_cache import EpochCache
from chatconnect.services.knowledge_sources import ForeignSearch
from chatconnect.services.timings import Timings

MAX_QUERY = 2_000
# Some of what is found may be joined, say the same, or turn out to be replaced, so more is asked for.
_SPARE = 3
# How often a search is repeated that a change of the knowledge has overtaken.
_REPEATS = 3
_LIFETIME = timedelta(minutes=5)

OnLookup = Callable[[str, bool], None]
"""Hears which cache ("search", "embedding") was asked, and whether it knew."""


class RetrievalService:
    """Searches a tenant's knowledge. What it found is kept for as long as the knowledge stays the same (B8).

    Settings that name a knowledge source are for `elsewhere`, and for nobody without it.
    """

    def __init__(
        self,
        *,
        documents_of: DocumentsOf,
        chunks_of: ChunksOf,
        embedder: Embedder,
        epochs: Epochs,
        queries_of: QueryCacheOf,
        clock: Clock,
        on_lookup: OnLookup,
        elsewhere: ForeignSearch | None = None,
    ) -> None:
        self._documents_of, self._chunks_of, self._embedder = documents_of, chunks_of, embedder
        self._epochs, self._queries_of, self._on_lookup = epochs, queries_of, on_lookup
        self._elsewhere = elsewhere
        self._hidden: EpochCache[Sequence[VersionId]] = EpochCache(clock=clock, lifetime=_LIFETIME)

    async def search(self, tenant_id: TenantId, query: str, settings: Retrieval) -> list[Passage]:
        """Return the best passages, best first; neighbours are joined, and only active versions are found.

        Raises Invalid for an empty or over-long query, Unavailable when a store or the embedder is away.
        """
        return await self.search_at(await self._epochs.of(tenant_id), tenant_id, query, settings)

    async def search_at(
        self,
        epoch: Epoch | None,
        tenant_id: TenantId,
        query: str,
        settings: Retrieval,
        timings: Timings | None = None,
    ) -> list[Passage]:
        """Search as `search` does, in an epoch that was read for this request; None: without what was kept.

        `timings` gets the steps "embed" and "search", or "foreign_search".
        """
        if not query.strip() or len(query) > MAX_QUERY:
            raise Invalid(f"a query has 1 to {MAX_QUERY:,} characters", details={"field": "query"})
        timings = timings or Timings()
        if (source_id := settings.knowledge_source) is not None:
            if self._elsewhere is None:
                raise KnowledgeSourceFailed("knowledge sources are not searched here")
            return await self._elsewhere.search_at(epoch, tenant_id, source_id, query, settings, timings)
        known = await self._known(epoch, tenant_id, query, settings)
        vector, passages, hidden = known.vector, known.passages, tuple[VersionId, ...]()
        attempt, kept = 0, passages is not None
        while True:
            if passages is None:
                vector, passages, hidden = await self._found(
                    epoch, tenant_id, query, settings, vector, timings, afresh=attempt > 0
                )
            new = Remembered(vector if known.vector is None else None, None if kept else passages)
            (standing, overtaken), _ = await asyncio.gather(
                self._standing(tenant_id, passages, hidden, settings),
                self._keep(epoch, tenant_id, query, settings, new),
            )
            if not overtaken or attempt == _REPEATS:
                return standing
            passages, attempt, kept = None, attempt + 1, False

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector per text. Raises Invalid for none, too many, or an empty or over-long one."""
        if not 1 <= len(texts) <= 100:
            raise Invalid("between 1 and 100 texts can be embedded at once", details={"field": "texts"})
        for number, text in enumerate(texts):
            if not text.strip() or len(text) > 10 * MAX_QUERY:
                raise Invalid("a text has 1 to 20,000 characters", details={"field": f"texts.{number}"})
        return await self._embedder.embed(texts)

    async def _known(self, epoch: Epoch | None, tenant_id: TenantId, text: str, settings: Retrieval) -> Remembered:
        """Return what was kept of this query, and count whether there was."""
        if epoch is None:
            return Remembered()
        known = await self._queries_of(tenant_id).find(self._query(epoch, text, settings))
        self._on_lookup("search", known.passages is not None)
        if known.passages is None:
            self._on_lookup("embedding", known.vector is not None)
        return known

    async def _keep(
        self, epoch: Epoch | None, tenant_id: TenantId, text: str, settings: Retrieval, new: Remembered
    ) -> None:
        if epoch is not None:
            await self._queries_of(tenant_id).keep(self._query(epoch, text, settings), new)

    def _query(self, epoch: Epoch, text: str, settings: Retrieval) -> Query:
        model, asked = self._embedder.name, settings
        return Query(text, model, epoch.knowledge, asked.document_ids, asked.limit, asked.threshold)

    async def _found(
        self,
        epoch: Epoch | None,
        tenant_id: TenantId,
        text: str,
        settings: Retrieval,
        vector: Sequence[float] | None,
        timings: Timings,
        *,
        afresh: bool,
    ) -> tuple[Sequence[float], list[Passage], tuple[VersionId, ...]]:
        """Search now; return the query's vector, which may be known already, what is found, and what was left out."""
        read = self._documents_of(tenant_id).hidden_versions
        era = None if epoch is None else (epoch.knowledge, epoch.streak)
        hidden = read() if afresh else self._hidden.get(tenant_id, era, read)
        if vector is None:
            known, versions = await asyncio.gather(self._embedded(text, timings), hidden)
        else:
            known, versions = vector, await hidden
        with timings.step("search"):
            passages = await self._chunks_of(tenant_id).search(
                text,
                known,
                SearchScope(settings.document_ids, left_out := tuple(versions)),
                limit=settings.limit * _SPARE,
                threshold=settings.threshold,
            )
        return known, passages, left_out

    async def _embedded(self, text: str, timings: Timings) -> Sequence[float]:
        with timings.step("embed"):
            [vector] = await self._embedder.embed([text])
        return vector

    async def _standing(
        self, tenant_id: TenantId, passages: Sequence[Passage], hidden: Sequence[VersionId], settings: Retrieval
    ) -> tuple[list[Passage], bool]:
        """Return the passages that answer now, each text once, joined, and whether the search was overtaken.

        A version may have been replaced or deleted since its passages were found, or have become the one that answers
        since it was read which to leave out. One snapshot decides for all.
        """
        versions = {passage.chunk.version_id for passage in passages}
        if not versions and not hidden:
            return [], False
        active = await self._documents_of(tenant_id).active_among(versions.union(hidden))
        standing = [passage for passage in passages if passage.chunk.version_id in active]
        return (
            merge_adjacent(without_duplicates(standing))[: settings.limit],
            not versions <= active or not active.isdisjoint(hidden),
        )
