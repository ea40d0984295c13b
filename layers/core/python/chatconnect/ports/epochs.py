"""What caches need to know whether what they keep still holds."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from chatconnect.domain.identifiers import TenantId


class Area(StrEnum):
    """What of a tenant can change as one."""

    CONFIGURATION = "configuration"
    KNOWLEDGE = "knowledge"


@dataclass(frozen=True, slots=True)
class Epoch:
    """One state of a tenant: what was read under it holds for as long as it is the same.

    `configuration` and `knowledge` are opaque, never used twice, and the same for all processes: keys of what is kept
    in Redis contain them. `streak` is this process's own: it changes whenever Redis did not answer, because a change
    may have gone unannounced meanwhile. What a process keeps in its memory holds only within one streak.
    """

    configuration: str
    knowledge: str
    streak: int = 0

    def of_area(self, area: Area) -> tuple[str, int]:
        """Return what tells whether something of an area that this process keeps in its memory still holds."""
        return (self.configuration if area is Area.CONFIGURATION else self.knowledge), self.streak


class Epochs(Protocol):
    """Tells the epochs of tenants, and begins new ones."""

    async def of(self, tenant_id: TenantId) -> Epoch | None:
        """Return the tenant's present epoch, in one round trip; to be read before what is to be kept under it.

        None when it is not known: then whoever keeps something in memory drops it all and reads everything anew.
        """
        ...

    async def changed(self, tenant_id: TenantId, area: Area) -> None:
        """Begin a new epoch of an area; to be called when the change is stored, before anybody is told of it.

        Never fails: an announcement that does not get through is logged and repeated in the background.
        """
        ...
