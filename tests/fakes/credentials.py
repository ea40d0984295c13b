"""Tokens that are numbered, and passwords whose hash is seen through at once."""

from collections.abc import Mapping

from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.secret import Secret


class NumberedTokens:
    """Remembers what each token stands for."""

    def __init__(self) -> None:
        self._claims: dict[tuple[str, str], Mapping[str, str]] = {}

    async def sign(self, audience: str, claims: Mapping[str, str], *, lifetime_seconds: int) -> str:
        token = f"{audience}-{len(self._claims)}"
        self._claims[audience, token] = claims
        return token

    async def verify(self, audience: str, token: str) -> Mapping[str, str]:
        if token.startswith("expired"):
            raise Unauthenticated("this token has expired", code="token_expired")
        if (audience, token) not in self._claims:
            raise Unauthenticated("this token is not valid", code="token_invalid")
        return self._claims[audience, token]


class PlainPasswords:
    """Counts how often a password was checked, which has to happen without an account too, and how often hashed."""

    def __init__(self) -> None:
        self.verified = self.hashed = 0

    async def hash(self, password: Secret) -> Secret:
        self.hashed += 1
        return Secret(f"hash of {password.reveal()}")

    async def verify(self, password: Secret, password_hash: Secret | None) -> bool:
        self.verified += 1
        return password_hash == Secret(f"hash of {password.reveal()}")
