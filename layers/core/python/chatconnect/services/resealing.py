"""Seals tenants' secrets anew when the master key was changed, while all of them stay readable."""

import time

from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.faults import OnFault
from chatconnect.ports.secrets import Encryption, SealedValuesOf
from chatconnect.ports.tenants import Directory

SECONDS = 300.0
BATCH = 100


class ResealingService:
    """Seals whatever an older key sealed with the key in use, for `seconds` at a time.

    What is left is told by the values themselves, so a run goes on where the last one stopped, however that ended, and
    two at once do no harm. A value that somebody replaces meanwhile stays as they left it.
    """

    def __init__(
        self,
        *,
        directory: Directory,
        sealed_of: SealedValuesOf,
        encryption: Encryption,
        on_fault: OnFault,
        seconds: float = SECONDS,
    ) -> None:
        self._directory, self._sealed_of, self._encryption = directory, sealed_of, encryption
        self._on_fault, self._seconds = on_fault, seconds

    async def reseal_all(self) -> dict[str, int]:
        """Return how many values were "resealed", how many are "left" for the next run, and how many do not open.

        The old key has to stay until none is left. Raises Unavailable, when what is done so far is done.
        """
        ends_at = time.monotonic() + self._seconds
        figures = {"resealed": 0, "left": 0, "unreadable": 0}
        async for tenant_id in self._directory.tenant_ids():
            resealed, unreadable = await self._reseal(tenant_id, ends_at)
            older = await self._sealed_of(tenant_id).count_older(self._encryption.key_id)
            figures["resealed"] += resealed
            figures["unreadable"] += unreadable
            figures["left"] += max(0, older - unreadable)
        return figures

    async def look(self) -> dict[str, int]:
        """Return how many values an older key sealed, those that do not open included ("older"). Raises Unavailable."""
        older = 0
        async for tenant_id in self._directory.tenant_ids():
            older += await self._sealed_of(tenant_id).count_older(self._encryption.key_id)
        return {"older": older}

    async def _reseal(self, tenant_id: TenantId, ends_at: float) -> tuple[int, int]:
        """Return how many of a tenant's values were sealed anew, and how many do not open."""
        values, key_id = self._sealed_of(tenant_id), self._encryption.key_id
        resealed = unreadable = 0
        while time.monotonic() < ends_at:
            older = await values.older(key_id, skip=unreadable, limit=BATCH)
            for value in older:
                try:
                    opened = await self._encryption.decrypt(tenant_id, value.sealed)
                except Invalid as fault:
                    self._on_fault("a sealed value does not open", fault)
                    unreadable += 1
                    continue
                sealed = await self._encryption.encrypt(tenant_id, opened)
                resealed += await values.replace(value, sealed, key_id)
                if time.monotonic() >= ends_at:
                    break
            if len(older) < BATCH:
                break
        return resealed, unreadable
