"""API keys and identity secrets in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import IdentitySecretId, KeyId, TenantId
from chatconnect.domain.identity import IdentitySecret
from chatconnect.domain.keys import ApiKey
from tests.fakes.tenants import StoredTenants


class MemoryKeys:
    """One tenant's keys, which are stored with the tenants; counts how often one was looked for."""

    def __init__(self, stored: StoredTenants, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def find(self, key_hash: bytes) -> ApiKey | None:
        self._stored.key_reads += 1
        return self._stored.keys.get((self._tenant_id, key_hash))

    async def get(self, key_id: KeyId) -> ApiKey:
        self._stored.key_reads += 1
        return self._stored.keys[self._place(key_id)]

    async def all(self) -> Sequence[ApiKey]:
        own = [key for (tenant, _), key in self._stored.keys.items() if tenant == self._tenant_id]
        return sorted(own, key=lambda key: (key.created_at, key.id), reverse=True)

    async def add(self, key: ApiKey, key_hash: bytes) -> None:
        self._stored.keys[self._tenant_id, key_hash] = key

    async def replace(self, key_id: KeyId, successor: ApiKey, key_hash: bytes, *, ends_at: datetime) -> bool:
        try:
            place = self._place(key_id)
        except NotFound:
            return False
        old = self._stored.keys[place]
        if old.revoked_at or old.replaced_by:
            return False
        ends = min(ends_at, old.expires_at) if old.expires_at else ends_at
        self._stored.keys[place] = replace(old, expires_at=ends, replaced_by=successor.id)
        await self.add(successor, key_hash)
        return True

    async def revoke(self, key_id: KeyId, at: datetime) -> None:
        place = self._place(key_id)
        key = self._stored.keys[place]
        self._stored.keys[place] = replace(key, revoked_at=key.revoked_at or at)

    async def note_use(self, key_id: KeyId, at: datetime) -> None:
        place = self._place(key_id)
        key = self._stored.keys[place]
        self._stored.keys[place] = replace(key, last_used_at=max(at, key.last_used_at or at))

    def _place(self, key_id: KeyId) -> tuple[TenantId, bytes]:
        for (tenant, key_hash), key in self._stored.keys.items():
            if tenant == self._tenant_id and key.id == key_id:
                return tenant, key_hash
        raise NotFound("key", key_id)


@dataclass
class StoredSecrets:
    """What the identity secrets of all tenants share."""

    secrets: dict[tuple[TenantId, IdentitySecretId], IdentitySecret] = field(default_factory=dict)


class MemoryIdentitySecrets:
    """One tenant's identity secrets."""

    def __init__(self, stored: StoredSecrets, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def usable(self, at: datetime) -> Sequence[IdentitySecret]:
        own = [secret for (tenant, _), secret in self._stored.secrets.items() if tenant == self._tenant_id]
        usable = [secret for secret in own if secret.is_usable(at)]
        return sorted(usable, key=lambda secret: (secret.created_at, secret.id), reverse=True)

    async def add(self, secret: IdentitySecret, *, others_end_at: datetime) -> None:
        for (tenant, id_), other in list(self._stored.secrets.items()):
            if tenant == self._tenant_id and not other.is_usable(secret.created_at):
                del self._stored.secrets[tenant, id_]
            elif tenant == self._tenant_id:
                ends = min(others_end_at, other.expires_at) if other.expires_at else others_end_at
                self._stored.secrets[tenant, id_] = replace(other, expires_at=ends)
        self._stored.secrets[self._tenant_id, secret.id] = secret

    async def delete(self, secret_id: IdentitySecretId) -> None:
        if self._stored.secrets.pop((self._tenant_id, secret_id), None) is None:
            raise NotFound("identity_secret", secret_id)
