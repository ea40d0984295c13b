"""Which index a tenant's questions are asked of, and which one its documents are put into.

A tenant is moved from one index to another by services/reembedding.py, in one statement.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from chatconnect.domain.embedding import EmbeddingModel, IndexState
from chatconnect.domain.identifiers import TenantId, VersionId
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epoch
from chatconnect.ports.indexes import Index, IndexesOf, VectorStores
from chatconnect.ports.knowledge import Chunks
from chatconnect.services.epoch_cache import EpochCache

LIFETIME = timedelta(minutes=5)


class IndexService:
    """Opens tenants' indexes. `wanted` is the model of those that have none yet."""

    def __init__(self, *, indexes_of: IndexesOf, stores: VectorStores, wanted: EmbeddingModel, clock: Clock) -> None:
        self._indexes_of, self._stores, self._wanted = indexes_of, stores, wanted
        self._kept: EpochCache[Index] = EpochCache(Area.CONFIGURATION, clock=clock, lifetime=LIFETIME)

    async def asked(self, tenant_id: TenantId, epoch: Epoch | None) -> Index:
        """Return the index that answers, kept while the tenant's configuration is unchanged; None: as recorded now.

        What was kept may be a former index for as long as its lifetime, where a switch could not be announced.
        Raises Unavailable, ProviderFailed.
        """
        return await self._kept.get(tenant_id, epoch, partial(self._answering, tenant_id))

    async def filled(self, tenant_id: TenantId) -> Index:
        """Return the index that documents are to be put into, and record it if it is the first.

        Raises Unavailable, ProviderFailed.
        """
        return await self.of(tenant_id, (await self._indexes_of(tenant_id).claim(self._wanted)).active)

    async def of(self, tenant_id: TenantId, model: EmbeddingModel) -> Index:
        """Return the tenant's index of a model. Raises Unavailable, ProviderFailed."""
        return Index(model, await self._stores.embedder(model), await self._stores.chunks(model, tenant_id))

    def points(self, tenant_id: TenantId) -> "EveryIndex":
        """Return what removes versions from all indexes that the tenant has."""
        return EveryIndex(partial(self._state, tenant_id), partial(self._store, tenant_id))

    async def _answering(self, tenant_id: TenantId) -> Index:
        return await self.of(tenant_id, (await self._state(tenant_id)).active)

    async def _store(self, tenant_id: TenantId, model: EmbeddingModel) -> Chunks:
        return await self._stores.chunks(model, tenant_id)

    async def _state(self, tenant_id: TenantId) -> IndexState:
        return await self._indexes_of(tenant_id).find() or IndexState(self._wanted)


class EveryIndex:
    """All indexes of one tenant: what answers, what is being filled and what is left of others."""

    def __init__(
        self, state: Callable[[], Awaitable[IndexState]], store: Callable[[EmbeddingModel], Awaitable[Chunks]]
    ) -> None:
        self._state, self._store = state, store

    async def delete_version(self, version_id: VersionId) -> None:
        """Remove all points of a version. Raises Unavailable."""
        for model in (await self._state()).models:
            await (await self._store(model)).delete_version(version_id)

    async def retitle_version(self, version_id: VersionId, title: str) -> None:
        """Have the points of a version be found by another title. Raises Unavailable."""
        for model in (await self._state()).models:
            await (await self._store(model)).retitle_version(version_id, title)
