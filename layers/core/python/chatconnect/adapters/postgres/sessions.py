"""Sessions of people who logged in, and their refresh tokens, in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from chatconnect.adapters.postgres.accounts import END_SESSIONS
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.identifiers import AccountId, MemberId, SessionId, TenantId
from chatconnect.domain.principals import SignedIn, Staff
from chatconnect.domain.session import RefreshToken, Session
from chatconnect.domain.tenant import StaffRole
from chatconnect.ports.accounts import Standing

# A log-in is the moment to forget what is over; the tokens go with their sessions.
FORGET_SESSIONS = """
DELETE FROM sessions
WHERE account_id = %(account)s AND (expires_at < now() OR ended_at < now() - interval '30 days')
"""
FORGET_REFRESHES = "DELETE FROM refresh_tokens WHERE account_id = %(account)s AND expires_at < now()"
INSERT_SESSION = """
INSERT INTO sessions (id, account_id, chosen_tenant, device, created_at, last_used_at, expires_at)
VALUES (%(session)s, %(account)s, %(tenant)s, %(device)s, %(at)s, %(at)s, %(ends_at)s)
"""
INSERT_REFRESH = """
INSERT INTO refresh_tokens (token_hash, account_id, family_id, issued_at, expires_at)
VALUES (%(hash)s, %(account)s, %(session)s, %(at)s, %(expires_at)s)
"""

_SESSIONS = "s.id, s.account_id, s.chosen_tenant, s.device, s.created_at, s.last_used_at, s.ended_at"
SELECT_REFRESH = f"""
SELECT {_SESSIONS}, s.expires_at, t.expires_at AS token_expires_at, t.used_at, t.salt
FROM refresh_tokens t JOIN sessions s ON s.id = t.family_id JOIN accounts a ON a.id = s.account_id
WHERE t.token_hash = %(hash)s AND a.disabled_at IS NULL
"""
# Of two who come at once one finds the token unused; the other waits for the row, and then does not.
USE_REFRESH = """
WITH used AS (
    UPDATE refresh_tokens t SET used_at = %(at)s, salt = %(salt)s
    FROM sessions s
    WHERE t.token_hash = %(hash)s AND t.used_at IS NULL AND s.id = t.family_id AND s.ended_at IS NULL
    RETURNING t.family_id, t.account_id
), session AS (
    UPDATE sessions s SET last_used_at = %(at)s, chosen_tenant = %(tenant)s, device = %(device)s
    FROM used WHERE s.id = used.family_id
)
INSERT INTO refresh_tokens (token_hash, account_id, family_id, issued_at, expires_at)
SELECT %(successor)s, account_id, family_id, %(at)s, %(expires_at)s FROM used
"""

SELECT_STANDING = """
SELECT m.id, m.role, a.email, a.is_operator, t.suspended_at IS NOT NULL AS suspended
FROM members m
JOIN tenants t ON t.id = m.tenant_id
JOIN accounts a ON a.id = m.account_id AND a.disabled_at IS NULL
JOIN sessions s ON s.account_id = a.id AND s.id = %(session)s AND s.ended_at IS NULL AND s.expires_at > now()
WHERE m.tenant_id = %(tenant)s AND m.account_id = %(account)s
"""
MOVE = "UPDATE sessions SET chosen_tenant = %(tenant)s WHERE id = %(session)s"
SELECT_OPEN = f"""
SELECT {_SESSIONS}, s.expires_at FROM sessions s
WHERE s.account_id = %(account)s AND s.ended_at IS NULL AND s.expires_at > now()
  AND EXISTS (SELECT FROM refresh_tokens t WHERE t.family_id = s.id AND t.used_at IS NULL AND t.expires_at > now())
ORDER BY s.last_used_at DESC, s.id DESC
"""
END_SESSION = """
UPDATE sessions SET ended_at = now() WHERE account_id = %(account)s AND id = %(session)s AND ended_at IS NULL
"""


class PostgresSessions:
    """All sessions of the deployment."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def begin(self, session: Session, token_hash: bytes, expires_at: datetime) -> None:
        """Store a new session with its first refresh token; what is over of the account's is forgotten."""
        parameters = {**_parameters(session), "hash": token_hash, "expires_at": expires_at}
        async with self._database.shared_transaction() as connection:
            for statement in (FORGET_SESSIONS, FORGET_REFRESHES, INSERT_SESSION, INSERT_REFRESH):
                await connection.execute(statement.encode(), parameters)

    async def find_token(self, token_hash: bytes) -> RefreshToken | None:
        """Return the refresh token with its session; none when the account is disabled."""
        async with self._database.shared_transaction() as connection:
            cursor = connection.cursor(row_factory=class_row(TokenRow))
            await cursor.execute(SELECT_REFRESH.encode(), {"hash": token_hash})
            row = await cursor.fetchone()
        return row.to_token() if row else None

    async def exchange(
        self, token_hash: bytes, salt: bytes, successor_hash: bytes, expires_at: datetime, session: Session
    ) -> bool:
        """Use a token up at `session.last_used_at` and store its successor and the session as it is now.

        False, and nothing is changed, when somebody else was first.
        """
        parameters = {
            **_parameters(session),
            "at": session.last_used_at,
            "hash": token_hash,
            "salt": salt,
            "successor": successor_hash,
            "expires_at": expires_at,
        }
        async with self._database.shared_transaction() as connection:
            used = await connection.execute(USE_REFRESH, parameters)
        return used.rowcount == 1

    async def standing(self, tenant_id: TenantId, account_id: AccountId, session_id: SessionId) -> Standing | None:
        """Return the account's place in the tenant, in one statement.

        None when the account is no member or disabled, or the session is over.
        """
        parameters = {"account": account_id, "session": session_id}
        row = await self._database.fetch_one(tenant_id, StandingRow, SELECT_STANDING, parameters)
        if row is None:
            return None
        staff = Staff(tenant_id, account_id, MemberId(row.id), StaffRole(row.role))
        return Standing(SignedIn(staff, session_id, row.email, row.is_operator), row.suspended)

    async def move(self, session_id: SessionId, tenant_id: TenantId) -> None:
        """Note that the session's member works in another tenant now."""
        async with self._database.shared_transaction() as connection:
            await connection.execute(MOVE, {"session": session_id, "tenant": tenant_id})

    async def of_account(self, account_id: AccountId) -> Sequence[Session]:
        """Return the account's open sessions, the one used last first."""
        async with self._database.shared_transaction() as connection:
            cursor = connection.cursor(row_factory=class_row(SessionRow))
            await cursor.execute(SELECT_OPEN.encode(), {"account": account_id})
            return [row.to_session() for row in await cursor.fetchall()]

    async def end(self, account_id: AccountId, session_id: SessionId) -> bool:
        """End one session of the account; False when it has no such open one."""
        async with self._database.shared_transaction() as connection:
            ended = await connection.execute(END_SESSION, {"account": account_id, "session": session_id})
        return ended.rowcount == 1

    async def end_all(self, account_id: AccountId, *, but: SessionId | None = None) -> None:
        """End all sessions of the account, or all but one."""
        async with self._database.shared_transaction() as connection:
            await connection.execute(END_SESSIONS, {"account": account_id, "but": but})


@dataclass(frozen=True)
class SessionRow:
    """A row of sessions."""

    id: UUID
    account_id: UUID
    chosen_tenant: UUID
    device: str
    created_at: datetime
    last_used_at: datetime
    ended_at: datetime | None
    expires_at: datetime

    def to_session(self) -> Session:
        """Return the entity."""
        return Session(
            SessionId(self.id),
            AccountId(self.account_id),
            TenantId(self.chosen_tenant),
            self.device,
            self.created_at,
            self.last_used_at,
            self.expires_at,
            self.ended_at,
        )


@dataclass(frozen=True)
class TokenRow(SessionRow):
    """A row of refresh_tokens with its session."""

    token_expires_at: datetime
    used_at: datetime | None
    salt: bytes | None

    def to_token(self) -> RefreshToken:
        """Return the entity."""
        return RefreshToken(self.to_session(), self.token_expires_at, self.used_at, self.salt)


@dataclass(frozen=True, slots=True)
class StandingRow:
    """A member with what else decides whether they are let in."""

    id: UUID
    role: str
    email: str
    is_operator: bool
    suspended: bool


def _parameters(session: Session) -> dict[str, object]:
    return {
        "session": session.id,
        "account": session.account_id,
        "tenant": session.tenant_id,
        "device": session.device,
        "at": session.created_at,
        "ends_at": session.expires_at,
    }
