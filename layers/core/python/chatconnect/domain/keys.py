"""API keys: publishable ones for widgets, secret ones for servers.

A key is `pk_live_` or `sk_live_`, its tenant's id (22 characters of base 62) and 32 random characters: it says whose it
claims to be and is then looked up within that tenant alone. Only the SHA-256 of a key is stored: the random part has
190 bits, which no dictionary covers, so a slow password hash would add nothing.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from chatconnect.domain.errors import Invalid, Unauthenticated
from chatconnect.domain.identifiers import AssistantId, KeyId, TenantId, WidgetId
from chatconnect.domain.moments import LAST, in_utc
from chatconnect.domain.secret import Secret

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUE = {character: value for value, character in enumerate(_ALPHABET)}
_TENANT_LENGTH = 22
_RANDOM_LENGTH = 32
LONGEST_OVERLAP = timedelta(days=7)


class KeyKind(StrEnum):
    """The two kinds; the value is the key's prefix."""

    PUBLISHABLE, SECRET = "pk_live_", "sk_live_"


class Scope(StrEnum):
    """What a secret key may be used for. Spending and embedding without changing anything is reading."""

    CHAT = "chat"
    CONVERSATIONS_READ = "conversations:read"
    CONVERSATIONS_WRITE = "conversations:write"
    KNOWLEDGE_READ = "knowledge:read"
    KNOWLEDGE_WRITE = "knowledge:write"
    CONFIG_READ = "config:read"
    CONFIG_WRITE = "config:write"
    USAGE_READ = "usage:read"


ALL_SCOPES = frozenset(Scope)
CHAT_ALONE = frozenset({Scope.CHAT})


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored. `hint` is its beginning and end, for people to recognise it by.

    `scopes` are what it was given; see `may` for what it may do. `last_used_at` is true to the minute.
    `widget_id` is the widget that a publishable key shows, if it names one.
    """

    id: KeyId
    tenant_id: TenantId
    kind: KeyKind
    name: str
    hint: str
    created_at: datetime
    assistant_id: AssistantId | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    scopes: frozenset[Scope] = ALL_SCOPES
    last_used_at: datetime | None = None
    replaced_by: KeyId | None = None
    widget_id: WidgetId | None = None

    @property
    def may(self) -> frozenset[Scope]:
        """What it may do: a publishable key, and one for a single assistant, lets chat and nothing else.

        Documents, conversations and configuration are the whole company's.
        """
        return self.scopes & CHAT_ALONE if self.kind is KeyKind.PUBLISHABLE or self.assistant_id else self.scopes

    def is_usable(self, now: datetime) -> bool:
        """Whether it is neither revoked nor past its end."""
        return all(at is None or at > now for at in (self.revoked_at, self.expires_at))

    def check_usable(self, now: datetime) -> None:
        """Raise Unauthenticated with code "key_revoked" when it is revoked or past its end."""
        if not self.is_usable(now):
            raise key_ended()

    def successor(self, key_id: KeyId, hint: str, now: datetime) -> "ApiKey":
        """Return the key that takes its place; one that was to end lives as long again."""
        end = None if self.expires_at is None else now + min(self.expires_at - self.created_at, LAST - now)
        return replace(
            self, id=key_id, hint=hint, created_at=now, expires_at=end, revoked_at=None, last_used_at=None,
            replaced_by=None,
        )  # fmt: skip


def checked_scopes(kind: KeyKind, scopes: Iterable[Scope] | None, assistant_id: AssistantId | None) -> frozenset[Scope]:
    """Return the scopes of a new key; None: all that a key of this kind can have.

    Raises Invalid with code "invalid_scopes" for none at all, and for more than such a key can have.
    """
    possible = CHAT_ALONE if kind is KeyKind.PUBLISHABLE or assistant_id else ALL_SCOPES
    given = possible if scopes is None else frozenset(scopes)
    if not given or not given <= possible:
        message = "a publishable key, and one for a single assistant, has the scope chat; any other at least one"
        raise Invalid(message, code="invalid_scopes", details={"field": "scopes"})
    return given


def checked_end(expires_at: datetime | None, now: datetime) -> datetime | None:
    """Return when a new key ends. Raises Invalid when that is over already or has no time zone."""
    if expires_at is None:
        return None
    end = in_utc(expires_at, "expires_at")
    if end <= now:
        raise Invalid("a key ends in the future", details={"field": "expires_at"})
    return end


def checked_overlap(overlap: timedelta) -> timedelta:
    """Return how long an old secret works beside its new one. Raises Invalid below none and above seven days."""
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise Invalid("the old one goes on for at most seven days", details={"field": "overlap_hours"})
    return overlap


def key_ended() -> Unauthenticated:
    """Return the refusal of a key that is revoked or past its end, and of whatever was given for it."""
    return Unauthenticated("this key is no longer valid", code="key_revoked")


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
