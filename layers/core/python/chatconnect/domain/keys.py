"""API keys: publishable ones for widgets, secret ones for servers.

A key is `pk_live_` or `sk_live_`, its tenant's id (22 characters of base 62) and 32 random characters: it says whose it
claims to be and is then looked up within that tenant alone. Only the SHA-256 of a key is stored: the random part has
190 bits, which no dictionary covers, so a slow password hash would add nothing.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.identifiers import AssistantId, KeyId, TenantId
from chatconnect.domain.secret import Secret

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_TENANT_LENGTH = 22
_RANDOM_LENGTH = 32


class KeyKind(StrEnum):
    """The two kinds; the value is the key's prefix."""

    PUBLISHABLE = "pk_live_"
    SECRET = "sk_live_"  # noqa: S105 - a prefix


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored. `hint` is its beginning and end, for people to recognise it by."""

    id: KeyId
    tenant_id: TenantId
    kind: KeyKind
    name: str
    hint: str
    created_at: datetime
    assistant_id: AssistantId | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def check_usable(self, now: datetime) -> None:
        """Raise Unauthenticated with code "key_revoked" when it is revoked or past its end."""
        ended = min((at for at in (self.revoked_at, self.expires_at) if at is not None), default=None)
        if ended is not None and ended <= now:
            raise Unauthenticated("this key is no longer valid", code="key_revoked")


def make_key(kind: KeyKind, tenant_id: TenantId) -> Secret:
    """Return a new key for the tenant."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    return Secret(kind.value + _encode(tenant_id) + random)


def tenant_claimed_by(key: Secret, kind: KeyKind) -> TenantId:
    """Return the tenant that the key claims to belong to; it proves nothing until the key's hash was found there.

    Raises Unauthenticated with code "unknown_key" when the text is no key of that kind.
    """
    text = key.reveal()
    body = text.removeprefix(kind.value)
    if body == text or len(body) != _TENANT_LENGTH + _RANDOM_LENGTH or not set(body) <= _VALUE.keys():
        raise Unauthenticated("this key is not known", code="unknown_key")
    number = 0
    for character in body[:_TENANT_LENGTH]:
        number = number * 62 + _VALUE[character]
    if number >= 1 << 128:
        raise Unauthenticated("this key is not known", code="unknown_key")
    return TenantId(UUID(int=number))


def hash_of(key: Secret) -> bytes:
    """Return the 32 bytes by which a key is stored and found."""
    return hashlib.sha256(key.reveal().encode()).digest()


def hint_of(key: Secret) -> str:
    """Return what is shown of a key: its prefix, and its last four characters."""
    text = key.reveal()
    return f"{text[:8]}...{text[-4:]}"


def _encode(tenant_id: TenantId) -> str:
    number, characters = tenant_id.int, []
    for _ in range(_TENANT_LENGTH):
        number, digit = divmod(number, 62)
        characters.append(_ALPHABET[digit])
    return "".join(reversed(characters))
