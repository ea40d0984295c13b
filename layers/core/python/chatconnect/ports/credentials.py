"""What the services need to prove who somebody is."""

from collections.abc import Mapping
from typing import Protocol

from chatconnect.domain.secret import Secret


class TokenSigner(Protocol):
    """Makes and checks short-lived signed tokens."""

    async def sign(self, audience: str, claims: Mapping[str, str], *, lifetime_seconds: int) -> str:
        """Return a token for the audience that holds the claims."""
        ...

    async def verify(self, audience: str, token: str) -> Mapping[str, str]:
        """Return the claims. Raises Unauthenticated with code "token_expired" or "token_invalid"."""
        ...


class PasswordHasher(Protocol):
    """Slow hashes for passwords."""

    async def hash(self, password: Secret) -> Secret:
        """Return the hash, with its salt and its cost in it."""
        ...

    async def verify(self, password: Secret, password_hash: Secret | None) -> bool:
        """Say whether they belong together; takes as long, and says no, when there is no hash."""
        ...
