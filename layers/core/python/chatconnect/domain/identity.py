"""Who a visitor is, as the tenant's own server says and signs."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.identifiers import IdentitySecretId, TenantId
from chatconnect.domain.secret import Secret
from chatconnect.domain.text import cleaned

MAX_SECRETS = 5
LONGEST_TOKEN = 4_096
LONGEST_ID = 200
_LONGEST_EMAIL, _LONGEST_NAME = 254, 200
_PREFIX = "ids_live_"


@dataclass(frozen=True, slots=True)
class IdentitySecret:
    """A secret with which a tenant signs; `hint` is its beginning and end, for people to recognise it by."""

    id: IdentitySecretId
    tenant_id: TenantId
    hint: str
    value: Secret
    created_at: datetime
    expires_at: datetime | None = None

    def is_usable(self, now: datetime) -> bool:
        """Whether it is not past its end."""
        return self.expires_at is None or self.expires_at > now


@dataclass(frozen=True, slots=True)
class SignedId:
    """A visitor's id and its HMAC-SHA-256 in hexadecimal digits: it proves the id, for ever, and nothing else."""

    user_id: str
    user_hash: str


Proof = str | SignedId
"""A JWT (HS256), or the plain form."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What was proven: the tenant's own id of a visitor, and what it says of them."""

    external_id: str
    email: str | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        bounds = ((self.external_id, LONGEST_ID), (self.email, _LONGEST_EMAIL), (self.name, _LONGEST_NAME))
        for text, longest in bounds:
            if text is not None and not (1 <= len(text) <= longest and cleaned(text) == text):
                raise identity_invalid()


def identity_of(claims: Mapping[str, object]) -> Identity:
    """Return the identity that a JWT's checked claims state: `sub` or `user_id`, `email`, `name`.

    A number will do as an id. Raises Unauthenticated with code "identity_invalid".
    """
    stated = [claims.get(name) for name in ("sub", "user_id")]
    ids = (str(each) for each in stated if isinstance(each, str | int) and not isinstance(each, bool))
    external_id = next(ids, "")
    return Identity(external_id, _text(claims, "email"), _text(claims, "name"))


def identity_of_signed(signed: SignedId, usable: Iterable[Secret]) -> Identity:
    """Return the identity that the plain form proves. Raises Unauthenticated with code "identity_invalid"."""
    given = signed.user_hash.lower().encode()
    if not any(hmac.compare_digest(given, hash_of_user(signed.user_id, secret).encode()) for secret in usable):
        raise identity_invalid()
    return Identity(signed.user_id)


def hash_of_user(user_id: str, secret: Secret) -> str:
    """Return HMAC-SHA-256 of an id in hexadecimal digits."""
    return hmac.new(secret.reveal().encode(), user_id.encode(), hashlib.sha256).hexdigest()


def make_identity_secret() -> Secret:
    """Return a new secret of 256 random bits."""
    return Secret(_PREFIX + secrets.token_urlsafe(32))


def hint_of_identity_secret(secret: Secret) -> str:
    """Return what is shown of a secret: its prefix, and its last four characters."""
    return f"{_PREFIX}...{secret.reveal()[-4:]}"


def identity_invalid() -> Unauthenticated:
    """Return what is told of an identity that nobody signed as it is: not what was wrong with it."""
    return Unauthenticated("this identity is not valid", code="identity_invalid")


def _text(claims: Mapping[str, object], name: str) -> str | None:
    value = claims.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise identity_invalid()
    return value
