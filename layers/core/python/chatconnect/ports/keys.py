"""Where a tenant's API keys and identity secrets are kept."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from chatconnect.domain.identifiers import IdentitySecretId, KeyId, TenantId
from chatconnect.domain.identity import IdentitySecret
from chatconnect.domain.keys import ApiKey
from chatconnect.domain.secret import Secret


class Keys(Protocol):
    """One tenant's API keys."""

    async def find(self, key_hash: bytes) -> ApiKey | None:
        """Return the key with this hash, used up or not. Raises Unavailable."""
        ...

    async def get(self, key_id: KeyId) -> ApiKey:
        """Return the key, used up or not. Raises NotFound."""
        ...

    async def all(self) -> Sequence[ApiKey]:
        """Return all keys, newest first."""
        ...

    async def add(self, key: ApiKey, key_hash: bytes) -> None:
        """Store a new key."""
        ...

    async def replace(self, key_id: KeyId, successor: ApiKey, key_hash: bytes, *, ends_at: datetime) -> bool:
        """Store a key's successor and end the key at a moment, unless it ends before; all or nothing.

        False, and nothing is stored, when there is no such key, or it is revoked, or has a successor already.
        """
        ...

    async def revoke(self, key_id: KeyId, at: datetime) -> None:
        """End a key; the first end of a key stands. Raises NotFound."""
        ...

    async def note_use(self, key_id: KeyId, at: datetime) -> None:
        """Keep when the key was used, when what is kept is older. Raises Unavailable."""
        ...


class IdentitySecrets(Protocol):
    """One tenant's secrets for signed identities; those whose end is over are forgotten."""

    async def usable(self, at: datetime) -> Sequence[IdentitySecret]:
        """Return those that hold at a moment, newest first. Raises Unavailable."""
        ...

    async def add(self, secret: IdentitySecret, *, others_end_at: datetime) -> None:
        """Store a new one and end all others at a moment, unless they end before. Raises Unavailable."""
        ...

    async def delete(self, secret_id: IdentitySecretId) -> None:
        """End one now. Raises NotFound."""
        ...


class IdentityTokens(Protocol):
    """Reads the JWTs with which tenants say who their visitors are."""

    def read(self, token: str, secrets: Sequence[Secret]) -> Mapping[str, object]:
        """Return the claims of a token that one of the secrets has signed (HS256) and that has an end.

        Raises Unauthenticated with code "identity_expired" or "identity_invalid".
        """
        ...


KeysOf = Callable[[TenantId], Keys]
IdentitySecretsOf = Callable[[TenantId], IdentitySecrets]
