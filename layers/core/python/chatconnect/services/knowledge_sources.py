"""A tenant's knowledge bases elsewhere: how staff keep them, and how answers search them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from chatconnect.domain.addresses import check_https
from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.errors import Conflict, Invalid, KnowledgeSourceFailed, NotFound
from chatconnect.domain.identifiers import KnowledgeSourceId, TenantId, new_id
from chatconnect.domain.knowledge import Passage
from chatconnect.domain.knowledge_source import KnowledgeSource
from chatconnect.domain.secret import Secret
from chatconnect.domain.text import cleaned
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epoch, Epochs
from chatconnect.ports.knowledge_sources import KnowledgeSourcesOf, Reach
from chatconnect.ports.tenants import TenantsOf
from chatconnect.services.changes import changing
from chatconnect.services.epoch_cache import EpochCache
from chatconnect.services.timings import Timings

MAX_SOURCES = 20
LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class KnowledgeSourceDraft:
    """A source as it is asked for. Without a key it keeps the one that is stored."""

    name: str
    provider: str
    base_url: str
    dataset_id: str
    api_key: Secret | None
    search_method: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What a search for staff's own eyes found, or why it failed."""

    passages: Sequence[Passage] = ()
    failure: KnowledgeSourceFailed | None = None


class ForeignSearch:
    """Searches tenants' sources; `reach` has a way to each provider.

    What is found is not kept: nobody tells us when knowledge elsewhere changes. The sources themselves are, while the
    tenant's configuration is the same.
    """

    def __init__(self, *, sources_of: KnowledgeSourcesOf, reach: Mapping[str, Reach], clock: Clock) -> None:
        self._sources_of, self._reach = sources_of, reach
        self._kept: EpochCache[KnowledgeSource] = EpochCache(Area.CONFIGURATION, clock=clock, lifetime=LIFETIME)

    async def search_at(
        self,
        epoch: Epoch | None,
        tenant_id: TenantId,
        source_id: KnowledgeSourceId,
        query: str,
        settings: Retrieval,
        timings: Timings,
    ) -> list[Passage]:
        """Return the best passages of a source, best first. Raises KnowledgeSourceFailed and Unavailable.

        The source's own configuration may be one read in `epoch`. `timings` gets the step "foreign_search".
        """
        read = partial(self._sources_of(tenant_id).get, source_id)
        with timings.step("foreign_search"):
            try:
                source = await self._kept.get((tenant_id, source_id), epoch, read)
            except NotFound as error:
                raise KnowledgeSourceFailed(
                    "the knowledge source was removed", code="knowledge_source_missing"
                ) from error
            return await self.search(source, query, limit=settings.limit, threshold=settings.threshold)

    async def search(self, source: KnowledgeSource, query: str, *, limit: int, threshold: float) -> list[Passage]:
        """Search one source. Raises KnowledgeSourceFailed and Unavailable."""
        found = await self._reach[source.provider](source).search(query, limit=limit, threshold=threshold)
        return found[:limit]


class KnowledgeSourceService:
    """Keeps the tenants' sources. `allow_http`: plain http addresses are taken, too."""

    def __init__(
        self,
        *,
        sources_of: KnowledgeSourcesOf,
        tenants_of: TenantsOf,
        search: ForeignSearch,
        epochs: Epochs,
        clock: Clock,
        allow_http: bool = False,
    ) -> None:
        self._sources_of, self._tenants_of, self._search = sources_of, tenants_of, search
        self._epochs, self._clock, self._allow_http = epochs, clock, allow_http

    async def sources(self, tenant_id: TenantId) -> Sequence[KnowledgeSource]:
        """Return the tenant's sources by name."""
        return await self._sources_of(tenant_id).list_all()

    async def source(self, tenant_id: TenantId, source_id: KnowledgeSourceId) -> KnowledgeSource:
        """Return a source. Raises NotFound."""
        return await self._sources_of(tenant_id).get(source_id)

    async def add(self, tenant_id: TenantId, draft: KnowledgeSourceDraft) -> KnowledgeSource:
        """Store a new source. Raises Invalid, Conflict with code "name_taken" or "too_many_sources"."""
        sources = self._sources_of(tenant_id)
        if await sources.count() >= MAX_SOURCES:
            raise Conflict(f"a company has at most {MAX_SOURCES} knowledge sources", code="too_many_sources")
        source = self._made(KnowledgeSourceId(new_id()), tenant_id, draft, stored=None)
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await sources.add(source)
        return source

    async def change(
        self, tenant_id: TenantId, source_id: KnowledgeSourceId, draft: KnowledgeSourceDraft
    ) -> KnowledgeSource:
        """Store a source anew. Raises NotFound, Invalid, Conflict with code "name_taken".

        Another origin does not get the stored key: it was not meant for it.
        """
        sources = self._sources_of(tenant_id)
        source = self._made(source_id, tenant_id, draft, stored=await sources.get(source_id))
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await sources.save(source)
        return source

    async def delete(self, tenant_id: TenantId, source_id: KnowledgeSourceId) -> None:
        """Remove a source. Raises NotFound, Conflict with code "source_in_use" while a published assistant names it."""
        sources = self._sources_of(tenant_id)
        await sources.get(source_id)
        for assistant in await self._tenants_of(tenant_id).assistants():
            if assistant.config.retrieval.knowledge_source == source_id:
                raise Conflict(
                    "an assistant finds its passages there",
                    code="source_in_use",
                    details={"assistant_id": str(assistant.id)},
                )
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await sources.delete(source_id)

    async def test(self, tenant_id: TenantId, source_id: KnowledgeSourceId, query: str, settings: Retrieval) -> Trial:
        """Search a source now. Raises NotFound, Invalid; what goes wrong at the source is the result's failure."""
        if not cleaned(query):
            raise Invalid("there is nothing to look for", details={"field": "query"})
        source = await self._sources_of(tenant_id).get(source_id)
        try:
            passages = await self._search.search(source, query, limit=settings.limit, threshold=settings.threshold)
        except KnowledgeSourceFailed as failure:
            return Trial(failure=failure)
        return Trial(passages)

    def _made(
        self,
        source_id: KnowledgeSourceId,
        tenant_id: TenantId,
        draft: KnowledgeSourceDraft,
        *,
        stored: KnowledgeSource | None,
    ) -> KnowledgeSource:
        check_https(draft.base_url, field="base_url", allow_http=self._allow_http)
        key = draft.api_key or (stored.api_key if stored else None)
        if key is None:
            raise Invalid("a new source needs its API key", details={"field": "api_key"})
        now = self._clock()
        source = KnowledgeSource(
            source_id, tenant_id, draft.name, draft.provider, draft.base_url, draft.dataset_id, key,
            stored.created_at if stored else now, now, draft.search_method,
        )  # fmt: skip
        if stored and draft.api_key is None and source.origin != stored.origin:
            raise Invalid("another address needs its own API key", details={"field": "api_key"})
        return source
