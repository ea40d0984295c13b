"""People who can log in, and the opening of tenants, in Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres.configurations import assistant_json, widget_json
from chatconnect.adapters.postgres.database import PostgresDatabase, violated
from chatconnect.adapters.postgres.tenant_rows import key_parameters
from chatconnect.adapters.postgres.tenant_statements import INSERT_KEY
from chatconnect.domain.errors import Conflict, Invalid
from chatconnect.domain.identifiers import AccountId, MemberId, TenantId
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import Account, Member, StaffRole
from chatconnect.ports.tenants import NewTenant

SELECT_BY_EMAIL = "SELECT id, email, password_hash FROM accounts WHERE email = %(email)s AND disabled_at IS NULL"

# The account's own policy shows these rows, of whatever tenant.
SELECT_MEMBERSHIPS = """
SELECT id, tenant_id, account_id, role FROM members WHERE account_id = %(account)s ORDER BY created_at, id
"""

INSERT_ACCOUNT = """
INSERT INTO accounts (id, email, password_hash, created_at) VALUES (%(id)s, %(email)s, %(hash)s, %(created_at)s)
"""

INSERT_TENANT = """
INSERT INTO tenants (id, name, plan, default_assistant_id, created_at)
VALUES (%(tenant)s, %(name)s, %(plan)s, %(assistant)s, %(created_at)s)
"""

INSERT_MEMBER = """
INSERT INTO members (tenant_id, id, account_id, role, created_at)
VALUES (%(tenant)s, %(id)s, %(account)s, %(role)s, %(created_at)s)
"""

INSERT_ASSISTANT = """
WITH assistant AS (
    INSERT INTO assistants (tenant_id, id, latest_version, published_version, created_at, updated_at)
    VALUES (%(tenant)s, %(id)s, %(version)s, %(version)s, %(created_at)s, %(updated_at)s)
)
INSERT INTO assistant_versions (tenant_id, assistant_id, number, config, author_id, created_at)
VALUES (%(tenant)s, %(id)s, %(version)s, %(config)s, %(author)s, %(created_at)s)
"""

INSERT_WIDGET = """
WITH widget AS (
    INSERT INTO widgets (tenant_id, id, assistant_id, name, config, created_at, updated_at)
    VALUES (%(tenant)s, %(id)s, %(assistant)s, %(name)s, %(config)s, %(updated_at)s, %(updated_at)s)
)
INSERT INTO widget_versions (tenant_id, widget_id, number, config, author_id, created_at)
VALUES (%(tenant)s, %(id)s, 1, %(config)s, %(author)s, %(updated_at)s)
"""


class PostgresAccounts:
    """All accounts of the deployment."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def find_by_email(self, email: str) -> Account | None:
        """Return the account with this checked address; a disabled one is none."""
        async with self._database.shared_transaction() as connection:
            cursor = connection.cursor(row_factory=class_row(AccountRow))
            await cursor.execute(SELECT_BY_EMAIL, {"email": email})
            row = await cursor.fetchone()
        return Account(AccountId(row.id), row.email, Secret(row.password_hash)) if row else None

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


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A row of accounts."""

    id: UUID
    email: str
    password_hash: str


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


async def _insert_people(connection: AsyncConnection, new: NewTenant) -> None:
    at = {"tenant": new.tenant.id, "created_at": new.tenant.created_at}
    account = {"id": new.account.id, "email": new.account.email, "hash": new.account.password_hash.reveal()}
    await connection.execute(INSERT_ACCOUNT, {**at, **account})
    tenant = {"name": new.tenant.name, "plan": new.tenant.plan, "assistant": new.assistant.id}
    await connection.execute(INSERT_TENANT, {**at, **tenant})
    member = {"id": new.owner.id, "account": new.owner.account_id, "role": new.owner.role}
    await connection.execute(INSERT_MEMBER, {**at, **member})


async def _insert_assistant_and_widget(connection: AsyncConnection, new: NewTenant) -> None:
    assistant, widget = new.assistant, new.widget
    by = {"tenant": new.tenant.id, "author": new.account.id}
    await connection.execute(
        INSERT_ASSISTANT,
        {
            **by,
            "id": assistant.id,
            "version": assistant.version,
            "config": Jsonb(assistant_json(assistant.config)),
            "created_at": assistant.created_at,
            "updated_at": assistant.updated_at,
        },
    )
    await connection.execute(
        INSERT_WIDGET,
        {
            **by,
            "id": widget.id,
            "assistant": widget.assistant_id,
            "name": widget.name,
            "config": Jsonb(widget_json(widget.config)),
            "updated_at": widget.updated_at,
        },
    )
