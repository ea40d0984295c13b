"""Tenants' indexes in memory, and stores for the vectors of each model."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from chatconnect.domain.embedding import EmbeddingModel, IndexState
from chatconnect.domain.errors import ProviderFailed
from chatconnect.domain.identifiers import TenantId, VersionId
from chatconnect.domain.knowledge import Progress
from chatconnect.ports.clock import Clock
from chatconnect.ports.knowledge import Chunks
from chatconnect.ports.models import Embedder
from chatconnect.services.indexes import IndexService

LETTERS = EmbeddingModel("openai", "letters", 26)

ChunksOf = Callable[[TenantId], Chunks]
Answering = Callable[[TenantId], Collection[VersionId]]


@dataclass
class StoredIndexes:
    """What is recorded of all tenants; `answering` says which of a tenant's versions answer."""

    states: dict[TenantId, IndexState] = field(default_factory=dict)
    answering: Answering = lambda _: ()


class MemoryIndexes:
    """What is recorded of one tenant's indexes."""

    def __init__(self, stored: StoredIndexes, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def find(self) -> IndexState | None:
        return self._stored.states.get(self._tenant_id)

    async def claim(self, model: EmbeddingModel) -> IndexState:
        return self._stored.states.setdefault(self._tenant_id, IndexState(model))

    async def begin(self, model: EmbeddingModel) -> bool:
        state = self._stored.states.get(self._tenant_id)
        if state is None or state.next is not None or state.active == model:
            return False
        self._keep(replace(state, next=model, former=_without(state.former, model), progress=Progress()))
        return True

    async def set_progress(self, model: EmbeddingModel, progress: Progress) -> None:
        state = self._stored.states.get(self._tenant_id)
        if state is not None and state.next == model:
            self._keep(replace(state, progress=progress))

    async def switch(self, model: EmbeddingModel, complete: Collection[VersionId], at: datetime) -> bool:
        state = self._stored.states.get(self._tenant_id)
        if state is None or state.next != model or set(self._stored.answering(self._tenant_id)) - set(complete):
            return False
        former = (*_without(state.former, state.active), state.active)
        self._keep(replace(state, active=model, next=None, former=former, left_at=at))
        return True

    async def abandon(self, at: datetime) -> bool:
        state = self._stored.states.get(self._tenant_id)
        if state is None or state.next is None:
            return False
        former = (*_without(state.former, state.next), state.next)
        self._keep(replace(state, next=None, former=former, left_at=at, progress=Progress()))
        return True

    async def forget(self, model: EmbeddingModel) -> None:
        state = self._stored.states.get(self._tenant_id)
        if state is not None:
            self._keep(replace(state, former=_without(state.former, model)))

    def _keep(self, state: IndexState) -> None:
        self._stored.states[self._tenant_id] = state


class MemoryStores:
    """The embedder and the stores of each of some models."""

    def __init__(self, models: Mapping[EmbeddingModel, tuple[Embedder, ChunksOf]]) -> None:
        self._models = models

    async def embedder(self, model: EmbeddingModel) -> Embedder:
        return self._known(model)[0]

    async def chunks(self, model: EmbeddingModel, tenant_id: TenantId) -> Chunks:
        return self._known(model)[1](tenant_id)

    async def drop(self, model: EmbeddingModel) -> None:
        raise AssertionError("nothing is dropped here")

    def _known(self, model: EmbeddingModel) -> tuple[Embedder, ChunksOf]:
        if model not in self._models:
            raise ProviderFailed("provider_not_configured")
        return self._models[model]


def one_index(embedder: Embedder, chunks_of: ChunksOf, clock: Clock, model: EmbeddingModel = LETTERS) -> IndexService:
    """Indexes that are all of one model."""
    stored = StoredIndexes()
    return IndexService(
        indexes_of=lambda tenant_id: MemoryIndexes(stored, tenant_id),
        stores=MemoryStores({model: (embedder, chunks_of)}),
        wanted=model,
        clock=clock,
    )


def _without(models: tuple[EmbeddingModel, ...], model: EmbeddingModel) -> tuple[EmbeddingModel, ...]:
    return tuple(each for each in models if each != model)
