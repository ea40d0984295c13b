"""How one tenant's secrets become columns, sealed beside the name of the key that sealed them, and secrets again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

import orjson

from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.secret import Secret
from chatconnect.ports.secrets import Encryption

Row = TypeVar("Row")
Opened = TypeVar("Opened")

Sealed = tuple[bytes | None, str | None]
"""A sealed value and the name of its key; neither, where there is no secret."""


class TenantSecrets:
    """Seals and opens for one tenant. Both raise Unavailable, opening Invalid, too, for what does not open."""

    def __init__(self, encryption: Encryption, tenant_id: TenantId) -> None:
        self._encryption, self._tenant_id = encryption, tenant_id

    async def sealed(self, secret: Secret | None) -> Sealed:
        """Return a secret as it is stored."""
        return await self._sealed(None if secret is None else secret.reveal().encode())

    async def opened(self, sealed: bytes) -> Secret:
        """Return the secret of a column."""
        return Secret((await self._encryption.decrypt(self._tenant_id, sealed)).decode())

    async def sealed_headers(self, headers: Mapping[str, Secret]) -> Sealed:
        """Return headers as they are stored, together."""
        revealed = {name: value.reveal() for name, value in headers.items()}
        return await self._sealed(orjson.dumps(revealed) if revealed else None)

    async def opened_headers(self, sealed: bytes | None) -> dict[str, Secret]:
        """Return the headers of a column."""
        if sealed is None:
            return {}
        revealed = orjson.loads(await self._encryption.decrypt(self._tenant_id, sealed))
        return {name: Secret(value) for name, value in revealed.items()}

    async def _sealed(self, value: bytes | None) -> Sealed:
        if value is None:
            return None, None
        return await self._encryption.encrypt(self._tenant_id, value), self._encryption.key_id


async def all_opened(rows: Iterable[Row], opened: Callable[[Row], Awaitable[Opened]]) -> list[Opened]:
    """Return what `opened` makes of each row, in their order; the key store is asked for all of them at once."""
    return await asyncio.gather(*map(opened, rows))
