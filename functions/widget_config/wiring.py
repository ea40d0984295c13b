"""Chooses the adapters of the widget function."""

from functools import partial
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from chatconnect.adapters.redis import RedisDatabase


class WidgetServices:
    """The services of the widget function."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._database = assembly.postgres(settings)
        self._redis: RedisDatabase | None = None
        encryption = assembly.envelope(settings)
        self._closers: list[assembly.Close] = [self._database.aclose]
        self._epochs = RedisEpochs(self._redis_database, on_fault=log_fault)
        self.visits = VisitService(
            keys=KeyRing(keys_of=partial(PostgresKeys, self._database), epochs=self._epochs, clock=assembly.now),
            tenants_of=partial(PostgresTenants, self._database, encryption=encryption),
            widgets_of=partial(PostgresWidgets, self._database),
            visitors_of=partial(PostgresVisitors, self._database),
            identities=IdentityService(
                secrets_of=partial(PostgresIdentitySecrets, self._database, encryption=encryption),
                tokens=JwtIdentityTokens(),
                clock=assembly.now,
            ),
            tokens=ChatTokens(assembly.signer(settings.chat_token_secret, settings.chat_token_secret_arn)),
            clock=assembly.now,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await assembly.close_all(self._closers)

    def _redis_database(self) -> "RedisDatabase":
        """Return Redis, made at first use: the client's import takes its time."""
        if self._redis is None:
            self._redis = assembly.redis(self._settings)
            self._closers += [self._redis.aclose, self._epochs.aclose]
        return self._redis
