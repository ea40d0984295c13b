"""Which key a text is, without asking the database every time, and when each was last used."""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from chatconnect.domain.errors import ChatConnectError, NotFound, Unauthenticated
from chatconnect.domain.identifiers import KeyId, TenantId
from chatconnect.domain.keys import ApiKey, KeyKind, hash_of, key_ended, tenant_claimed_by
from chatconnect.domain.principals import Asker, Visitor
from chatconnect.domain.secret import Secret
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epoch, Epochs
from chatconnect.ports.keys import KeysOf
from chatconnect.services.epoch_cache import EpochCache

LIFETIME = timedelta(hours=1)
NOTED_EVERY = timedelta(minutes=1)
_REMEMBERED = 1_000

Key = TypeVar("Key")
Value = TypeVar("Value")


class KeyRing:
    """Keeps keys in this process for at most an hour and while their tenant's configuration is unchanged.

    A key is kept from its second use on. Before a key was found once, nothing at all is kept of it, and no epoch begun:
    texts that only look like keys fill neither this process nor Redis.
    """

    def __init__(self, *, keys_of: KeysOf, epochs: Epochs, clock: Clock) -> None:
        self._keys_of, self._epochs, self._clock = keys_of, epochs, clock
        self._kept: EpochCache[ApiKey] = EpochCache(
            Area.CONFIGURATION, clock=clock, lifetime=LIFETIME, entries=_REMEMBERED
        )
        self._genuine: OrderedDict[bytes, None] = OrderedDict()
        self._noted: OrderedDict[KeyId, datetime] = OrderedDict()
        self._writing: set[asyncio.Task[None]] = set()

    async def usable(self, key: Secret, kind: KeyKind) -> tuple[ApiKey, Epoch | None]:
        """Return the key that a text is, and its tenant's epoch, which is older than whatever is read next.

        Raises Unauthenticated with code "unknown_key" or "key_revoked", Unavailable.
        """
        tenant_id, key_hash = tenant_claimed_by(key, kind), hash_of(key)
        if key_hash in self._genuine:
            epoch = await self._epochs.of(tenant_id)
            found = await self._kept.get(key_hash, epoch, partial(self._read, tenant_id, key_hash))
        else:
            found = await self._read(tenant_id, key_hash)
            _remember(self._genuine, key_hash, None)
            epoch = await self._epochs.of(tenant_id)
        if found.kind is not kind:
            raise _unknown()
        found.check_usable(self._clock())
        self._note_use(found)
        return found, epoch

    async def check_let_in(self, asker: Asker) -> None:
        """Raise Unauthenticated with code "key_revoked" when the key that a visitor's token was given for has ended."""
        if _given_for(asker) is not None:
            await self.check_let_in_at(await self._epochs.of(asker.tenant_id), asker)

    async def check_let_in_at(self, epoch: Epoch | None, asker: Asker) -> None:
        """Check as `check_let_in` does, in an epoch that was read for this request."""
        key_id = _given_for(asker)
        if key_id is None:
            return
        read = partial(self._keys_of(asker.tenant_id).get, key_id)
        try:
            key = await self._kept.get(key_id, epoch, read)
        except NotFound as error:
            raise key_ended() from error
        key.check_usable(self._clock())

    async def settled(self) -> None:
        """Wait until what was noted so far is written."""
        await asyncio.gather(*self._writing)

    async def _read(self, tenant_id: TenantId, key_hash: bytes) -> ApiKey:
        found = await self._keys_of(tenant_id).find(key_hash)
        if found is None:
            raise _unknown()
        return found

    def _note_use(self, key: ApiKey) -> None:
        """Write that the key is used, beside the request and not before it."""
        now = self._clock()
        last = self._noted.get(key.id, key.last_used_at)
        if last is None or now - last >= NOTED_EVERY:
            _remember(self._noted, key.id, now)
            task = asyncio.create_task(self._write_use(key, now))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _write_use(self, key: ApiKey, at: datetime) -> None:
        with suppress(ChatConnectError):  # the next minute's use will do
            await self._keys_of(key.tenant_id).note_use(key.id, at)


def _given_for(asker: Asker) -> KeyId | None:
    """Return the key that a visitor's token was given for; servers show theirs with every request."""
    return asker.key_id if isinstance(asker, Visitor) else None


def _remember(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    kept[key] = value
    if len(kept) > _REMEMBERED:
        kept.popitem(last=False)


def _unknown() -> Unauthenticated:
    return Unauthenticated("this key is not known", code="unknown_key")
