"""Chooses the adapters of what is about people: sessions, passwords, members, invitations and operators."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from chatconnect import assembly
from chatconnect.adapters.argon2 import Argon2Passwords
from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.audit import PostgresRefusedLogIns
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.members import PostgresMembers
from chatconnect.adapters.postgres.operators import PostgresOperatedTenants
from chatconnect.adapters.postgres.sessions import PostgresSessions
from chatconnect.adapters.redis_throttle import RedisThrottle
from chatconnect.observability import log_copied_session, log_fault
from chatconnect.ports.credentials import TokenSigner
from chatconnect.ports.epochs import Epochs
from chatconnect.ports.tenants import TenantsOf
from chatconnect.services.accounts import AccountService
from chatconnect.services.attempts import Attempts
from chatconnect.services.members import InvitationService, MemberService
from chatconnect.services.operators import OperatorService
from chatconnect.services.sessions import SessionService
from chatconnect.settings import Settings

if TYPE_CHECKING:
    from chatconnect.adapters.redis import RedisDatabase


class PeopleServices:
    """The services that are about people."""

    def __init__(
        self,
        settings: Settings,
        *,
        database: PostgresDatabase,
        redis: "Callable[[], RedisDatabase]",
        tenants_of: TenantsOf,
        access_tokens: TokenSigner,
        epochs: Epochs,
    ) -> None:
        self.accounts, self.passwords = PostgresAccounts(database), Argon2Passwords()
        attempts, mailer = Attempts(RedisThrottle(redis, on_fault=log_fault)), assembly.mailer(settings)
        members_of, dashboard_url = partial(PostgresMembers, database), assembly.dashboard_url(settings)
        self.sessions = SessionService(
            sessions=PostgresSessions(database),
            accounts=self.accounts,
            tenants_of=tenants_of,
            access_tokens=access_tokens,
            passwords=self.passwords,
            attempts=attempts,
            refusals=PostgresRefusedLogIns(database),
            on_reuse=log_copied_session,
            clock=assembly.now,
        )
        self.own = AccountService(
            accounts=self.accounts,
            passwords=self.passwords,
            mailer=mailer,
            attempts=attempts,
            dashboard_url=dashboard_url,
            on_fault=log_fault,
            clock=assembly.now,
        )
        self.members = MemberService(members_of=members_of)
        self.invitations = InvitationService(
            members_of=members_of,
            accounts=self.accounts,
            tenants_of=tenants_of,
            passwords=self.passwords,
            mailer=mailer,
            attempts=attempts,
            dashboard_url=dashboard_url,
            clock=assembly.now,
        )
        self.operators = OperatorService(
            tenants=PostgresOperatedTenants(database), accounts=self.accounts, epochs=epochs
        )
