"""Chooses the adapters of the widget function."""

from functools import partial

from chatconnect import assembly
from chatconnect.adapters.identity_tokens import JwtIdentityTokens
from chatconnect.adapters.postgres.keys import PostgresIdentitySecrets, PostgresKeys
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.adapters.postgres.visitors import PostgresVisitors
from chatconnect.adapters.postgres.widgets import PostgresWidgets
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.observability import log_fault
from chatconnect.services.chat_tokens import ChatTokens
from chatconnect.services.identities import IdentityService
from chatconnect.services.key_ring import KeyRing
from chatconnect.services.visits import VisitService
from chatconnect.settings import Settings


class WidgetServices:
    """The services of the widget function."""

    def __init__(self, settings: Settings) -> None:
        database, encryption = assembly.postgres(settings), assembly.envelope(settings)
        self._closers: list[assembly.Close] = [database.aclose]
        epochs = RedisEpochs(assembly.redis_when_needed(settings, self._closers), on_fault=log_fault)
        self._closers.append(epochs.aclose)
        keys = KeyRing(keys_of=partial(PostgresKeys, database), epochs=epochs, clock=assembly.now)
        self._closers.append(keys.settled)
        self.visits = VisitService(
            keys=keys,
            tenants_of=partial(PostgresTenants, database, encryption=encryption),
            widgets_of=partial(PostgresWidgets, database),
            visitors_of=partial(PostgresVisitors, database),
            identities=IdentityService(
                secrets_of=partial(PostgresIdentitySecrets, database, encryption=encryption),
                tokens=JwtIdentityTokens(),
                clock=assembly.now,
            ),
            tokens=ChatTokens(assembly.signer(settings.chat_token_secret, settings.chat_token_secret_arn)),
            clock=assembly.now,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await assembly.close_all(self._closers)
