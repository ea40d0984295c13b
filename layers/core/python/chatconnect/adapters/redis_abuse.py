"""What visitors did in the last minutes, and who is blocked, in Redis.

Of a visitor there are `{tenant}:seen:<visitor>`, a list of sightings, each with its millisecond, and
`{tenant}:hold:<visitor>`, until when they wait and how often they had to. Of a tenant there is `{tenant}:blocked`, a
hash of who is blocked and until when, read from Postgres when it is not there. Whoever changes a block gives
`{tenant}:blocked:generation` a new random value, so that what was read before the change is never kept after it.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import orjson

from chatconnect.adapters.redis_scripts import RedisScript
from chatconnect.domain.abuse import MOST_SIGHTINGS, Hold, Sighting
from chatconnect.domain.errors import Unavailable
from chatconnect.domain.fingerprint import Fingerprint
from chatconnect.domain.identifiers import TenantId, VisitorId
from chatconnect.ports.abuse import Noticed
from chatconnect.ports.faults import OnFault
from chatconnect.ports.visitors import VisitorsOf

if TYPE_CHECKING:
    from chatconnect.adapters.redis import RedisDatabase

BLOCKS_SECONDS = 300
_GENERATION_SECONDS = 3_600  # far longer than reading the blocks takes
_SIGHTINGS_SECONDS = 1_800


class RedisWatch:
    """The short memory of visitors' behaviour. Losing Redis costs strictness; blocks are then asked from Postgres.

    `database` gives the shared client; Redis is not imported before it is asked for.
    """

    def __init__(self, database: "Callable[[], RedisDatabase]", visitors_of: VisitorsOf, *, on_fault: OnFault) -> None:
        self._database, self._visitors_of, self._on_fault = database, visitors_of, on_fault
        self._notice, self._hold, self._keep = (RedisScript(f"{name}.lua") for name in ("notice", "hold", "blocks"))
        self._reading: dict[tuple[TenantId, str], asyncio.Task[set[VisitorId]]] = {}

    async def notice(self, tenant_id: TenantId, visitor_id: VisitorId, sighting: Sighting) -> Noticed:
        """Remember a sighting and return what is known, in one round trip."""
        keys = [*_visitor_keys(tenant_id, visitor_id), *_block_keys(tenant_id)]
        arguments: list[str | int] = [str(visitor_id), _packed(sighting), MOST_SIGHTINGS, _SIGHTINGS_SECONDS]
        noticed = await self._run(self._notice, keys, arguments, "visitors' behaviour is not watched")
        if noticed is None:
            return Noticed(blocked=await self._blocked_in_postgres(tenant_id, visitor_id))
        block, generation, wait, *sightings = noticed
        blocked = block == b"yes"
        if block == b"unknown":
            blocked = visitor_id in await self._read_blocks(tenant_id, generation.decode())
        if blocked:
            return Noticed(blocked=True)
        return Noticed(False, wait / 1000, tuple(_unpacked(entry) for entries in sightings for entry in entries))

    async def hold(self, tenant_id: TenantId, visitor_id: VisitorId, how_long: Hold) -> float:
        """Let a visitor wait and return how many seconds. 0 when Redis is away."""
        _, key = _visitor_keys(tenant_id, visitor_id)
        arguments = [round(how_long.first * 1000), round(how_long.longest * 1000), round(how_long.forgotten_after)]
        wait = await self._run(self._hold, [key], arguments, "a visitor is not slowed down")
        return 0.0 if wait is None else float(wait) / 1000

    async def blocks_changed(self, tenant_id: TenantId) -> None:
        """Let every process learn anew who is blocked."""
        from chatconnect.adapters.redis import AWAY

        blocks, generation = _block_keys(tenant_id)
        try:
            # In this order: whoever read before the first of them can keep nothing after it.
            await self._database().ask(("SET", generation, token_hex(8), "EX", _GENERATION_SECONDS), ("DEL", blocks))
        except AWAY as error:
            self._failed("a changed block may take minutes to be known", error)

    async def _run(self, script: RedisScript, keys: Sequence[str], arguments: Sequence[str | int], fault: str) -> Any:
        """Run a script and return its answer, or None when Redis is away; `fault` says what that means."""
        from chatconnect.adapters.redis import AWAY

        database = self._database()
        if database.resting:
            return None
        try:
            return await script(database, keys, arguments)
        except AWAY as error:
            self._failed(fault, error)
            return None

    async def _read_blocks(self, tenant_id: TenantId, generation: str) -> set[VisitorId]:
        """Return who is blocked. All who ask after the same change share one reading."""
        place = (tenant_id, generation)
        if place not in self._reading:
            self._reading[place] = asyncio.create_task(self._read_and_keep(tenant_id, generation))
            self._reading[place].add_done_callback(lambda _: self._reading.pop(place, None))
        return await asyncio.shield(self._reading[place])

    async def _read_and_keep(self, tenant_id: TenantId, generation: str) -> set[VisitorId]:
        try:
            blocked = await self._visitors_of(tenant_id).blocked(datetime.now(UTC))
        except Unavailable as error:
            self._on_fault("it is not known who is blocked: the database is away", error)
            return set()
        arguments: list[str | int] = [generation, BLOCKS_SECONDS]
        for visitor_id, until in blocked.items():
            arguments += [str(visitor_id), round(until.timestamp() * 1000) if until else 0]
        await self._run(self._keep, _block_keys(tenant_id), arguments, "who is blocked is read again each time")
        return set(blocked)

    async def _blocked_in_postgres(self, tenant_id: TenantId, visitor_id: VisitorId) -> bool:
        try:
            return await self._visitors_of(tenant_id).is_blocked(visitor_id, datetime.now(UTC))
        except Unavailable as error:
            self._on_fault("it is not known who is blocked: memory and database are away", error)
            return False

    def _failed(self, what: str, error: BaseException) -> None:
        self._database().failed()
        self._on_fault(f"{what}: the memory is away", error)


def _visitor_keys(tenant_id: TenantId, visitor_id: VisitorId) -> list[str]:
    return [f"{{{tenant_id}}}:seen:{visitor_id}", f"{{{tenant_id}}}:hold:{visitor_id}"]


def _block_keys(tenant_id: TenantId) -> tuple[str, str]:
    return f"{{{tenant_id}}}:blocked", f"{{{tenant_id}}}:blocked:generation"


def _packed(sighting: Sighting) -> str:
    text = sighting.text
    known = text and [text.exact, text.figures, text.words, text.short]
    values = [known, sighting.reasons, sighting.odd_agent, sighting.request, sighting.missed]
    return orjson.dumps(values).decode()


def _unpacked(entry: bytes) -> Sighting:
    moment, _, packed = entry.partition(b" ")
    text, reasons, odd_agent, request, missed = orjson.loads(packed)
    known = text and Fingerprint(text[0], text[1], tuple(text[2]), text[3])
    return Sighting(int(moment) / 1000, known, tuple(reasons), odd_agent, request, missed)
