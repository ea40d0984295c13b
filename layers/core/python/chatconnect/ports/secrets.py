"""How secrets are kept at rest."""

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
