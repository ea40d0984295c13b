"""Finds and repairs what deletions, crashes and losses left wrong between the database, the points and the files."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

from chatconnect.domain.errors import ChatConnectError, Invalid, NotFound, ProviderBusy, ProviderFailed
from chatconnect.domain.identifiers import TenantId, VersionId
from chatconnect.domain.knowledge import GIVEN_UP, Failure, ObjectKey, Status
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.indexes import Index
from chatconnect.ports.knowledge import Documents, DocumentsOf, Holding
from chatconnect.ports.tenants import Directory
from chatconnect.ports.uploads import Uploads
from chatconnect.services.document_feed import DocumentFeed
from chatconnect.services.indexes import IndexService
from chatconnect.services.missing_chunks import absent, batches
from chatconnect.services.purging import purge

# Longer than an upload's form is valid, and than a message that failed stays out of sight before each of its tries.
PATIENCE = timedelta(hours=6)
_NEVER_CAME = Failure("missing", "The file never arrived; please upload it again.")
_STUCK = Failure(GIVEN_UP, "The processing of this file stopped half-way. Please process it again.")


class ReconciliationService:
    """Goes through the tenants, one after the other. The database decides; points and files follow it."""

    def __init__(
        self,
        *,
        directory: Directory,
        documents_of: DocumentsOf,
        indexes: IndexService,
        uploads: Uploads,
        epochs: Epochs,
        clock: Clock,
        feed: DocumentFeed,
    ) -> None:
        self._directory, self._documents_of = directory, documents_of
        self._indexes, self._uploads, self._epochs = indexes, uploads, epochs
        self._clock, self._feed = clock, feed

    async def reconcile_all(self) -> dict[str, int]:
        """Repair every tenant; return how much of each kind there was. May be repeated. Raises Unavailable.

        "purged": versions that will never answer again; "points", "files": versions and objects that belong to nothing;
        "indexed": versions that had lost points; "resumed", "failed": versions that were stuck. What can be the fault
        of one tenant's documents is raised once all the others are repaired.
        """
        figures = dict.fromkeys(("purged", "points", "files", "indexed", "resumed", "failed"), 0)
        faults: list[ChatConnectError] = []
        async for tenant_id in self._directory.tenant_ids():
            try:
                for kind, count in (await self._reconcile(tenant_id)).items():
                    figures[kind] += count
            except (NotFound, ProviderBusy, ProviderFailed) as fault:
                faults.append(fault)
        if faults:
            raise faults[0]
        return figures

    async def _reconcile(self, tenant_id: TenantId) -> Mapping[str, int]:
        """Repair one tenant; what a model is asked for comes last, for it may refuse."""
        figures = {"purged": await self._purge(tenant_id), **await self._unstick(tenant_id)}
        documents, index = self._documents_of(tenant_id), await self._indexes.filled(tenant_id)
        # Read before the rows: of what belongs to nothing now there was no row then, for the row comes first.
        keys, found = [key async for key in self._uploads.keys(tenant_id)], await index.chunks.positions()
        holdings = {holding.version.id: holding for holding in await documents.holdings()}
        figures["files"] = await self._remove_files(keys, holdings)
        figures["points"] = await self._remove_points(tenant_id, found, holdings)
        figures["indexed"] = await self._index(tenant_id, index, found, holdings)
        return figures

    async def _purge(self, tenant_id: TenantId) -> int:
        documents, points = self._documents_of(tenant_id), self._indexes.points(tenant_id)
        versions = await documents.abandoned_versions()
        if versions:  # whoever left them behind may have ended before telling that they do not answer any more
            await self._epochs.changed(tenant_id, Area.KNOWLEDGE)
        for version in versions:
            await purge(version, documents=documents, points=points, uploads=self._uploads)
        return len(versions)

    async def _unstick(self, tenant_id: TenantId) -> Mapping[str, int]:
        """Announce the files again of which nobody heard; fail what stopped half-way, or never came."""
        documents = self._documents_of(tenant_id)
        figures = {"resumed": 0, "failed": 0}
        for version in await documents.stuck_versions(self._clock() - PATIENCE):
            there = await self._uploads.exists(version.object_key)
            if there and version.status is Status.UPLOADED:
                await self._uploads.copy(version.object_key, version.object_key)
                figures["resumed"] += 1
            elif failed := await documents.fail(version.id, _STUCK if there else _NEVER_CAME):
                await self._feed.tell(failed)
                figures["failed"] += 1
        return figures

    async def _remove_files(self, keys: Sequence[str], holdings: Collection[VersionId]) -> int:
        """Remove the files of versions that are not there or were purged."""
        orphans = [key for key in keys if not _is_of(key, holdings)]
        for key in orphans:
            await self._uploads.delete(key)
        return len(orphans)

    async def _remove_points(
        self, tenant_id: TenantId, found: Collection[VersionId], holdings: Mapping[VersionId, Holding]
    ) -> int:
        """Remove the points that belong to nothing; return of how many versions."""
        documents, points = self._documents_of(tenant_id), self._indexes.points(tenant_id)
        orphans = [version_id for version_id in found if not _may_have_points(holdings.get(version_id))]
        for version_id in orphans:  # chunks first: what has chunks is taken to have their points, too
            await documents.drop_chunks(version_id)
            await points.delete_version(version_id)
        return len(orphans)

    async def _index(
        self,
        tenant_id: TenantId,
        index: Index,
        found: Mapping[VersionId, Collection[int]],
        holdings: Mapping[VersionId, Holding],
    ) -> int:
        """Make the points again that are missing and remove those that are too many; return of how many versions."""
        wrong = [
            (version_id, holding.chunks, there)
            for version_id, holding in holdings.items()
            if holding.answers and (there := set(found.get(version_id, ()))) != set(range(holding.chunks))
        ]
        try:
            for each in wrong:
                await _repair(index, self._documents_of(tenant_id), *each)
        finally:
            if wrong:
                await self._epochs.changed(tenant_id, Area.KNOWLEDGE)
        return len(wrong)


async def _repair(index: Index, documents: Documents, version_id: VersionId, chunks: int, there: set[int]) -> None:
    """Make a version's missing points from its chunks in the database."""
    if missing := absent(chunks, there):
        async for batch in batches(documents, version_id, missing):
            await index.chunks.save(batch, await index.embedder.embed([chunk.text for chunk in batch]))
    await index.chunks.delete_after(version_id, chunks - 1)
    if not await documents.active_among([version_id]):  # replaced or deleted meanwhile, and perhaps purged
        await index.chunks.delete_version(version_id)


def _may_have_points(holding: Holding | None) -> bool:
    """Say whether the version answers, or may still come to: what is stored of it need not be embedded again."""
    if holding is None:
        return False
    failure = holding.version.failure
    return holding.answers or failure is None or failure.code == GIVEN_UP


def _is_of(key: str, versions: Collection[VersionId]) -> bool:
    try:
        return ObjectKey.parse(key).version_id in versions
    except Invalid:
        return False
