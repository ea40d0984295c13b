"""Finds and repairs what deletions, crashes and losses left wrong between the database, the points and the files."""

from collections.abc import Collection, Mapping
from datetime import timedelta

from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import TenantId, VersionId
from chatconnect.domain.knowledge import GIVEN_UP, Failure, ObjectKey, Status
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.indexes import Index
from chatconnect.ports.knowledge import Documents, DocumentsOf, Holding, Uploads
from chatconnect.ports.tenants import Directory
from chatconnect.services.indexes import IndexService
from chatconnect.services.purging import purge

# Longer than an upload's form is valid, and than a message that failed stays out of sight before each of its tries.
PATIENCE = timedelta(hours=6)
_BATCH = 64
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
    ) -> None:
        self._directory, self._documents_of = directory, documents_of
        self._indexes, self._uploads, self._epochs = indexes, uploads, epochs
        self._clock = clock

    async def reconcile_all(self) -> dict[str, int]:
        """Repair every tenant; return how much of each kind there was. May be repeated. Raises Unavailable.

        "purged": versions that will never answer again; "points", "files": versions and objects that belong to nothing;
        "indexed": versions that had lost points; "resumed", "failed": versions that were stuck.
        """
        figures = dict.fromkeys(("purged", "points", "files", "indexed", "resumed", "failed"), 0)
        async for tenant_id in self._directory.tenant_ids():
            figures["purged"] += await self._purge(tenant_id)
            for kind, count in (await self._unstick(tenant_id)).items():
                figures[kind] += count
            points, indexed = await self._repair_points(tenant_id)
            figures["points"] += points
            figures["indexed"] += indexed
            figures["files"] += await self._remove_files(tenant_id)
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
            else:
                await documents.fail(version.id, _STUCK if there else _NEVER_CAME)
                figures["failed"] += 1
        return figures

    async def _repair_points(self, tenant_id: TenantId) -> tuple[int, int]:
        """Remove the points that belong to nothing and make those again that are missing; return of how many versions.

        The points are read first: what has points without a row now had none then, for the row comes before.
        """
        documents, index = self._documents_of(tenant_id), await self._indexes.filled(tenant_id)
        found = await index.chunks.positions()
        holdings = {holding.version.id: holding for holding in await documents.holdings()}
        orphans = [version_id for version_id in found if not _may_have_points(holdings.get(version_id))]
        for version_id in orphans:  # chunks first: what has chunks is taken to have their points, too
            await documents.drop_chunks(version_id)
            await self._indexes.points(tenant_id).delete_version(version_id)
        indexed = 0
        for version_id, holding in holdings.items():
            if holding.answers and found.get(version_id, set()) != set(range(holding.chunks)):
                await _fill(index, documents, version_id)
                indexed += 1
        if indexed:
            await self._epochs.changed(tenant_id, Area.KNOWLEDGE)
        return len(orphans), indexed

    async def _remove_files(self, tenant_id: TenantId) -> int:
        """Remove the files of versions that are not there or were purged; a version's row comes before its file."""
        keys = [key async for key in self._uploads.keys(tenant_id)]
        if not keys:
            return 0
        living = {holding.version.id for holding in await self._documents_of(tenant_id).holdings()}
        orphans = [key for key in keys if not _is_of(key, living)]
        for key in orphans:
            await self._uploads.delete(key)
        return len(orphans)


async def _fill(index: Index, documents: Documents, version_id: VersionId) -> None:
    """Make a version's points again from its chunks in the database."""
    after = -1
    while batch := await documents.chunks_of_version(version_id, after=after, limit=_BATCH):
        await index.chunks.save(batch, await index.embedder.embed([chunk.text for chunk in batch]))
        after = batch[-1].position
    await index.chunks.delete_after(version_id, after)
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
