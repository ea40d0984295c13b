"""Epochs in Redis: `{tenant}:epochs`, a hash of a random value per area.

Values are random and not counted on, so that a Redis that lost its memory never shows one that somebody keeps
something under. A change that cannot be announced is announced again and again, for as long as anybody may keep what it
replaced. A process that ends before that (or is frozen, as Lambda does between requests) leaves the processes that
noticed no failure with what they have kept, until that is too old: an hour at most.
"""

import asyncio
from collections.abc import Callable
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.epochs import Area, Epoch
from chatconnect.ports.faults import OnFault

if TYPE_CHECKING:
    from chatconnect.adapters.redis import RedisDatabase

REPEATING_SECONDS = 3_600.0  # nobody keeps anything for longer
_PAUSE_SECONDS = 2.0
_KEPT_SECONDS = 30 * 24 * 3_600  # a tenant that nobody asks is forgotten; its next epoch is a new one


class RedisEpochs:
    """The epochs of all tenants. `database` gives the shared client; Redis is not imported before it is asked for."""

    def __init__(self, database: "Callable[[], RedisDatabase]", *, on_fault: OnFault) -> None:
        self._database, self._on_fault = database, on_fault
        self._unannounced: dict[tuple[TenantId, Area], float] = {}
        self._announcing: asyncio.Task[None] | None = None

    async def of(self, tenant_id: TenantId) -> Epoch | None:
        """Return the tenant's present epoch; None when Redis is away, or does not know yet what was changed here."""
        from chatconnect.adapters.redis import AWAY

        database = self._database()
        streak = database.failures
        if database.resting or any((tenant_id, area) in self._unannounced for area in Area):
            return None
        try:
            [values] = await database.ask(("HMGET", _key(tenant_id), *Area))
            if None in values:
                values = await self._begun(tenant_id)
        except AWAY:
            database.failed()
            return None
        configuration, knowledge = values
        return Epoch(configuration.decode(), knowledge.decode(), streak)

    async def changed(self, tenant_id: TenantId, area: Area) -> None:
        """Begin a new epoch of an area; what does not get through is logged and repeated in the background."""
        from chatconnect.adapters.redis import AWAY

        try:
            await self._announce(tenant_id, area)
        except AWAY as error:
            self._database().failed()
            self._repeat(tenant_id, area)
            self._on_fault("a change is not announced yet: others may go by what it replaced", error)
        except BaseException:  # cancelled, say: the change is stored all the same
            self._repeat(tenant_id, area)
            raise

    async def aclose(self) -> None:
        """Stop repeating."""
        task, self._announcing = self._announcing, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _begun(self, tenant_id: TenantId) -> list[Any]:
        """Return the values, each new unless there is one; of several who do this at once the first decides."""
        key = _key(tenant_id)
        begin = [("HSETNX", key, area, token_hex(8)) for area in Area]
        *_, values = await self._database().ask(*begin, ("EXPIRE", key, _KEPT_SECONDS), ("HMGET", key, *Area))
        return list(values)

    async def _announce(self, tenant_id: TenantId, area: Area) -> None:
        key = _key(tenant_id)
        await self._database().ask(("HSET", key, area, token_hex(8)), ("EXPIRE", key, _KEPT_SECONDS))

    def _repeat(self, tenant_id: TenantId, area: Area) -> None:
        self._unannounced[tenant_id, area] = asyncio.get_running_loop().time() + REPEATING_SECONDS
        if self._announcing is None or self._announcing.done():
            self._announcing = asyncio.create_task(self._announce_all())

    async def _announce_all(self) -> None:
        from chatconnect.adapters.redis import AWAY

        while self._unannounced:
            await asyncio.sleep(_PAUSE_SECONDS)
            for change, until in list(self._unannounced.items()):
                try:
                    await self._announce(*change)
                except AWAY:
                    if asyncio.get_running_loop().time() < until:
                        continue
                if self._unannounced.get(change) == until:  # it has not changed again meanwhile
                    del self._unannounced[change]


def _key(tenant_id: TenantId) -> str:
    return f"{{{tenant_id}}}:epochs"
