"""Who is connected, in Redis: `{tenant}:listeners:...`, a hash per audience, and `{socket:...}`, whose a connection is.

A field is a connection, its value since when and until when it hears, in seconds of Unix time. When Redis has
forgotten, nobody hears anything until the connections are renewed, which each is every few minutes.
"""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chatconnect.domain.errors import LimitReached, Unavailable
from chatconnect.domain.identifiers import TenantId, VisitorId
from chatconnect.ports.realtime import Audience

if TYPE_CHECKING:
    from chatconnect.adapters.redis import RedisDatabase
    from chatconnect.adapters.redis_wire import Command

_LONGEST_SECONDS = 2 * 3_600  # API Gateway ends every connection then
# While the handshake is not over yet, API Gateway calls a connection gone.
_OPENING_SECONDS = 30


class RedisListeners:
    """The connections of all tenants. `database` gives the shared client, asked for at the first use."""

    def __init__(self, database: "Callable[[], RedisDatabase]", *, now: Callable[[], float] = time.time) -> None:
        self._database, self._now = database, now

    async def add(self, connection_id: str, audience: Audience, *, seconds: int, most: int) -> bool:
        """Let a connection hear for so many seconds; False when it is another audience's. Raises LimitReached."""
        others = [other for other in await self.of(audience) if other != connection_id]
        if len(others) >= most:
            raise LimitReached("too many connections are open", code="too_many_connections")
        owner, key, now = _owner_key(connection_id), _key(audience), self._now()
        _, whose = await self._ask(
            ("SET", owner, _packed(audience), "NX", "EX", _LONGEST_SECONDS),
            ("GET", owner),
        )
        if whose is None or _audience(whose) != audience:
            return False
        await self._ask(
            ("HSET", key, connection_id, f"{now:.0f} {now + seconds:.0f}"),
            ("EXPIRE", key, _LONGEST_SECONDS),
        )
        return True

    async def of(self, audience: Audience) -> Sequence[str]:
        """Return the audience's connections, and forget those whose time is over. Raises Unavailable."""
        key, now = _key(audience), self._now()
        [fields] = await self._ask(("HGETALL", key))  # names and values in turns
        pairs = zip(fields[::2], fields[1::2], strict=True)
        until = {name.decode(): int(value.split()[1]) for name, value in pairs}
        over = [connection_id for connection_id, end in until.items() if end <= now]
        if over:
            await self._ask(("HDEL", key, *over))
        return [connection_id for connection_id, end in until.items() if end > now]

    async def gone(self, connection_id: str, audience: Audience) -> None:
        """Forget a connection that nothing can be sent to, unless it is only just being opened."""
        [value] = await self._ask(("HGET", _key(audience), connection_id))
        if value is not None and int(value.split()[0]) <= self._now() - _OPENING_SECONDS:
            await self._ask(("HDEL", _key(audience), connection_id))

    async def leave(self, connection_id: str) -> None:
        """Forget a connection that has ended. Raises Unavailable."""
        whose, _ = await self._ask(("GET", _owner_key(connection_id)), ("DEL", _owner_key(connection_id)))
        if whose is not None:
            await self._ask(("HDEL", _key(_audience(whose)), connection_id))

    async def _ask(self, *commands: "Command") -> list[Any]:
        from chatconnect.adapters.redis import AWAY

        database = self._database()
        if database.resting:
            raise Unavailable("the list of connections")
        try:
            return await database.ask(*commands)
        except AWAY as error:
            database.failed()
            raise Unavailable("the list of connections") from error


def _key(audience: Audience) -> str:
    who = f"visitor:{audience.visitor_id}" if audience.visitor_id else "staff"
    return f"{{{audience.tenant_id}}}:listeners:{who}"


def _owner_key(connection_id: str) -> str:
    return f"{{socket:{connection_id}}}"


def _packed(audience: Audience) -> str:
    return f"{audience.tenant_id} {audience.visitor_id or ''}".strip()


def _audience(packed: bytes) -> Audience:
    tenant_id, *visitor_id = packed.decode().split()
    return Audience(TenantId(UUID(tenant_id)), VisitorId(UUID(visitor_id[0])) if visitor_id else None)
