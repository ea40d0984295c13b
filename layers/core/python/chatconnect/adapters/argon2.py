"""Password hashes with Argon2id, in threads: one takes tens of milliseconds on purpose."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chatconnect.domain.secret import Secret


class Argon2Passwords:
    """Argon2id with the library's defaults (RFC 9106, low-memory profile)."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._of_nobody: str | None = None

    async def hash(self, password: Secret) -> Secret:
        """Return the hash, with its salt and its cost in it."""
        return Secret(await asyncio.to_thread(self._hasher.hash, password.reveal()))

    async def verify(self, password: Secret, password_hash: Secret | None) -> bool:
        """Say whether they belong together; an unknown person takes as long as a known one."""
        return await asyncio.to_thread(self._verify, password, password_hash)

    def _verify(self, password: Secret, password_hash: Secret | None) -> bool:
        if self._of_nobody is None:
            self._of_nobody = self._hasher.hash("nobody")
        try:
            self._hasher.verify(password_hash.reveal() if password_hash else self._of_nobody, password.reveal())
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None
