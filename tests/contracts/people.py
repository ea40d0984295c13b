"""Stores of people to test, in memory and in Postgres, and things to put into them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_bytes

import pytest

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.members import PostgresMembers
from chatconnect.adapters.postgres.sessions import PostgresSessions
from chatconnect.domain.identifiers import AccountId, InvitationId, MemberId, SessionId, TenantId, new_id
from chatconnect.domain.invitation import Invitation
from chatconnect.domain.secret import Secret
from chatconnect.domain.session import Session
from chatconnect.domain.tenant import Account, Member, StaffRole
from chatconnect.ports.accounts import Accounts, Members, Sessions
from chatconnect.ports.tenants import NewTenant
from tests.factories import a_tenant
from tests.fakes.people import MemoryMembers, MemorySessions, StoredPeople
from tests.fakes.tenants import MemoryAccounts, StoredTenants

HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Stores:
    """The stores under test."""

    accounts: Accounts
    sessions: Sessions
    members_of: Callable[[TenantId], Members]

    async def opened(self) -> NewTenant:
        new = a_tenant()
        await self.accounts.open_tenant(new)
        return new

    async def joined(self, new: NewTenant, role: StaffRole = StaffRole.AGENT) -> Member:
        """Somebody new in the tenant."""
        token_hash = token_bytes(32)
        account = an_account()
        await self.members_of(new.tenant.id).invite(an_invitation(new, account.email, role=role), token_hash)
        return await self.members_of(new.tenant.id).accept(token_hash, account, MemberId(new_id()), is_new=True)

    async def logged_in(self, account_id: AccountId, tenant_id: TenantId) -> tuple[Session, bytes]:
        """A session, and its refresh token's hash."""
        session, token_hash = a_session(account_id, tenant_id), token_bytes(32)
        await self.sessions.begin(session, token_hash, now() + HOUR)
        return session, token_hash


@pytest.fixture(params=["memory", "postgres"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "memory":
        stored = StoredTenants()
        people = StoredPeople(stored)
        return Stores(
            MemoryAccounts(stored), MemorySessions(stored), lambda tenant_id: MemoryMembers(people, tenant_id)
        )
    database: PostgresDatabase = request.getfixturevalue("database")
    return Stores(
        PostgresAccounts(database),
        PostgresSessions(database),
        lambda tenant_id: PostgresMembers(database, tenant_id),
    )


def an_account() -> Account:
    return Account(AccountId(new_id()), f"{new_id()}@example.com", Secret("$argon2id$hash"))


def a_session(account_id: AccountId, tenant_id: TenantId) -> Session:
    begun = now()
    return Session(SessionId(new_id()), account_id, tenant_id, "a browser", begun, begun, begun + 24 * HOUR)


def an_invitation(new: NewTenant, email: str = "new@example.com", *, role: StaffRole = StaffRole.AGENT) -> Invitation:
    made = now()
    return Invitation(InvitationId(new_id()), new.tenant.id, email, role, new.owner.id, made, made + HOUR)
