"""Leaves out the tenant of one kind of Redis's keys, or of Qdrant's conditions, after the other, and looks who notices.

Two tenants do the same, with things of equal ids, in one server, and each does it where it is alone, too: there a
tenant that is left out makes no difference. It is the part of tenant_filters.py that is not SQL.
"""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest.mock import patch
from uuid import UUID

from redis.asyncio.connection import AbstractConnection

from chatconnect.adapters import redis_wire
from chatconnect.adapters.qdrant import QdrantDatabase
from chatconnect.adapters.qdrant_points import QdrantPoints
from chatconnect.adapters.redis import RedisDatabase
from chatconnect.domain.errors import ChatConnectError
from chatconnect.domain.identifiers import TenantId, new_id
from tests.side_caches import CACHES, Caches
from tests.side_points import POINTS, Points

ROUNDS = 2
_KEY = re.compile(r"\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}:((?:[a-z]+(?::|$))*)")

# What cannot show here, by the kind of key or condition.
UNOBSERVABLE: Mapping[str, str] = {
    "budget:ends": "it says when what was set aside is given back, minutes later",
    "blocked:generation": "another tenant's change only has one's own blocks read again",
    "scroll: tenant_id, visitor_id": "no point names a visitor",
}

Store = TypeVar("Store", Caches, Points)
Open = Callable[[TenantId, int, UUID, bool], Store]
"""Opens the store of a tenant with its number and the seed of its ids, alone or not."""


class Seen:
    """The kinds that were seen, and the one whose tenant is left out."""

    def __init__(self) -> None:
        self.kinds: dict[str, None] = {}
        self.left_out: str | None = None

    def command(self, *parts: Any) -> tuple[Any, ...]:
        """Return a command to Redis as it is to be sent."""
        return tuple(self._part(part) for part in parts)

    def body(self, path: str, body: Any) -> Any:
        """Return a request to Qdrant as it is to be sent."""
        if isinstance(body, list):
            return [self.body(path, each) for each in body]
        if not isinstance(body, dict):
            return body
        changed = {name: self.body(path, value) for name, value in body.items() if name in ("filter", "searches")}
        if body.get("must") and self._is_left_out(f"{path}: {', '.join(sorted(each['key'] for each in body['must']))}"):
            changed["must"] = [each for each in body["must"] if each["key"] != "tenant_id"]
        return body | changed

    def _part(self, part: Any) -> Any:
        text = part.decode(errors="replace") if isinstance(part, bytes) else part
        found = _KEY.match(text) if isinstance(text, str) else None
        if found is None or not self._is_left_out(found[1] or "every"):
            return part
        return f"{{{'nobody' if found[1] else '*'}}}:{text[found.start(1) :]}"

    def _is_left_out(self, kind: str) -> bool:
        self.kinds[kind] = None
        return kind == self.left_out


@contextmanager
def rewriting(seen: Seen) -> Iterator[None]:
    """Have every command to Redis and every request to Qdrant go through `seen`."""
    packed, pack_command, send = redis_wire._packed, AbstractConnection.pack_command, QdrantPoints._send

    def packed_by_us(command: redis_wire.Command) -> bytes:
        return packed(seen.command(*command))

    def packed_by_client(self: AbstractConnection, *command: Any) -> list[bytes]:
        return pack_command(self, *seen.command(*command))

    async def sent(self: QdrantPoints, method: str, path: str, body: Mapping[str, Any]) -> Any:
        what = path.rpartition("/points/")[2].partition("?")[0]
        return await send(self, method, path, seen.body(what, body))

    with (
        patch.object(redis_wire, "_packed", packed_by_us),
        patch.object(AbstractConnection, "pack_command", packed_by_client),
        patch.object(QdrantPoints, "_send", sent),
    ):
        yield


async def look(redis_url: str, qdrant_url: str) -> dict[str, dict[str, Any]]:
    """Return for each of both how many kinds there are, what of them cannot be observed, and what nobody noticed."""

    def open_caches(tenant_id: TenantId, number: int, seed: UUID, alone: bool) -> Caches:
        return Caches(RedisDatabase(f"{redis_url}/{1 + number if alone else 0}"), tenant_id, number, seed)

    def open_points(tenant_id: TenantId, number: int, seed: UUID, alone: bool) -> Points:
        collection = f"alone-{number}" if alone else "shared"
        return Points(QdrantDatabase(qdrant_url, collection=collection, dimensions=3), tenant_id, number, seed)

    return {"redis": await _look(open_caches, CACHES), "qdrant": await _look(open_points, POINTS)}


async def _look(open_store: Open[Store], operations: Sequence[Callable[[Store], Awaitable[object]]]) -> dict[str, Any]:
    seen = Seen()
    with rewriting(seen):
        if difference := await _difference(open_store, operations):
            raise AssertionError(difference)
        unnoticed = []
        for kind in list(seen.kinds):
            seen.left_out = kind
            if not await _difference(open_store, operations):
                unnoticed.append(kind)
    return {
        "kinds": len(seen.kinds),
        "unobservable": {kind: UNOBSERVABLE[kind] for kind in unnoticed if kind in UNOBSERVABLE},
        "survivors": [kind for kind in unnoticed if kind not in UNOBSERVABLE],
    }


async def _difference(
    open_store: Open[Store], operations: Sequence[Callable[[Store], Awaitable[object]]]
) -> str | None:
    """Let two tenants do everything, and return what one found other than where it is alone."""
    seed = new_id()
    sides = []
    for number in range(2):
        tenant_id = TenantId(new_id())
        sides.append([open_store(tenant_id, number, seed, alone) for alone in (False, True)])
    try:
        for _ in range(ROUNDS):
            for shared, alone in sides:
                for operation in operations:
                    found, expected = await _outcome(operation, shared), await _outcome(operation, alone)
                    if found != expected:
                        return f"{operation.__name__}: {found}\ninstead of {expected}"
    finally:
        for side in sides:
            for store in side:
                await store.aclose()
    return None


async def _outcome(operation: Callable[[Store], Awaitable[object]], store: Store) -> object:
    try:
        return await operation(store)
    except ChatConnectError as error:
        return type(error).__name__, error.code
