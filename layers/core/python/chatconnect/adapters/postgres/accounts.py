"""People who can log in, and the opening of tenants, in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres.assistant_statements import INSERT_ASSISTANT
from chatconnect.adapters.postgres.configurations import assistant_json
from chatconnect.adapters.postgres.database import PostgresDatabase, violated
from chatconnect.adapters.postgres.keys import INSERT_KEY, key_parameters
from chatconnect.adapters.postgres.widgets import INSERT_WIDGET, widget_parameters
from chatconnect.domain.errors import Conflict, Invalid, NotFound
from chatconnect.domain.identifiers import AccountId, MemberId, SessionId, TenantId
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import Account, Member, StaffRole
from chatconnect.ports.tenants import NewTenant

_ACCOUNTS = "SELECT id, email, password_hash, is_operator, disabled_at FROM accounts"
SELECT_BY_EMAIL = f"{_ACCOUNTS} WHERE email = %(email)s"
SELECT_BY_ID = f"{_ACCOUNTS} WHERE id = %(id)s"

# The account's own policy shows these rows, of whatever tenant.
SELECT_MEMBERSHIPS = """
SELECT id, tenant_id, account_id, role FROM members WHERE account_id = %(account)s ORDER BY created_at, id
"""

INSERT_ACCOUNT = """
INSERT INTO accounts (id, email, password_hash, created_at) VALUES (%(id)s, %(email)s, %(hash)s, %(created_at)s)
"""

UPDATE_HASH = "UPDATE accounts SET password_hash = %(hash)s WHERE id = %(account)s"
DISABLE = """
UPDATE accounts SET disabled_at = CASE WHEN %(disabled)s THEN coalesce(disabled_at, now()) END WHERE id = %(account)s
"""
END_SESSIONS = """
UPDATE sessions SET ended_at = now()
WHERE account_id = %(account)s AND ended_at IS NULL AND id IS DISTINCT FROM %(but)s
"""

FORGET_RESETS = "DELETE FROM password_resets WHERE account_id = %(account)s"
INSERT_RESET = """
INSERT INTO password_resets (token_hash, account_id, created_at, expires_at)
VALUES (%(hash)s, %(account)s, now(), %(expires_at)s)
"""
# Of two who come at once with the same token one deletes the row, and only that one is told whose it was.
USE_RESET = """
DELETE FROM password_resets r USING accounts a
WHERE r.token_hash = %(hash)s AND r.expires_at > now() AND a.id = r.account_id AND a.disabled_at IS NULL
RETURNING r.account_id
"""

INSERT_TENANT = """
INSERT INTO tenants (id, name, plan, default_assistant_id, created_at)
VALUES (%(tenant)s, %(name)s, %(plan)s, %(assistant)s, %(created_at)s)
"""

INSERT_MEMBER = """
INSERT INTO members (tenant_id, id, account_id, role, created_at)
VALUES (%(tenant)s, %(id)s, %(account)s, %(role)s, %(created_at)s)
"""


class PostgresAccounts:
    """All accounts of the deployment."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def find_by_email(self, email: str) -> Account | None:
        """Return the account with this checked address, disabled or not."""
        return await self._find(SELECT_BY_EMAIL, {"email": email})

    async def get(self, account_id: AccountId) -> Account:
        """Return the account, disabled or not. Raises NotFound."""
        account = await self._find(SELECT_BY_ID, {"id": account_id})
        if account is None:
            raise NotFound("account", account_id)
        return account

    async def memberships(self, account_id: AccountId) -> Sequence[Member]:
        """Return the account's places, oldest first."""
        async with self._database.account_transaction(account_id) as connection:
            cursor = connection.cursor(row_factory=class_row(MemberRow))
            await cursor.execute(SELECT_MEMBERSHIPS, {"account": account_id})
            return [row.to_member() for row in await cursor.fetchall()]

    async def open_tenant(self, new: NewTenant) -> None:
        """Store a new tenant with all it starts with, all or nothing. Raises Conflict with code "email_taken"."""
        if new.assistant.config.access_token is not None:
            raise Invalid("a new tenant's assistant has no access token of its own yet", details={"field": "assistant"})
        try:
            async with self._database.transaction(new.tenant.id) as connection:
                await _insert_people(connection, new)
                await _insert_assistant_and_widget(connection, new)
                for key, key_hash in (new.widget_key, new.secret_key):
                    parameters = {"tenant": new.tenant.id, **key_parameters(key, key_hash)}
                    await connection.execute(INSERT_KEY, parameters)
        except psycopg.errors.UniqueViolation as error:
            if violated(error) != "accounts_email_key":
                raise
            raise Conflict("there is an account with this e-mail address", code="email_taken") from error

    async def set_password(self, account_id: AccountId, password_hash: Secret, *, keep: SessionId | None) -> None:
        """Store a new password; resets that were asked for and all sessions but `keep` are over, all or nothing."""
        async with self._database.shared_transaction() as connection:
            await connection.execute(UPDATE_HASH, {"hash": password_hash.reveal(), "account": account_id})
            await connection.execute(FORGET_RESETS, {"account": account_id})
            await connection.execute(END_SESSIONS, {"account": account_id, "but": keep})

    async def allow_reset(self, account_id: AccountId, token_hash: bytes, expires_at: datetime) -> None:
        """Remember who may set a new password; an earlier permission ends."""
        async with self._database.shared_transaction() as connection:
            await connection.execute(FORGET_RESETS, {"account": account_id})
            reset = {"hash": token_hash, "account": account_id, "expires_at": expires_at}
            await connection.execute(INSERT_RESET, reset)

    async def use_reset(self, token_hash: bytes) -> AccountId | None:
        """Use a permission up and return whose it was; none when there is none in force. Only one caller gets it."""
        async with self._database.shared_transaction() as connection:
            row = await (await connection.execute(USE_RESET, {"hash": token_hash})).fetchone()
        return AccountId(row[0]) if row else None

    async def set_disabled(self, account_id: AccountId, *, disabled: bool) -> None:
        """Keep somebody out, which ends their sessions, or let them in again. Raises NotFound."""
        async with self._database.shared_transaction() as connection:
            changed = await connection.execute(DISABLE, {"account": account_id, "disabled": disabled})
            if not changed.rowcount:
                raise NotFound("account", account_id)
            if disabled:
                await connection.execute(END_SESSIONS, {"account": account_id, "but": None})

    async def _find(self, statement: str, parameters: dict[str, object]) -> Account | None:
        async with self._database.shared_transaction() as connection:
            cursor = connection.cursor(row_factory=class_row(AccountRow))
            await cursor.execute(statement.encode(), parameters)
            row = await cursor.fetchone()
        return row.to_account() if row else None


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A row of accounts."""

    id: UUID
    email: str
    password_hash: str
    is_operator: bool
    disabled_at: datetime | None

    def to_account(self) -> Account:
        """Return the entity."""
        return Account(AccountId(self.id), self.email, Secret(self.password_hash), self.is_operator, self.disabled_at)


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A row of members."""

    id: UUID
    tenant_id: UUID
    account_id: UUID
    role: str

    def to_member(self) -> Member:
        """Return the entity."""
        return Member(MemberId(self.id), TenantId(self.tenant_id), AccountId(self.account_id), StaffRole(self.role))


def account_parameters(account: Account, created_at: datetime) -> dict[str, object]:
    """Return the parameters of INSERT_ACCOUNT."""
    return {
        "id": account.id,
        "email": account.email,
        "hash": account.password_hash.reveal(),
        "created_at": created_at,
    }


async def _insert_people(connection: AsyncConnection, new: NewTenant) -> None:
    at = {"tenant": new.tenant.id, "created_at": new.tenant.created_at}
    await connection.execute(INSERT_ACCOUNT, account_parameters(new.account, new.tenant.created_at))
    tenant = {"name": new.tenant.name, "plan": new.tenant.plan, "assistant": new.assistant.id}
    await connection.execute(INSERT_TENANT, {**at, **tenant})
    member = {"id": new.owner.id, "account": new.owner.account_id, "role": new.owner.role}
    await connection.execute(INSERT_MEMBER, {**at, **member})


async def _insert_assistant_and_widget(connection: AsyncConnection, new: NewTenant) -> None:
    assistant, by = new.assistant, {"tenant": new.tenant.id}
    version = {"config": Jsonb(assistant_json(assistant.config)), "token": None, "token_key": None, "note": ""}
    first = {"id": assistant.id, "author": new.account.id, "created_at": assistant.created_at}
    await connection.execute(INSERT_ASSISTANT, {**by, **first, **version})
    await connection.execute(INSERT_WIDGET, {**by, **widget_parameters(new.widget, new.account.id)})
