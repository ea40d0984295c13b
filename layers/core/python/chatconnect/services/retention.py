"""How long tenants keep what, and removing what is older."""

import time
from datetime import timedelta
from functools import partial

from chatconnect.domain.data_rights import Retention
from chatconnect.domain.errors import Caught
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.clock import Clock
from chatconnect.ports.data_rights import RecordsOf, RetentionOf
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.faults import OnFault
from chatconnect.ports.tenants import Directory
from chatconnect.services.changes import changing

BATCH = 200
RUN_SECONDS = 300.0


class RetentionService:
    """Keeps the periods, and applies them: batch by batch, so that a run that was interrupted loses nothing."""

    def __init__(
        self,
        *,
        directory: Directory,
        retention_of: RetentionOf,
        records_of: RecordsOf,
        epochs: Epochs,
        clock: Clock,
        on_fault: OnFault,
    ) -> None:
        self._directory, self._retention_of, self._records_of = directory, retention_of, records_of
        self._epochs, self._clock, self._on_fault = epochs, clock, on_fault

    async def get(self, tenant_id: TenantId) -> Retention:
        """Return the tenant's periods. Raises Unavailable."""
        return await self._retention_of(tenant_id).get()

    async def set(self, tenant_id: TenantId, retention: Retention) -> Retention:
        """Keep other periods from the next run of the job on. Raises Unavailable."""
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await self._retention_of(tenant_id).save(retention)
        return retention

    async def apply_all(self, seconds: float = RUN_SECONDS) -> dict[str, int]:
        """Remove what is older than its tenant keeps it, for so long at a time. Raises Unavailable.

        Returns how many "conversations", "visitors" and lines of the "audit" log went, how many tenants "failed", and
        how many are "left" for the next run.
        """
        ends_at = time.monotonic() + seconds
        figures = dict.fromkeys(("conversations", "visitors", "audit", "failed", "left"), 0)
        async for tenant_id in self._directory.tenant_ids():
            with Caught(partial(self._on_fault, "retention not applied")) as caught:
                for kind, count in (await self._apply(tenant_id, ends_at)).items():
                    figures[kind] += count
            figures["failed"] += caught.fault is not None
        return figures

    async def _apply(self, tenant_id: TenantId, ends_at: float) -> dict[str, int]:
        retention, records = await self._retention_of(tenant_id).get(), self._records_of(tenant_id)
        figures = dict.fromkeys(("conversations", "visitors", "audit", "left"), 0)
        if retention.conversation_days is not None:
            before = self._clock() - timedelta(days=retention.conversation_days)
            while time.monotonic() < ends_at and (erased := await records.erase_older(before, BATCH)):
                for kind in ("conversations", "visitors"):
                    figures[kind] += erased.get(kind, 0)
        if retention.audit_days is not None:
            while time.monotonic() < ends_at and (pruned := await records.prune_audit(BATCH)):
                figures["audit"] += pruned
        figures["left"] = int(time.monotonic() >= ends_at and retention != Retention())
        return figures
