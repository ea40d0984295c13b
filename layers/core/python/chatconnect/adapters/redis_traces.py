"""What Redis keeps of a tenant or of some of its visitors, to be counted and removed.

Every key of a tenant begins with `{tenant}:`; whom or what one is about stands in it as an id, and in two hashes in the
names of fields. Keys of searches and answers have a digest in place of an id: they are caches, and all go, uncounted.
Nor are a tenant's epochs counted, random values of which whoever asks for the tenant makes new ones.
"""

import re
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chatconnect.domain.errors import Unavailable
from chatconnect.domain.identifiers import TenantId

if TYPE_CHECKING:
    from chatconnect.adapters.redis import RedisDatabase
    from chatconnect.adapters.redis_wire import Command

_CACHES = ("given:", "passages:", "vector:")
_HASHES = ("blocked", "budget")
_EPOCHS = "epochs"
_LISTENERS = "listeners:"
_AT_ONCE = 1_000
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class RedisTraces:
    """The keys of all tenants. `database` gives the shared client; Redis is not imported before it is asked for."""

    def __init__(self, database: "Callable[[], RedisDatabase]") -> None:
        self._database = database

    async def count(self, tenant_id: TenantId, ids: Collection[UUID] | None) -> int:
        """Return how many keys or fields name one of the ids (None: how many keys there are). Raises Unavailable."""
        wanted, found = _texts(ids), 0
        async for names in self._pages(tenant_id):
            for name in names:
                if _is_of(name, wanted):
                    found += name != _EPOCHS
                elif wanted is not None and name in _HASHES:
                    found += len(await self._fields(tenant_id, name, wanted))
        return found

    async def erase(self, tenant_id: TenantId, ids: Collection[UUID] | None) -> int:
        """Remove them and return how many; what was kept of searches and answers goes, too. Raises Unavailable."""
        wanted, erased = _texts(ids), 0
        async for names in self._pages(tenant_id):
            counted, uncounted = list[str](), list[str]()
            for name in names:
                if _is_of(name, wanted) or name.startswith(_CACHES):
                    await self._forget_sockets(tenant_id, name)
                    (counted if _is_of(name, wanted) and name != _EPOCHS else uncounted).append(name)
                elif wanted is not None and name in _HASHES:
                    erased += await self._forget_fields(tenant_id, name, wanted)
            erased += await self._forget(tenant_id, counted)
            await self._forget(tenant_id, uncounted)
        return erased

    async def _pages(self, tenant_id: TenantId) -> AsyncIterator[Sequence[str]]:
        """Yield what follows the tenant in its keys, many of them at a time."""
        prefix, cursor = _key(tenant_id, ""), 0
        while True:
            [(following, keys)] = await self._ask(("SCAN", cursor, "MATCH", f"{prefix}*", "COUNT", _AT_ONCE))
            yield [key.decode().removeprefix(prefix) for key in keys]
            cursor = int(following)
            if not cursor:
                return

    async def _fields(self, tenant_id: TenantId, name: str, wanted: Collection[str]) -> list[bytes]:
        [fields] = await self._ask(("HKEYS", _key(tenant_id, name)))
        return [field for field in fields if _is_of(field.decode(), wanted)]

    async def _forget(self, tenant_id: TenantId, names: Sequence[str]) -> int:
        return await self._ask_one("DEL", *(_key(tenant_id, name) for name in names)) if names else 0

    async def _forget_fields(self, tenant_id: TenantId, name: str, wanted: Collection[str]) -> int:
        fields = await self._fields(tenant_id, name, wanted)
        return await self._ask_one("HDEL", _key(tenant_id, name), *fields) if fields else 0

    async def _forget_sockets(self, tenant_id: TenantId, name: str) -> None:
        """Remove what says whose the connections are that a key of listeners names; those lie on other nodes."""
        if name.startswith(_LISTENERS):
            [connections] = await self._ask(("HKEYS", _key(tenant_id, name)))
            if connections:
                await self._ask(*(("DEL", f"{{socket:{connection.decode()}}}") for connection in connections))

    async def _ask_one(self, *command: str | bytes) -> int:
        [answer] = await self._ask(command)
        return int(answer)

    async def _ask(self, *commands: "Command") -> list[Any]:
        from chatconnect.adapters.redis import AWAY

        database = self._database()
        try:
            return await database.ask(*commands)
        except AWAY as error:
            database.failed()
            raise Unavailable("the cache") from error


def _is_of(name: str, wanted: Collection[str] | None) -> bool:
    return wanted is None or any(each in wanted for each in _ID.findall(name))


def _texts(ids: Collection[UUID] | None) -> frozenset[str] | None:
    return None if ids is None else frozenset(map(str, ids))


def _key(tenant_id: TenantId, name: str) -> str:
    return f"{{{tenant_id}}}:{name}"
