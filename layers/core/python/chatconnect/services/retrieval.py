"""Finding the passages that answer a question."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.errors import Invalid, KnowledgeSourceFailed
from chatconnect.domain.fusion import without_duplicates
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId
from chatconnect.domain.knowledge import Passage, merge_adjacent
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epoch, Epochs
from chatconnect.ports.indexes import Index
from chatconnect.ports.knowledge import DocumentsOf, SearchScope
from chatconnect.ports.query_cache import Query, QueryCacheOf, Remembered
from chatconnect.services.epoch_cache import EpochCache
from chatconnect.services.indexes import IndexService
from chatconnect.services.knowledge_sources import ForeignSearch
from chatconnect.services.reranking import RerankingService
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

    Settings that name a knowledge source are for `elsewhere`, and for nobody without it. `reranking` orders what is
    found where settings say so; without it, or its model's answer, relevance does.
    """

    def __init__(
        self,
        *,
        documents_of: DocumentsOf,
        indexes: IndexService,
        epochs: Epochs,
        queries_of: QueryCacheOf,
        clock: Clock,
        on_lookup: OnLookup,
        elsewhere: ForeignSearch | None = None,
        reranking: RerankingService | None = None,
    ) -> None:
        self._documents_of, self._indexes = documents_of, indexes
        self._epochs, self._queries_of, self._on_lookup = epochs, queries_of, on_lookup
        self._elsewhere, self._reranking = elsewhere, reranking
        self._hidden: EpochCache[Sequence[VersionId]] = EpochCache(Area.KNOWLEDGE, clock=clock, lifetime=_LIFETIME)
        self._matching: EpochCache[tuple[DocumentId, ...]] = EpochCache(
            Area.KNOWLEDGE, clock=clock, lifetime=_LIFETIME, entries=100
        )

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

        `timings` gets the steps "embed", "search" and "rerank", or "foreign_search".
        """
        if not query.strip() or len(query) > MAX_QUERY:
            raise Invalid(f"a query has 1 to {MAX_QUERY:,} characters", details={"field": "query"})
        timings = timings or Timings()
        if (source_id := settings.knowledge_source) is not None:
            if self._elsewhere is None:
                raise KnowledgeSourceFailed("knowledge sources are not searched here")
            return await self._elsewhere.search_at(epoch, tenant_id, source_id, query, settings, timings)
        search = _Search(tenant_id, epoch, await self._indexes.asked(tenant_id, epoch), query, settings, timings)
        known = await self._known(search)
        found = None if known.passages is None else _Found(known.vector, known.passages)
        vector, attempt = known.vector, 0
        while True:
            new = Remembered()
            if found is None:
                found = await self._found(search, vector, afresh=attempt > 0)
                new = Remembered(found.vector if known.vector is None else None, found.passages)
            (standing, overtaken), _ = await asyncio.gather(self._standing(search, found), self._keep(search, new))
            if not overtaken or attempt == _REPEATS:
                return standing
            vector, found, attempt = found.vector, None, attempt + 1

    async def embed(self, tenant_id: TenantId, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector per text, of the model that the tenant's knowledge is indexed with.

        Raises Invalid for none, too many, or an empty or over-long one."""
        if not 1 <= len(texts) <= 100:
            raise Invalid("between 1 and 100 texts can be embedded at once", details={"field": "texts"})
        for number, text in enumerate(texts):
            if not text.strip() or len(text) > 10 * MAX_QUERY:
                raise Invalid("a text has 1 to 20,000 characters", details={"field": f"texts.{number}"})
        index = await self._indexes.asked(tenant_id, await self._epochs.of(tenant_id))
        return await index.embedder.embed(texts)

    async def _known(self, search: "_Search") -> Remembered:
        """Return what was kept of this query, and count whether there was."""
        if search.query is None:
            return Remembered()
        known = await self._queries_of(search.tenant_id).find(search.query)
        self._on_lookup("search", known.passages is not None)
        if known.passages is None:
            self._on_lookup("embedding", known.vector is not None)
        return known

    async def _keep(self, search: "_Search", new: Remembered) -> None:
        if search.query is not None:
            await self._queries_of(search.tenant_id).keep(search.query, new)

    async def _found(self, search: "_Search", vector: Sequence[float] | None, *, afresh: bool) -> "_Found":
        """Search now, with the query's vector where it is known; `afresh`: without what was read before."""
        settings, read = search.settings, self._documents_of(search.tenant_id).hidden_versions
        known, hidden, documents = await asyncio.gather(
            self._embedded(search, vector),
            read() if afresh else self._hidden.get(search.tenant_id, search.epoch, read),
            self._wanted(search, afresh=afresh),
        )
        with search.timings.step("search"):
            passages = await search.index.chunks.search(
                search.text,
                known,
                SearchScope(documents, left_out := tuple(hidden)),
                limit=settings.limit * _SPARE,
                threshold=settings.threshold,
            )
        if settings.rerank and self._reranking is not None:
            passages = await self._reranking.reordered(search.text, passages, search.timings)
        return _Found(known, passages, left_out)

    async def _wanted(self, search: "_Search", *, afresh: bool) -> tuple[DocumentId, ...] | None:
        """Return the documents to search, None for all: those that are named, of these those that the filters mean.

        Metadata is looked up here and not stored with the points, so that a change of it holds at once and there is
        nothing to repair; within an epoch it is looked up once.
        """
        named, filters = search.settings.document_ids, search.settings.filters
        if filters is None:
            return named
        read = partial(self._documents_of(search.tenant_id).matching, filters)
        key = search.tenant_id, repr(filters)  # as text, in which true is not 1
        matching = await (read() if afresh else self._matching.get(key, search.epoch, read))
        return matching if named is None else tuple(frozenset(named).intersection(matching))

    async def _embedded(self, search: "_Search", known: Sequence[float] | None) -> Sequence[float]:
        if known is not None:
            return known
        with search.timings.step("embed"):
            [vector] = await search.index.embedder.embed([search.text])
        return vector

    async def _standing(self, search: "_Search", found: "_Found") -> tuple[list[Passage], bool]:
        """Return the passages that answer now, each text once, joined, and whether the search was overtaken.

        A version may have been replaced or deleted since its passages were found, or have become the one that answers
        since it was read which to leave out. One snapshot decides for all.
        """
        versions = {passage.chunk.version_id for passage in found.passages}
        if not versions and not found.hidden:
            return [], False
        titles = await self._documents_of(search.tenant_id).active_titles(versions.union(found.hidden))
        standing = [_titled(passage, titles) for passage in found.passages if passage.chunk.version_id in titles]
        return (
            merge_adjacent(without_duplicates(standing))[: search.settings.limit],
            not versions <= titles.keys() or not titles.keys().isdisjoint(found.hidden),
        )


@dataclass(frozen=True, slots=True)
class _Search:
    """One question of a tenant, in the index and the epoch (None: an unknown one) of this request."""

    tenant_id: TenantId
    epoch: Epoch | None
    index: Index
    text: str
    settings: Retrieval
    timings: Timings

    @property
    def query(self) -> Query | None:
        """What it is kept under, if at all."""
        if self.epoch is None:
            return None
        asked = self.settings
        chosen = asked.document_ids, asked.limit, asked.threshold, asked.filters, asked.rerank
        return Query(self.text, self.index.model.key, self.epoch.knowledge, *chosen)


class _Found(NamedTuple):
    """What a search found, with the query's vector (None: it was not needed) and the versions it has left out."""

    vector: Sequence[float] | None
    passages: Sequence[Passage]
    hidden: tuple[VersionId, ...] = ()


def _titled(passage: Passage, titles: Mapping[VersionId, str]) -> Passage:
    """Return the passage with its document's present title: the point has that of when it was stored."""
    title = titles[passage.chunk.version_id]
    if passage.chunk.title == title:
        return passage
    return replace(passage, chunk=replace(passage.chunk, title=title))
