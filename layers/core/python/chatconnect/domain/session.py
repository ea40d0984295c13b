"""Sessions of people who logged in, and the refresh tokens that carry them on.

A session is one log-in on one device. Each refresh token is used once and replaced by its successor. The successor is
made from the token itself and a salt that is stored with it, so whoever presents the same token twice at about the same
time (two tabs, an answer that got lost) is given the same successor and not a second one: a session is one chain. A
token that comes back later than that was copied, and ends the session.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.identifiers import AccountId, SessionId, TenantId
from chatconnect.domain.secret import Secret

IDLE = timedelta(days=14)
LONGEST = timedelta(days=90)
LEEWAY = timedelta(seconds=10)
MAX_DEVICE = 200
STAFF_AUDIENCE = "staff"
"""Whom access tokens are for."""
ACCESS_TOKEN_SECONDS = 900
_PREFIX = "rt_"
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    """One log-in. `tenant_id` is where its member works now; `device` is what the program calls itself.

    It ends at `expires_at` at the latest, and before that when no refresh token was used for `IDLE`.
    """

    id: SessionId
    account_id: AccountId
    tenant_id: TenantId
    device: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether its tokens are still accepted."""
        return self.ended_at is None and now < self.expires_at

    def next_token_expires(self, now: datetime) -> datetime:
        """Return until when a refresh token made now may be used."""
        return min(now + IDLE, self.expires_at)

    def used_in(self, tenant_id: TenantId, device: str, now: datetime) -> "Session":
        """Return the session as it is when its member goes on in a tenant."""
        return replace(self, tenant_id=tenant_id, device=device, last_used_at=now)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as it is stored, with its session. `used_at` and `salt` are set together."""

    session: Session
    expires_at: datetime
    used_at: datetime | None = None
    salt: bytes | None = None

    def check_open(self, now: datetime) -> None:
        """Raise Unauthenticated with code "session_ended" when it or its session is over."""
        if now >= self.expires_at or not self.session.is_open(now):
            raise session_ended()

    def used_just_now(self, now: datetime) -> bool:
        """Whether it was used so recently that it may come again by mere chance."""
        return self.used_at is not None and now - self.used_at <= LEEWAY


def session_ended() -> Unauthenticated:
    """Return the refusal of a session that is over, or that never was."""
    return Unauthenticated("this session has ended; please log in again", code="session_ended")


def first_token() -> Secret:
    """Return the first refresh token of a session."""
    return Secret(_PREFIX + secrets.token_urlsafe(_BYTES))


def new_salt() -> bytes:
    """Return what makes a token's successor its own: without it, who knows the token does not know what follows."""
    return secrets.token_bytes(_BYTES)


def successor(token: Secret, salt: bytes) -> Secret:
    """Return the token that follows this one; always the same for the same salt."""
    digest = hmac.digest(salt, token.reveal().encode(), hashlib.sha256)
    return Secret(_PREFIX + urlsafe_b64encode(digest).rstrip(b"=").decode())
