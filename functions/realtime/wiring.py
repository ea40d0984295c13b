"""Chooses the adapters of the WebSocket function."""

from functools import partial

from chatconnect import assembly
from chatconnect.adapters.argon2 import Argon2Passwords
from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.adapters.postgres.visitors import PostgresVisitors
from chatconnect.services.access import AccessService
from chatconnect.settings import Settings


def access_service(settings: Settings) -> AccessService:
    """Return the service that knows who may connect."""
    database = assembly.postgres(settings)
    return AccessService(
        tenants_of=partial(PostgresTenants, database, encryption=assembly.envelope(settings)),
        accounts=PostgresAccounts(database),
        chat_tokens=assembly.signer(settings.chat_token_secret, settings.chat_token_secret_arn),
        access_tokens=assembly.signer(settings.signing_secret, settings.signing_secret_arn),
        passwords=Argon2Passwords(),
        visitors_of=partial(PostgresVisitors, database),
        clock=assembly.now,
    )
