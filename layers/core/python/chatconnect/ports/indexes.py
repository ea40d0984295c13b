"""Which index a tenant's knowledge is found in, and the stores of vectors behind."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chatconnect.domain.embedding import EmbeddingModel, IndexState
from chatconnect.domain.identifiers import TenantId, VersionId
from chatconnect.domain.knowledge import Progress
from chatconnect.ports.knowledge import Chunks
from chatconnect.ports.models import Embedder


@dataclass(frozen=True, slots=True)
class Index:
    """One tenant's chunks as vectors of one model, and what makes such vectors: the two are never had apart."""

    model: EmbeddingModel
    embedder: Embedder
    chunks: Chunks


class Indexes(Protocol):
    """What is recorded of one tenant's indexes."""

    async def find(self) -> IndexState | None:
        """Return the record; None when nothing was ever indexed."""
        ...

    async def claim(self, model: EmbeddingModel) -> IndexState:
        """Return the record; where there is none yet, make one with `model` as the active one."""
        ...

    async def begin(self, model: EmbeddingModel) -> bool:
        """Have the index of `model` filled next. False when it is active, or another one is being filled."""
        ...

    async def set_progress(self, model: EmbeddingModel, progress: Progress) -> None:
        """Store how far the index of `model` is filled, if it is still the next one."""
        ...

    async def switch(self, model: EmbeddingModel, complete: Collection[VersionId], at: datetime) -> bool:
        """Make the next index, which has to be that of `model`, the active one, and the active one a former one.

        False, and nothing changes, when some version answers that is not among the `complete` ones. A version that was
        read for the former index cannot become active from then on.
        """
        ...

    async def abandon(self, at: datetime) -> bool:
        """Make the next index a former one. False when there is no next one."""
        ...

    async def forget(self, model: EmbeddingModel) -> None:
        """Strike a former index out: nothing is left of it."""
        ...


IndexesOf = Callable[[TenantId], Indexes]


class VectorStores(Protocol):
    """The embedding models that can be used here, and a store for the vectors of each."""

    async def embedder(self, model: EmbeddingModel) -> Embedder:
        """Return what makes vectors of this model. Raises ProviderFailed where it cannot be used, Unavailable."""
        ...

    async def chunks(self, model: EmbeddingModel, tenant_id: TenantId) -> Chunks:
        """Return the tenant's own store of this model's vectors. Raises Unavailable."""
        ...

    async def drop(self, model: EmbeddingModel) -> None:
        """Remove all tenants' vectors of this model; none is no error. Raises Unavailable."""
        ...
