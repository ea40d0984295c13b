"""Visitors' behaviour on a real Redis: what only it can get wrong."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_abuse import RedisWatch
from chatconnect.domain.abuse import Sighting, hold, sighting_of
from chatconnect.domain.errors import Unavailable
from chatconnect.domain.identifiers import TenantId, VisitorId, new_id
from chatconnect.domain.visitor import Block, KnownVisitor
from local.services import Redis, free_port
from tests.fakes.visitors import MemoryVisitors, StoredVisitors


@dataclass
class CountedVisitors(MemoryVisitors):
    """Visitors in a store that counts how often it is read, may take its time, and may be away."""

    stored: StoredVisitors
    tenant_id: TenantId
    reads: list[str] = field(default_factory=list)
    delay: float = 0.0
    away: bool = False

    def __post_init__(self) -> None:
        super().__init__(self.stored, self.tenant_id)

    async def blocked(self, at: datetime) -> Mapping[VisitorId, datetime | None]:
        if self.away:
            raise Unavailable("the database")
        self.reads.append("blocked")
        found = await super().blocked(at)
        await asyncio.sleep(self.delay)
        return found


class Company:
    """A tenant with two visitors."""

    def __init__(self, database: RedisDatabase) -> None:
        self.id = TenantId(new_id())
        self.visitors = CountedVisitors(StoredVisitors(), self.id)
        self.faults: list[str] = []
        self.database = database
        self.watch = RedisWatch(lambda: database, lambda _: self.visitors, on_fault=lambda what, _: self._fault(what))
        self.ada, self.bob = VisitorId(new_id()), VisitorId(new_id())
        for visitor in (self.ada, self.bob):
            self.visitors.stored.visitors[self.id, visitor] = KnownVisitor(visitor, NOW, NOW)

    def _fault(self, what: str) -> None:
        self.faults.append(what)

    async def block(self, visitor: VisitorId) -> None:
        await self.visitors.block(visitor, Block("Insults", NOW))
        await self.watch.blocks_changed(self.id)

    async def is_blocked(self, visitor: VisitorId) -> bool:
        return (await self.watch.notice(self.id, visitor, Sighting())).blocked


NOW = datetime.now(UTC)


@pytest.fixture
def acme(redis_database: RedisDatabase) -> Company:
    return Company(redis_database)


async def test_who_is_blocked_is_read_once_for_many_messages(acme: Company) -> None:
    await acme.block(acme.bob)

    answers = await asyncio.gather(*(acme.is_blocked(acme.ada) for _ in range(50)))
    answers += [await acme.is_blocked(acme.ada) for _ in range(20)]

    assert not any(answers)
    assert await acme.is_blocked(acme.bob)
    assert acme.visitors.reads == ["blocked"]


async def test_nobody_blocked_is_remembered_too(acme: Company) -> None:
    for _ in range(5):
        assert not await acme.is_blocked(acme.ada)

    assert acme.visitors.reads == ["blocked"]


async def test_what_was_read_before_a_change_is_never_kept_after_it(acme: Company) -> None:
    acme.visitors.delay = 0.2

    reading = asyncio.create_task(acme.is_blocked(acme.ada))
    await asyncio.sleep(0.1)
    await acme.block(acme.ada)
    during = await acme.is_blocked(acme.ada)
    await reading

    assert during
    assert await acme.is_blocked(acme.ada)


async def test_everything_of_a_tenant_lies_on_one_node_and_goes_away_by_itself(acme: Company) -> None:
    secret = sighting_of("My card is 4711 0815", acme.ada, agent=None, request="retry-1")
    await acme.block(acme.bob)
    await acme.watch.notice(acme.id, acme.ada, secret)
    await acme.watch.hold(acme.id, acme.ada, hold())

    client = acme.database.client()
    keys = [key async for key in client.scan_iter(match=f"*{acme.id}*")]
    kept = b"".join([await client.dump(key) or b"" for key in keys])

    assert len(keys) == 4
    assert all(key.startswith(f"{{{acme.id}}}:".encode()) for key in keys)
    assert all([0 < await client.ttl(key) <= 3_600 for key in keys])
    assert not any(word in kept for word in (b"card", b"4711", b"0815", b"retry"))


async def test_without_redis_everybody_passes_but_who_is_blocked(tmp_path: Path) -> None:
    async with Redis(tmp_path, free_port()) as redis:
        database = RedisDatabase(redis.url)
        acme = Company(database)
        await acme.block(acme.bob)
        assert await acme.is_blocked(acme.bob)
        await redis.stop()

        away = await acme.watch.notice(acme.id, acme.ada, Sighting())
        blocked, wait = await acme.is_blocked(acme.bob), await acme.watch.hold(acme.id, acme.ada, hold())
        acme.visitors.away = True
        unknown = await acme.is_blocked(acme.bob)

        assert (away.blocked, away.wait, away.sightings) == (False, 0.0, ())
        assert (blocked, wait, unknown) == (True, 0.0, False)
        assert acme.faults[0] == "visitors' behaviour is not watched: the memory is away"
        await database.aclose()


async def test_without_the_database_nobody_is_refused_and_nothing_wrong_is_kept(acme: Company) -> None:
    await acme.block(acme.bob)
    acme.visitors.away = True
    assert not await acme.is_blocked(acme.bob)

    acme.visitors.away = False

    assert await acme.is_blocked(acme.bob)
    assert acme.faults == ["it is not known who is blocked: the database is away"]
