"""Removes what deletions and crashes left behind outside the database."""

from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.knowledge import ChunksOf, DocumentsOf, Uploads
from chatconnect.ports.tenants import Directory
from chatconnect.services.purging import purge


class ReconciliationService:
    """Goes through the tenants, one after the other."""

    def __init__(
        self, *, directory: Directory, documents_of: DocumentsOf, chunks_of: ChunksOf, uploads: Uploads, epochs: Epochs
    ) -> None:
        self._directory, self._documents_of = directory, documents_of
        self._chunks_of, self._uploads, self._epochs = chunks_of, uploads, epochs

    async def purge_all(self) -> int:
        """Purge every version that will never answer again; return how many there were. Raises Unavailable."""
        purged = 0
        async for tenant_id in self._directory.tenant_ids():
            purged += await self._purge(tenant_id)
        return purged

    async def _purge(self, tenant_id: TenantId) -> int:
        documents, chunks = self._documents_of(tenant_id), self._chunks_of(tenant_id)
        versions = await documents.abandoned_versions()
        if versions:  # whoever left them behind may have ended before telling that they do not answer any more
            await self._epochs.changed(tenant_id, Area.KNOWLEDGE)
        for version in versions:
            await purge(version, documents=documents, chunks=chunks, uploads=self._uploads)
        return len(versions)
