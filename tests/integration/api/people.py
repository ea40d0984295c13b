"""People who join companies, and those who run the platform."""

import secrets

from tests.integration.api.clients import PASSWORD, Caller, Company, granted
from tests.integration.api.conftest import Mailbox
from tests.integration.api.tables import tables
from tests.stack import RunningStack


async def invited(company: Company, mailbox: Mailbox, role: str, by: Caller | None = None) -> str:
    """Invite somebody new and return the token of their mail."""
    email = f"{role}-{secrets.token_hex(4)}@example.com"
    granted(await (by or company.staff).post("/v1/invitations", {"email": email, "role": role}))
    return mailbox.token(email, "invitation")


async def joined(company: Company, mailbox: Mailbox, role: str) -> tuple[Caller, str]:
    """Somebody new in the company, and their member id."""
    body = {"token": await invited(company, mailbox, role), "password": PASSWORD}
    session = granted(await company.http.post("/v1/auth/invitations/accept", json=body))
    assert session["member"]["role"] == role
    return Caller(company.http, session["access_token"]), session["member"]["member_id"]


async def made_operator(person: Caller, stack: RunningStack) -> Caller:
    """Let somebody run the platform, which the database's owner alone can do."""
    account_id = granted(await person.get("/v1/auth/me"))["account_id"]
    async with tables(stack) as database:
        await database.execute("UPDATE accounts SET is_operator = true WHERE id = %s", [account_id])
    return person
