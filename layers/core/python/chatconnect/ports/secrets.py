"""How secrets are kept at rest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatconnect.domain.identifiers import TenantId


class Encryption(Protocol):
    """Seals a tenant's secrets; what was sealed for one tenant does not open for another."""

    @property
    def key_id(self) -> str:
        """The name of the key in use, kept beside what it sealed so that a rotation finds what is older."""
        ...

    async def encrypt(self, tenant_id: TenantId, value: bytes) -> bytes:
        """Return the sealed bytes. Raises Unavailable."""
        ...

    async def decrypt(self, tenant_id: TenantId, sealed: bytes) -> bytes:
        """Return what was sealed, with whichever key it was. Raises Unavailable, Invalid when it does not open."""
        ...


@dataclass(frozen=True, slots=True)
class SealedValue:
    """A sealed value and the row that holds it."""

    table: str
    row: Mapping[str, object]
    sealed: bytes


class SealedValues(Protocol):
    """All that is kept sealed for one tenant, wherever it is kept."""

    async def count_older(self, key_id: str) -> int:
        """Return how many values another key than this one sealed."""
        ...

    async def older(self, key_id: str, *, skip: int, limit: int) -> Sequence[SealedValue]:
        """Return values that another key sealed, in a fixed order, without the first `skip`."""
        ...

    async def replace(self, value: SealedValue, sealed: bytes, key_id: str) -> bool:
        """Put the same value, sealed by this key, in its place; False when it is no longer there."""
        ...


SealedValuesOf = Callable[[TenantId], SealedValues]
