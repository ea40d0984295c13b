"""Erases a visitor, or a whole tenant, everywhere; then looks everywhere again and says in a receipt what is left.

What was found is noted first. Rows go in batches, each with its figures in one transaction, so an erasure that was
interrupted goes on where it stopped. It is done when nothing is found any more: not in Postgres, Qdrant, Redis nor S3.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chatconnect.domain.data_rights import LEASE, SETTLING, DataRequest, looked_at_again
from chatconnect.domain.embedding import EmbeddingModel
from chatconnect.domain.identifiers import MessageId, TenantId, VisitorId
from chatconnect.ports.clock import Clock
from chatconnect.ports.data_rights import Archives, DataRequestsOf, RecordsOf, Seal, Traces, Whose
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.indexes import IndexesOf, VectorStores
from chatconnect.ports.operators import OperatedTenants
from chatconnect.ports.traffic import JournalOf
from chatconnect.ports.uploads import Uploads
from chatconnect.services.held_requests import HeldRequests

BATCH = 200
_STORES = ("postgres", "qdrant", "redis", "s3")
_JOURNALS_LIVE = timedelta(hours=1)
_PAUSES, _PAUSE_SECONDS = 20, 0.1  # an answer looks whether it is to stop with every piece that it sends
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class _Target:
    """Whose data: `whose` in Postgres, keys with one of `ids` (None: all) in Redis, and points of the models."""

    tenant_id: TenantId
    whose: Whose
    ids: frozenset[UUID] | None
    models: tuple[EmbeddingModel, ...]


class ErasureService:
    """Goes on with erasures."""

    def __init__(
        self,
        *,
        requests_of: DataRequestsOf,
        records_of: RecordsOf,
        tenants: OperatedTenants,
        archives: Archives,
        uploads: Uploads,
        traces: Traces,
        journal_of: JournalOf,
        indexes_of: IndexesOf,
        stores: VectorStores,
        wanted: EmbeddingModel,
        epochs: Epochs,
        seal: Seal,
        clock: Clock,
    ) -> None:
        self._requests_of, self._records_of, self._tenants = requests_of, records_of, tenants
        self._archives, self._uploads, self._traces = archives, uploads, traces
        self._journal_of, self._indexes_of, self._stores, self._wanted = journal_of, indexes_of, stores, wanted
        self._epochs, self._seal, self._clock = epochs, seal, clock
        self._held = HeldRequests(requests_of=requests_of, seal=seal, clock=clock)

    async def advance(self, request: DataRequest, ends_at: float) -> DataRequest:
        """Go on with an erasure that the caller has claimed until time.monotonic() says `ends_at`.

        Raises Conflict when it was taken away meanwhile, Unavailable.
        """
        if not request.progress:
            request = await self._begun(request)
            if request.visitor_id is None:
                return request  # closed; the rest when all that was under way has ended
        target = self._target(request)
        if request.visitor_id is not None:
            await self._end_answers(target)
        for _ in range(_ROUNDS):
            request, is_through = await self._erase(request, target, ends_at)
            if not is_through:
                return await self._held.put_off(request)
            left = await self._found(request, target)
            if not any(left.values()):
                return await self._finished(request, left)
            if time.monotonic() >= ends_at:
                return await self._held.put_off(request)
        return await self._held.go_on(request, request.progress)  # somebody keeps writing: again when the lease is over

    async def look_again(self, request: DataRequest, ends_at: float) -> DataRequest:
        """Look for what came late for a visitor who was erased, and remove it. Raises Conflict, Unavailable."""
        finished_at = request.finished_at or self._clock()
        target = self._target(request)
        late = replace(target, whose=replace(target.whose, before=finished_at))
        records = self._records_of(request.tenant_id)
        if await records.count(late.whose):
            request, _ = await self._erase(request, late, ends_at)
            left = {**dict.fromkeys(_STORES, 0), "postgres": sum((await records.count(late.whose)).values())}
            receipt = {**(request.receipt or {}), **self._figures(request, left)}
            receipt["looked_again_at"] = self._clock().isoformat()
            request = replace(request, receipt=receipt, signature=await self._seal.sign(receipt))
        return await self._held.keep(request, next_at=looked_at_again(finished_at, self._clock()))

    async def _begun(self, request: DataRequest) -> DataRequest:
        """Note what there is before anything is removed; close a tenant, and stop its answers."""
        tenant_id, now = request.tenant_id, self._clock()
        records = self._records_of(tenant_id)
        state = await self._indexes_of(tenant_id).find()
        models = tuple(dict.fromkeys((*(state.models if state else ()), self._wanted)))
        people: tuple[VisitorId, ...] | None = None
        ids: Sequence[UUID] = ()
        if request.visitor_id is None:
            await self._tenants.set_suspended(tenant_id, suspended=True)
            for area in Area:
                await self._epochs.changed(tenant_id, area)
        else:
            people = await records.people(request.visitor_id)
            ids = [*people, *await records.recent_ids(Whose(people), now - _JOURNALS_LIVE)]
        progress: dict[str, Any] = {
            "people": None if people is None else [str(each) for each in people],
            "ids": [str(each) for each in ids],
            "models": [str(model) for model in models],
            "began_at": now.isoformat(),
            "erased": {},
            "removed": {},
        }
        begun = replace(request, progress=progress)
        target = self._target(begun)
        await self._stop_answers(target)
        progress["found"] = await self._found(begun, target)
        lasting = LEASE if people is not None else SETTLING
        return await self._held.keep(request, progress=progress, next_at=now + lasting)

    async def _erase(self, request: DataRequest, target: _Target, ends_at: float) -> tuple[DataRequest, bool]:
        """Remove what there is, some at a time, each noted before the next; return whether there was time for all rows.

        Rows come first: an archive that is asked for when they are gone has nothing of them.
        """
        records = self._records_of(target.tenant_id)
        while erased := await records.erase_some(target.whose, request, BATCH):
            total = dict(request.progress["erased"])
            for table, rows in erased.items():
                total[table] = total.get(table, 0) + rows
            request = await self._held.go_on(request, {**request.progress, "erased": total})
            if time.monotonic() >= ends_at:
                return request, False
        request = await self._held.go_on(request, {**request.progress, "rows_gone_at": self._clock().isoformat()})
        async for store, gone in self._removed(request, target, ends_at):
            removed = request.progress["removed"]
            removed = {**removed, store: removed.get(store, 0) + gone}
            request = await self._held.go_on(request, {**request.progress, "removed": removed})
        return request, True

    async def _removed(self, request: DataRequest, target: _Target, ends_at: float) -> AsyncIterator[tuple[str, int]]:
        """Remove from one store after the other, and yield how much has gone; files go while there is time."""
        async for gone in self._objects_removed(request, target, ends_at):
            yield "s3", gone
        yield "qdrant", await self._remove_points(target)
        yield "redis", await self._traces.erase(target.tenant_id, target.ids)

    async def _objects_removed(self, request: DataRequest, target: _Target, ends_at: float) -> AsyncIterator[int]:
        """Remove the archives in which the person may be; of a tenant all archives and, some at a time, all files.

        Yields how many have gone each time.
        """
        archives = await self._archive_keys(request, target)
        for key in archives:
            await self._archives.remove(key)
        yield len(archives)
        if target.whose.visitors is not None:
            for export in await self._exports(request, target):
                await self._requests_of(target.tenant_id).void(export.id)
            return
        files = 0
        async for key in self._uploads.keys(target.tenant_id):
            await self._uploads.delete(key)
            files += 1
            if files == BATCH:
                yield files
                files = 0
                if time.monotonic() >= ends_at:
                    return
        yield files

    async def _remove_points(self, target: _Target) -> int:
        """Remove a tenant's points; a visitor has none."""
        if target.whose.visitors is not None:
            return 0
        removed = await self._count_points(target)
        for model in target.models:
            await (await self._stores.chunks(model, target.tenant_id)).delete_all()
        return removed

    async def _found(self, request: DataRequest, target: _Target) -> dict[str, int]:
        """Look everywhere and return how much there is in each store: rows, points, keys, objects."""
        counts = await self._records_of(target.tenant_id).count(target.whose)
        objects = len(await self._archive_keys(request, target))
        if target.whose.visitors is None:
            async for _ in self._uploads.keys(target.tenant_id):
                objects += 1
        return {
            "postgres": sum(counts.values()),
            "qdrant": await self._count_points(target),
            "redis": await self._traces.count(target.tenant_id, target.ids),
            "s3": objects,
        }

    async def _count_points(self, target: _Target) -> int:
        found = 0
        for model in target.models:
            chunks = await self._stores.chunks(model, target.tenant_id)
            if target.whose.visitors is not None:
                found += await chunks.count_of_visitors(target.whose.visitors)
            else:
                found += sum(map(len, (await chunks.positions()).values()))
        return found

    async def _archive_keys(self, request: DataRequest, target: _Target) -> list[str]:
        keys = [key async for key in self._archives.keys(target.tenant_id)]
        if target.whose.visitors is None:
            return keys
        theirs = {export.archive_key for export in await self._exports(request, target)}
        return [key for key in keys if key in theirs]

    async def _exports(self, request: DataRequest, target: _Target) -> Sequence[DataRequest]:
        """Return the exports that were asked for while there were rows of the person."""
        gone_at = request.progress.get("rows_gone_at")
        until = datetime.fromisoformat(gone_at) if gone_at else self._clock()
        return await self._requests_of(target.tenant_id).exports_with(target.whose.visitors or (), until)

    async def _stop_answers(self, target: _Target) -> int:
        answers = await self._records_of(target.tenant_id).unfinished(target.whose)
        for answer_id in answers:
            await self._journal_of(target.tenant_id).request_cancel(MessageId(answer_id))
        return len(answers)

    async def _end_answers(self, target: _Target) -> None:
        """Have the person's answers stopped and wait until they are stored; what comes later is looked for later."""
        for _ in range(_PAUSES):
            if not await self._stop_answers(target):
                return
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _finished(self, request: DataRequest, left: Mapping[str, int]) -> DataRequest:
        now = self._clock()
        receipt = {
            "kind": request.kind.value,
            "request_id": str(request.id),
            "tenant_id": str(request.tenant_id),
            "visitor_id": str(request.visitor_id) if request.visitor_id else None,
            "requested_at": request.requested_at.isoformat(),
            "began_at": request.progress["began_at"],
            "finished_at": now.isoformat(),
            **self._figures(request, left),
        }
        again = looked_at_again(now, now) if request.visitor_id is not None else None
        return await self._held.finish(request, receipt, finished_at=now, next_at=again)

    def _figures(self, request: DataRequest, left: Mapping[str, int]) -> dict[str, Any]:
        """Return what was found, removed and is left, by store; and the rows that were removed, by table."""
        progress = request.progress
        removed = {**progress["removed"], "postgres": sum(progress["erased"].values())}
        stores = {
            store: {"found": progress["found"][store], "erased": removed.get(store, 0), "left": left[store]}
            for store in _STORES
        }
        return {"stores": stores, "rows": dict(progress["erased"])}

    def _target(self, request: DataRequest) -> _Target:
        progress = request.progress
        people = progress["people"]
        return _Target(
            request.tenant_id,
            Whose(None if people is None else tuple(VisitorId(UUID(each)) for each in people)),
            None if people is None else frozenset(UUID(each) for each in progress["ids"]),
            tuple(EmbeddingModel.parse(text) for text in progress["models"]),
        )
