"""One tenant's API keys and identity secrets in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.tenant_secrets import TenantSecrets, all_opened
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import AssistantId, IdentitySecretId, KeyId, TenantId, WidgetId
from chatconnect.domain.identity import IdentitySecret
from chatconnect.domain.keys import ALL_SCOPES, ApiKey, KeyKind, Scope
from chatconnect.ports.secrets import Encryption

_KEYS = """
SELECT id, kind, name, hint, assistant_id, created_at, expires_at, revoked_at, scopes, last_used_at, replaced_by,
       widget_id
FROM api_keys WHERE tenant_id = %(tenant)s
"""
SELECT_KEY = f"{_KEYS} AND key_hash = %(hash)s"
SELECT_KEY_BY_ID = f"{_KEYS} AND id = %(id)s"
SELECT_KEYS = f"{_KEYS} ORDER BY created_at DESC, id DESC"
_INSERT = """
INSERT INTO api_keys (tenant_id, id, kind, key_hash, name, hint, assistant_id, created_at, expires_at, revoked_at,
                      scopes, widget_id)
SELECT %(tenant)s::uuid, %(id)s::uuid, %(kind)s, %(hash)s::bytea, %(name)s, %(hint)s, %(assistant)s::uuid,
       %(created_at)s::timestamptz, %(expires_at)s::timestamptz, %(revoked_at)s::timestamptz, %(scopes)s::text[],
       %(widget)s::uuid
"""
INSERT_KEY = _INSERT
# The update's row lock lets one of two replacements at once succeed.
REPLACE_KEY = f"""
WITH replaced AS (
    UPDATE api_keys SET replaced_by = %(id)s, expires_at = least(expires_at, %(ends_at)s)
    WHERE tenant_id = %(tenant)s AND id = %(old)s AND revoked_at IS NULL AND replaced_by IS NULL
    RETURNING id
)
{_INSERT} FROM replaced
"""
# The first end of a key stands.
REVOKE_KEY = """
UPDATE api_keys SET revoked_at = coalesce(revoked_at, %(at)s) WHERE tenant_id = %(tenant)s AND id = %(id)s
"""
NOTE_USE = """
UPDATE api_keys SET last_used_at = %(at)s
WHERE tenant_id = %(tenant)s AND id = %(id)s AND (last_used_at IS NULL OR last_used_at < %(at)s)
"""

SELECT_SECRETS = """
SELECT id, hint, secret, created_at, expires_at FROM identity_secrets
WHERE tenant_id = %(tenant)s AND (expires_at IS NULL OR expires_at > %(at)s)
ORDER BY created_at DESC, id DESC
"""
INSERT_SECRET = """
WITH forgotten AS (
    DELETE FROM identity_secrets WHERE tenant_id = %(tenant)s AND expires_at <= %(created_at)s
), ended AS (
    UPDATE identity_secrets SET expires_at = least(expires_at, %(others_end_at)s)
    WHERE tenant_id = %(tenant)s AND (expires_at IS NULL OR expires_at > %(created_at)s)
)
INSERT INTO identity_secrets (tenant_id, id, hint, secret, secret_key, created_at, expires_at)
VALUES (%(tenant)s, %(id)s, %(hint)s, %(secret)s, %(secret_key)s, %(created_at)s, %(expires_at)s)
"""
DELETE_SECRET = "DELETE FROM identity_secrets WHERE tenant_id = %(tenant)s AND id = %(id)s"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A row of api_keys, without the hash."""

    id: UUID
    kind: str
    name: str
    hint: str
    assistant_id: UUID | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    scopes: Sequence[str] | None
    last_used_at: datetime | None
    replaced_by: UUID | None
    widget_id: UUID | None

    def to_key(self, tenant_id: TenantId) -> ApiKey:
        """Return the entity; a scope that is no longer known is passed over."""
        return ApiKey(
            KeyId(self.id),
            tenant_id,
            KeyKind[self.kind.upper()],
            self.name,
            self.hint,
            self.created_at,
            AssistantId(self.assistant_id) if self.assistant_id else None,
            self.expires_at,
            self.revoked_at,
            ALL_SCOPES if self.scopes is None else frozenset(scope for scope in Scope if scope in self.scopes),
            self.last_used_at,
            KeyId(self.replaced_by) if self.replaced_by else None,
            WidgetId(self.widget_id) if self.widget_id else None,
        )


def key_parameters(key: ApiKey, key_hash: bytes) -> dict[str, object]:
    """Return the parameters of INSERT_KEY but for the tenant."""
    return {
        "id": key.id,
        "kind": key.kind.name.lower(),
        "hash": key_hash,
        "name": key.name,
        "hint": key.hint,
        "assistant": key.assistant_id,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "widget": key.widget_id,
        "scopes": None if key.scopes == ALL_SCOPES else sorted(key.scopes),
    }


class PostgresKeys:
    """One tenant's API keys."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def find(self, key_hash: bytes) -> ApiKey | None:
        """Return the key with this hash, used up or not."""
        row = await self._database.fetch_one(self._tenant_id, KeyRow, SELECT_KEY, {"hash": key_hash})
        return row.to_key(self._tenant_id) if row else None

    async def get(self, key_id: KeyId) -> ApiKey:
        """Return the key, used up or not. Raises NotFound."""
        row = await self._database.fetch_one(self._tenant_id, KeyRow, SELECT_KEY_BY_ID, {"id": key_id})
        if row is None:
            raise NotFound("key", key_id)
        return row.to_key(self._tenant_id)

    async def all(self) -> Sequence[ApiKey]:
        """Return all keys, newest first."""
        rows = await self._database.fetch(self._tenant_id, KeyRow, SELECT_KEYS, {})
        return [row.to_key(self._tenant_id) for row in rows]

    async def add(self, key: ApiKey, key_hash: bytes) -> None:
        """Store a new key."""
        await self._database.run(self._tenant_id, INSERT_KEY, key_parameters(key, key_hash))

    async def replace(self, key_id: KeyId, successor: ApiKey, key_hash: bytes, *, ends_at: datetime) -> bool:
        """Store a key's successor and end the key at a moment, unless it ends before."""
        parameters = {**key_parameters(successor, key_hash), "old": key_id, "ends_at": ends_at}
        return bool(await self._database.run(self._tenant_id, REPLACE_KEY, parameters))

    async def revoke(self, key_id: KeyId, at: datetime) -> None:
        """End a key; the first end of a key stands. Raises NotFound."""
        if not await self._database.run(self._tenant_id, REVOKE_KEY, {"id": key_id, "at": at}):
            raise NotFound("key", key_id)

    async def note_use(self, key_id: KeyId, at: datetime) -> None:
        """Keep when the key was used, when what is kept is older."""
        await self._database.run(self._tenant_id, NOTE_USE, {"id": key_id, "at": at})


@dataclass(frozen=True, slots=True)
class SecretRow:
    """A row of identity_secrets, sealed."""

    id: UUID
    hint: str
    secret: bytes
    created_at: datetime
    expires_at: datetime | None


class PostgresIdentitySecrets:
    """One tenant's secrets for signed identities, sealed by `encryption`."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId, *, encryption: Encryption) -> None:
        self._database, self._tenant_id = database, tenant_id
        self._secrets = TenantSecrets(encryption, tenant_id)

    async def usable(self, at: datetime) -> Sequence[IdentitySecret]:
        """Return those that hold at a moment, newest first."""
        rows = await self._database.fetch(self._tenant_id, SecretRow, SELECT_SECRETS, {"at": at})
        return await all_opened(rows, self._opened)

    async def add(self, secret: IdentitySecret, *, others_end_at: datetime) -> None:
        """Store a new one and end all others at a moment, unless they end before."""
        sealed, key_id = await self._secrets.sealed(secret.value)
        parameters = {
            "id": secret.id,
            "hint": secret.hint,
            "secret": sealed,
            "secret_key": key_id,
            "created_at": secret.created_at,
            "expires_at": secret.expires_at,
            "others_end_at": others_end_at,
        }
        await self._database.run(self._tenant_id, INSERT_SECRET, parameters)

    async def delete(self, secret_id: IdentitySecretId) -> None:
        """End one now. Raises NotFound."""
        if not await self._database.run(self._tenant_id, DELETE_SECRET, {"id": secret_id}):
            raise NotFound("identity_secret", secret_id)

    async def _opened(self, row: SecretRow) -> IdentitySecret:
        value = await self._secrets.opened(row.secret)
        return IdentitySecret(
            IdentitySecretId(row.id), self._tenant_id, row.hint, value, row.created_at, row.expires_at
        )
