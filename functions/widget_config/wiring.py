"""Chooses the adapters of the widget function."""

from functools import partial

from chatconnect import assembly
from chatconnect.adapters.argon2 import Argon2Passwords
from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.adapters.postgres.visitors import PostgresVisitors
from chatconnect.services.access import AccessService
from chatconnect.settings import Settings


class WidgetServices:
    """The services of the widget function."""

    def __init__(self, settings: Settings) -> None:
        self._database = assembly.postgres(settings)
        self.access = AccessService(
            tenants_of=partial(PostgresTenants, self._database, encryption=assembly.envelope(settings)),
            accounts=PostgresAccounts(self._database),
            chat_tokens=assembly.signer(settings.chat_token_secret, settings.chat_token_secret_arn),
            access_tokens=assembly.signer(settings.signing_secret, settings.signing_secret_arn),
            passwords=Argon2Passwords(),
            visitors_of=partial(PostgresVisitors, self._database),
            clock=assembly.now,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._database.aclose()
