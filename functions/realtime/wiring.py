"""Chooses the adapters of the WebSocket function."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from chatconnect import assembly
from chatconnect.adapters.postgres.keys import PostgresKeys
from chatconnect.adapters.postgres.sessions import PostgresSessions
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.observability import log_fault
from chatconnect.services.access import AccessService
from chatconnect.services.connecting import ConnectingService
from chatconnect.services.key_ring import KeyRing
from chatconnect.settings import Settings

if TYPE_CHECKING:
    from chatconnect.adapters.redis import RedisDatabase


class RealtimeServices:
    """The services of the WebSocket function."""

    def __init__(self, settings: Settings) -> None:
        redis = assembly.redis_when_needed(settings, [])  # nothing is closed: the process is frozen, and then gone
        self.realtime = assembly.realtime(settings, redis)
        self.connecting = ConnectingService(access_service(settings, redis))


def access_service(settings: Settings, redis_database: "Callable[[], RedisDatabase]") -> AccessService:
    """Return the service that knows who may connect."""
    database = assembly.postgres(settings)
    epochs = RedisEpochs(redis_database, on_fault=log_fault)
    return AccessService(
        keys=KeyRing(keys_of=partial(PostgresKeys, database), epochs=epochs, clock=assembly.now),
        tenants_of=partial(PostgresTenants, database, encryption=assembly.envelope(settings)),
        sessions=PostgresSessions(database),
        chat_tokens=assembly.signer(settings.chat_token_secret, settings.chat_token_secret_arn),
        access_tokens=assembly.signer(settings.signing_secret, settings.signing_secret_arn),
        clock=assembly.now,
    )
