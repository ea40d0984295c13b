"""Signed tokens: JWT with HMAC-SHA-256."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import jwt

from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.secret import Secret

_ALGORITHM = "HS256"
_LEEWAY_SECONDS = 5
_STANDARD = ("aud", "iat", "exp")
_REMEMBERED = 2_000
_RELOADING_SECONDS = 10.0

LoadKeys = Callable[[], Awaitable[Sequence[Secret]]]


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that was found good. `expires` is in seconds since 1970, `key` what it is signed with."""

    key: Secret
    expires: float
    claims: Mapping[str, str]


class JwtSigner:
    """Signs with the first key and accepts all of them, so that keys can be exchanged while tokens are out.

    A token that was verified is known again, by its digest, for as long as it and its key are good: one comes with
    every message of a conversation. A token for this audience that names a key which is not known makes the keys be
    loaded anew by `reload_keys`, at most once in ten seconds: another process may sign with a new key already.
    """

    def __init__(self, load_keys: LoadKeys, reload_keys: LoadKeys | None = None) -> None:
        self._load_keys, self._reload_keys, self._reloaded = load_keys, reload_keys, -_RELOADING_SECONDS
        self._verified: OrderedDict[tuple[str, bytes], _Verified] = OrderedDict()

    async def sign(self, audience: str, claims: Mapping[str, str], *, lifetime_seconds: int) -> str:
        """Return a token for the audience that holds the claims."""
        now = int(time.time())
        key = (await self._load_keys())[0]
        payload = {**claims, "aud": audience, "iat": now, "exp": now + lifetime_seconds}
        return jwt.encode(payload, key.reveal(), algorithm=_ALGORITHM, headers={"kid": _name_of(key)})

    async def verify(self, audience: str, token: str) -> Mapping[str, str]:
        """Return the claims. Raises Unauthenticated with code "token_expired" or "token_invalid"."""
        keys, place = await self._load_keys(), (audience, hashlib.sha256(token.encode()).digest())
        known = self._verified.get(place)
        if known is not None and known.key in keys and time.time() < known.expires:
            return known.claims
        self._verified.pop(place, None)
        name, meant_for = _stated_in(token)
        key = _named(name, keys)
        if key is None and meant_for == audience:
            key = _named(name, await self._reloaded_keys(keys))
        if key is None:
            raise _invalid()
        verified = _verified(audience, token, key)
        self._verified[place] = verified
        if len(self._verified) > _REMEMBERED:
            self._verified.popitem(last=False)
        return verified.claims

    async def _reloaded_keys(self, keys: Sequence[Secret]) -> Sequence[Secret]:
        now = time.monotonic()
        if self._reload_keys is None or now - self._reloaded < _RELOADING_SECONDS:
            return keys
        self._reloaded = now
        return await self._reload_keys()


def _stated_in(token: str) -> tuple[object, object]:
    """Return the key and the audience that a token names, unproven. Raises Unauthenticated when it is no token."""
    try:
        stated = jwt.decode_complete(token, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise _invalid() from error
    return stated["header"].get("kid"), stated["payload"].get("aud")


def _named(name: object, keys: Sequence[Secret]) -> Secret | None:
    return next((key for key in keys if _name_of(key) == name), None)


def _verified(audience: str, token: str, key: Secret) -> _Verified:
    try:
        claims = jwt.decode(
            token,
            key.reveal(),
            algorithms=[_ALGORITHM],
            audience=audience,
            leeway=_LEEWAY_SECONDS,
            options={"require": list(_STANDARD)},
        )
    except jwt.ExpiredSignatureError as error:
        raise Unauthenticated("this token has expired", code="token_expired") from error
    except jwt.InvalidTokenError as error:
        raise _invalid() from error
    ours = {name: str(value) for name, value in claims.items() if name not in _STANDARD}
    return _Verified(key, claims["exp"] + _LEEWAY_SECONDS, ours)


def _name_of(key: Secret) -> str:
    """A short public name that says nothing about the key."""
    return hashlib.sha256(b"chatconnect-key-id" + key.reveal().encode()).hexdigest()[:12]


def _invalid() -> Unauthenticated:
    return Unauthenticated("this token is not valid", code="token_invalid")
