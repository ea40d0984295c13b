"""Passwords: changing a known one, and setting a new one by mail."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from chatconnect.domain.errors import ChatConnectError, Invalid, LimitReached, Unauthenticated
from chatconnect.domain.keys import hash_of
from chatconnect.domain.password import checked_password, comparable
from chatconnect.domain.principals import SignedIn
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import Account, checked_email
from chatconnect.ports.accounts import Accounts
from chatconnect.ports.clock import Clock
from chatconnect.ports.credentials import PasswordHasher
from chatconnect.ports.faults import OnFault
from chatconnect.ports.mail import Mail, Mailer
from chatconnect.services.attempts import RESETS_FROM_ADDRESS, RESETS_TO_ADDRESS, Attempts, Client

RESET_VALID_FOR = timedelta(hours=1)
_PREFIX = "rst_"
_BYTES = 32


class AccountService:
    """A person's own password. `dashboard_url` is where the links in mails lead; `on_fault` logs.

    Asking for a reset takes `asking_seconds` for everybody, so that its length does not say who has an account.
    """

    def __init__(
        self,
        *,
        accounts: Accounts,
        passwords: PasswordHasher,
        mailer: Mailer,
        attempts: Attempts,
        dashboard_url: str,
        on_fault: OnFault,
        clock: Clock,
        asking_seconds: float = 0.5,
    ) -> None:
        self._accounts, self._passwords, self._mailer = accounts, passwords, mailer
        self._attempts, self._dashboard_url, self._on_fault = attempts, dashboard_url, on_fault
        self._clock, self._asking_seconds = clock, asking_seconds

    async def change_password(self, signed_in: SignedIn, current: Secret, new: Secret, client: Client) -> None:
        """Replace a password by another; all the person's other sessions end.

        Raises Invalid with code "wrong_password" or "weak_password", LimitReached.
        """
        checked = checked_password(new, field="new_password")
        account = await self._accounts.get(signed_in.staff.account_id)
        await self._attempts.try_password(client, account.email)
        if not await self._passwords.verify(comparable(current), account.password_hash):
            raise Invalid("this is not your password", code="wrong_password", details={"field": "current_password"})
        await self._attempts.passed(account.email)
        await self._accounts.set_password(account.id, await self._passwords.hash(checked), keep=signed_in.session_id)

    async def ask_for_reset(self, email: str, client: Client) -> None:
        """Send a mail with which a new password can be set, if the address has an account; say nothing of it.

        Raises LimitReached, for one network address only.
        """
        await self._attempts.count_from(client, RESETS_FROM_ADDRESS)
        async with taking(self._asking_seconds):
            try:
                account = await self._accounts.find_by_email(checked_email(email))
            except Invalid:
                return
            if account is None or account.disabled_at is not None:
                return
            try:
                await self._attempts.count(RESETS_TO_ADDRESS, account.email)
                await self._send_reset(account)
            except LimitReached:
                return
            except ChatConnectError as error:
                self._on_fault("a mail to reset a password was not sent", error)

    async def reset(self, token: Secret, password: Secret) -> None:
        """Set a new password by the token of a mail; all the person's sessions end.

        Raises Invalid with code "weak_password", which leaves the token as it is, and Unauthenticated with code
        "reset_invalid".
        """
        new = checked_password(password)
        account_id = await self._accounts.use_reset(hash_of(token))
        if account_id is None:  # nobody without a token has us compute a hash, which is meant to be dear
            raise Unauthenticated("this link is not valid any more; please ask for another", code="reset_invalid")
        await self._accounts.set_password(account_id, await self._passwords.hash(new), keep=None)
        await self._attempts.passed((await self._accounts.get(account_id)).email)

    async def _send_reset(self, account: Account) -> None:
        token = Secret(_PREFIX + secrets.token_urlsafe(_BYTES))
        await self._accounts.allow_reset(account.id, hash_of(token), self._clock() + RESET_VALID_FOR)
        text = (
            "Somebody, most likely you, asked for a new password at ChatConnect. This link sets one, once and within "
            "an hour:\n\n"
            f"{self._dashboard_url}#reset={token.reveal()}\n\n"
            "If it was not you, there is nothing to do: your password stays as it is.\n"
        )
        await self._mailer.send(Mail(account.email, "Your new password at ChatConnect", text))


@asynccontextmanager
async def taking(seconds: float) -> AsyncIterator[None]:
    """Let what is done inside take at least so long."""
    rest = asyncio.create_task(asyncio.sleep(seconds))
    try:
        yield
    finally:
        await rest
