"""Signed tokens: JWT with HMAC-SHA-256."""

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import jwt

from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.secret import Secret

_ALGORITHM = "HS256"
_LEEWAY_SECONDS = 5
_STANDARD = ("aud", "iat", "exp")

LoadKeys = Callable[[], Awaitable[Sequence[Secret]]]


class JwtSigner:
    """Signs with the first key and accepts all of them, so that keys can be exchanged while tokens are out."""

    def __init__(self, load_keys: LoadKeys) -> None:
        self._load_keys = load_keys

    async def sign(self, audience: str, claims: Mapping[str, str], *, lifetime_seconds: int) -> str:
        """Return a token for the audience that holds the claims."""
        now = int(time.time())
        key = (await self._load_keys())[0]
        payload = {**claims, "aud": audience, "iat": now, "exp": now + lifetime_seconds}
        return jwt.encode(payload, key.reveal(), algorithm=_ALGORITHM, headers={"kid": _name_of(key)})

    async def verify(self, audience: str, token: str) -> Mapping[str, str]:
        """Return the claims. Raises Unauthenticated with code "token_expired" or "token_invalid"."""
        try:
            name = jwt.get_unverified_header(token).get("kid")
            key = next((key for key in await self._load_keys() if _name_of(key) == name), None)
            if key is None:
                raise Unauthenticated("this token is not valid", code="token_invalid")
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
            raise Unauthenticated("this token is not valid", code="token_invalid") from error
        return {name: str(value) for name, value in claims.items() if name not in _STANDARD}


def _name_of(key: Secret) -> str:
    """A short public name that says nothing about the key."""
    return hashlib.sha256(b"chatconnect-key-id" + key.reveal().encode()).hexdigest()[:12]
