"""Epochs in memory."""

from dataclasses import dataclass, field
from itertools import count

from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.epochs import Area, Epoch


@dataclass
class StoredEpochs:
    """What all processes see. While it is `away`, nobody learns an epoch, and no change is announced."""

    values: dict[tuple[TenantId, Area], str] = field(default_factory=dict)
    away: bool = False
    fresh: "count[int]" = field(default_factory=count)

    def begin(self, tenant_id: TenantId, area: Area) -> str:
        """Begin a new epoch."""
        self.values[tenant_id, area] = f"epoch {next(self.fresh)}"
        return self.values[tenant_id, area]


class MemoryEpochs:
    """The epochs as one process sees them."""

    def __init__(self, stored: StoredEpochs) -> None:
        self._stored, self._streak = stored, 0

    async def of(self, tenant_id: TenantId) -> Epoch | None:
        if self._stored.away:
            self._streak += 1
            return None
        configuration, knowledge = (
            self._stored.values.get((tenant_id, area)) or self._stored.begin(tenant_id, area) for area in Area
        )
        return Epoch(configuration, knowledge, self._streak)

    async def changed(self, tenant_id: TenantId, area: Area) -> None:
        if not self._stored.away:
            self._stored.begin(tenant_id, area)
