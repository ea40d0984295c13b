"""Moves tenants to another embedding model while their questions are answered.

An index of the new model is filled from the chunks in the database, beside the one that answers. When every version
that answers is in it, whole, one statement makes it the one that answers. What is in an index is asked of the index
itself, so a move goes on where it stopped, and whatever was uploaded, replaced or deleted meanwhile is seen.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from chatconnect.domain.chunking import CountTokens
from chatconnect.domain.embedding import EmbeddingModel, IndexState
from chatconnect.domain.errors import ChatConnectError
from chatconnect.domain.identifiers import TenantId, VersionId
from chatconnect.domain.knowledge import Progress
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.faults import OnFault
from chatconnect.ports.indexes import Index, Indexes, IndexesOf, VectorStores
from chatconnect.ports.knowledge import Documents, DocumentsOf
from chatconnect.ports.tenants import Directory
from chatconnect.services.changes import changing
from chatconnect.services.embedding import EmbeddingService
from chatconnect.services.indexes import IndexService
from chatconnect.services.missing_chunks import absent, batches

RUN_SECONDS = 480.0
"""How long one run goes on; the function has ten minutes, and a batch that was begun takes its time."""
GRACE = timedelta(hours=1)
"""How long a former index is kept: longer than any process goes by what it read of a tenant, and to roll back to."""
# Versions that are embedded at once: of small documents each is a request of its own.
_TOGETHER = 4


@dataclass(slots=True)
class _Run:
    """What one run has done, and when it has to end (`time.monotonic`)."""

    until: float
    count_tokens: CountTokens
    embedded: int = 0
    switched: int = 0
    failed: int = 0

    def over(self) -> bool:
        """Say whether the time has run out."""
        return time.monotonic() >= self.until


@dataclass(frozen=True, slots=True)
class _Survey:
    """What of the chunks that answer an index has: the versions that are whole there, and the others' positions."""

    progress: Progress
    complete: Sequence[VersionId]
    missing: Mapping[VersionId, Sequence[int]]


class ReembeddingService:
    """Goes through the tenants, one after the other. Each method may be called again at any time, also side by side."""

    def __init__(
        self,
        *,
        directory: Directory,
        indexes_of: IndexesOf,
        indexes: IndexService,
        stores: VectorStores,
        wanted: EmbeddingModel,
        documents_of: DocumentsOf,
        embedding: EmbeddingService,
        count_tokens: Callable[[], CountTokens],
        epochs: Epochs,
        clock: Clock,
        on_fault: OnFault,
    ) -> None:
        self._directory, self._indexes_of, self._indexes = directory, indexes_of, indexes
        self._stores, self._wanted, self._documents_of = stores, wanted, documents_of
        self._embedding, self._count_tokens, self._epochs = embedding, count_tokens, epochs
        self._clock, self._on_fault = clock, on_fault

    async def start(self) -> dict[str, int]:
        """Have every tenant that another model answers for moved to the wanted one; return the figures of `look`.

        Raises Unavailable.
        """
        async for tenant_id, state in self._states():
            await self._head_for(tenant_id, state, self._wanted)
        return await self.look()

    async def abort(self) -> dict[str, int]:
        """End all moves that are under way: what answers stays, what was made is removed. Raises Unavailable."""
        async for tenant_id, state in self._states():
            if state.next is not None:
                await self._indexes_of(tenant_id).abandon(self._clock())
        return await self.look()

    async def roll_back(self) -> dict[str, int]:
        """End the moves to the wanted model, and move who was moved to it back to the former index, while there is one.

        What was not changed since is still there and not embedded again. Raises Unavailable.
        """
        async for tenant_id, state in self._states():
            if state.next == self._wanted:
                await self._indexes_of(tenant_id).abandon(self._clock())
            elif state.next is None and state.active == self._wanted and state.former:
                await self._head_for(tenant_id, state, state.former[-1])
        return await self.look()

    async def look(self) -> dict[str, int]:
        """Return how many tenants are "moving", how many of their chunks are "done", of what "total", how many wait for
        a start ("waiting"), and how many still have a former index ("leaving"). Raises Unavailable.
        """
        return self._figures(await self._all())

    async def run(self, seconds: float = RUN_SECONDS) -> dict[str, int]:
        """Go on with the moves for about so long, then remove what nobody needs any more.

        Returns how many chunks were "embedded", tenants "switched", moves "failed" for now and collections "dropped",
        with the figures of `look`. A tenant that fails leaves the others alone. Raises Unavailable.
        """
        run = _Run(time.monotonic() + seconds, self._count_tokens())
        async for tenant_id, state in self._states():
            if state.next is None or run.over():
                continue
            try:
                await self._move(tenant_id, state.next, run)
            except ChatConnectError as fault:  # a provider that is busy, say: the next run goes on
                self._on_fault("a tenant's move to another embedding model has to wait", fault)
                run.failed += 1
        states = await self._all()
        dropped = await self._clean(states)
        done = {"embedded": run.embedded, "switched": run.switched, "failed": run.failed, "dropped": dropped}
        return done | self._figures(states)

    async def _all(self) -> dict[TenantId, IndexState]:
        return {tenant_id: state async for tenant_id, state in self._states()}

    def _figures(self, states: Mapping[TenantId, IndexState]) -> dict[str, int]:
        moving = [state for state in states.values() if state.next is not None]
        still = [state for state in states.values() if state.next is None]
        return {
            "moving": len(moving),
            "done": sum(state.progress.done for state in moving),
            "total": sum(state.progress.total for state in moving),
            "waiting": sum(state.active != self._wanted for state in still),
            "leaving": sum(bool(state.former) for state in states.values()),
        }

    async def _states(self) -> AsyncIterator[tuple[TenantId, IndexState]]:
        async for tenant_id in self._directory.tenant_ids():
            yield tenant_id, await self._indexes_of(tenant_id).claim(self._wanted)

    async def _head_for(self, tenant_id: TenantId, state: IndexState, model: EmbeddingModel) -> None:
        record = self._indexes_of(tenant_id)
        if state.next not in (None, model):
            await record.abandon(self._clock())
        await record.begin(model)

    async def _move(self, tenant_id: TenantId, model: EmbeddingModel, run: _Run) -> None:
        """Fill the next index, and switch to it once nothing is missing."""
        record, documents = self._indexes_of(tenant_id), self._documents_of(tenant_id)
        index = await self._indexes.of(tenant_id, model)
        while not run.over():
            survey = await _survey(index, documents)
            await record.set_progress(model, survey.progress)
            if not survey.missing:
                async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
                    switched = await record.switch(model, survey.complete, self._clock())
                if switched:
                    run.switched += 1
                    return
                if (await record.claim(self._wanted)).next != model:  # aborted, or switched by another run
                    return
            filling = _Filling(tenant_id, index, documents, record, run, survey.progress)
            missing = list(survey.missing.items())
            for first in range(0, len(missing), _TOGETHER):
                await _together([self._fill(filling, *each) for each in missing[first : first + _TOGETHER]])
                if run.over() or (await record.claim(self._wanted)).next != model:
                    return

    async def _fill(self, filling: "_Filling", version_id: VersionId, positions: Sequence[int]) -> None:
        """Store what an index lacks of a version, as far as the time allows."""
        documents, index = filling.documents, filling.index
        async for chunks in batches(documents, version_id, positions):
            tokens = [filling.run.count_tokens(chunk.text) for chunk in chunks]
            vectors = await self._embedding.vectors(filling.tenant_id, index, chunks, tokens, documents)
            await index.chunks.save(chunks, vectors)
            await filling.note(len(chunks))
            if filling.run.over():
                break
        if not await documents.active_among([version_id]):  # replaced or deleted meanwhile, and perhaps purged
            await index.chunks.delete_version(version_id)

    async def _clean(self, states: Mapping[TenantId, IndexState]) -> int:
        """Remove the former indexes whose time is over; return how many collections went as a whole.

        A collection that answers for nobody goes at once for all tenants; of another one these tenants' points go.
        """
        used = {self._wanted, *(state.active for state in states.values()), *(state.next for state in states.values())}
        dropped = 0
        for model in {model for state in states.values() for model in state.former}:
            leaving = [tenant_id for tenant_id, state in states.items() if model in state.former]
            late = [tenant_id for tenant_id in leaving if self._is_over(states[tenant_id])]
            if model in used:
                for tenant_id in late:
                    await (await self._stores.chunks(model, tenant_id)).delete_all()
                    await self._indexes_of(tenant_id).forget(model)
            elif late == leaving:
                await self._stores.drop(model)
                for tenant_id in leaving:
                    await self._indexes_of(tenant_id).forget(model)
                dropped += 1
        return dropped

    def _is_over(self, state: IndexState) -> bool:
        return state.left_at is None or state.left_at + GRACE <= self._clock()


@dataclass(slots=True)
class _Filling:
    """One tenant's next index while it is being filled."""

    tenant_id: TenantId
    index: Index
    documents: Documents
    record: Indexes
    run: _Run
    progress: Progress

    async def note(self, chunks: int) -> None:
        """Count stored chunks."""
        self.run.embedded += chunks
        self.progress = replace(self.progress, done=self.progress.done + chunks)
        await self.record.set_progress(self.index.model, self.progress)


async def _together(work: Sequence[Coroutine[None, None, None]]) -> None:
    """Do it all at once; when something fails the rest is cancelled."""
    try:
        async with asyncio.TaskGroup() as group:
            for each in work:
                group.create_task(each)
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _survey(index: Index, documents: Documents) -> _Survey:
    """Compare an index with what answers. The points are read first: what begins to answer later is missing then."""
    found = await index.chunks.positions()
    done = total = 0
    complete: list[VersionId] = []
    missing: dict[VersionId, Sequence[int]] = {}
    for holding in await documents.holdings():
        if not holding.answers:
            continue
        lacking = absent(holding.chunks, found.get(holding.version.id, ()))
        total += holding.chunks
        done += holding.chunks - len(lacking)
        if lacking:
            missing[holding.version.id] = lacking
        else:
            complete.append(holding.version.id)
    return _Survey(Progress(done, total), complete, missing)
