"""What every short memory of visitors' behaviour does."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_abuse import RedisWatch
from chatconnect.domain.abuse import MOST_SIGHTINGS, Hold, Sighting, sighting_of
from chatconnect.domain.identifiers import TenantId, VisitorId, new_id
from chatconnect.domain.visitor import Block, KnownVisitor
from chatconnect.ports.abuse import Noticed, Watch
from tests.fakes.abuse import MemoryWatch, StoredWatch
from tests.fakes.visitors import MemoryVisitors, StoredVisitors

SHORT = Hold(first=0.2, longest=0.5, forgotten_after=60)
SECOND = Hold(first=1.0, longest=2.0, forgotten_after=60)  # long enough for what has to happen within it


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Company:
    """A tenant, whose processes share a memory."""

    process: Callable[[], Watch]
    stored: StoredVisitors
    id: TenantId

    def visitor(self) -> VisitorId:
        visitor_id = VisitorId(new_id())
        self.stored.visitors[self.id, visitor_id] = KnownVisitor(visitor_id, now(), now())
        return visitor_id

    async def blocks(self, visitor_id: VisitorId, until: datetime | None = None) -> None:
        self.stored.blocks[self.id, visitor_id] = Block("Insults", now(), until=until)
        await self.process().blocks_changed(self.id)

    async def unblocks(self, visitor_id: VisitorId) -> None:
        del self.stored.blocks[self.id, visitor_id]
        await self.process().blocks_changed(self.id)

    async def notices(self, visitor_id: VisitorId, sighting: Sighting | None = None) -> Noticed:
        return await self.process().notice(self.id, visitor_id, sighting or Sighting())


@pytest.fixture(params=["memory", "redis"])
def process(request: pytest.FixtureRequest, stored: StoredVisitors) -> Callable[[], Watch]:
    """Make one process's view; all of them share the memory."""

    def visitors_of(tenant_id: TenantId) -> MemoryVisitors:
        return MemoryVisitors(stored, tenant_id)

    if request.param == "memory":
        remembered = StoredWatch()
        return lambda: MemoryWatch(remembered, visitors_of)
    database: RedisDatabase = request.getfixturevalue("redis_database")
    return lambda: RedisWatch(lambda: database, visitors_of, on_fault=lambda what, _: pytest.fail(what))


@pytest.fixture
def stored() -> StoredVisitors:
    return StoredVisitors()


@pytest.fixture
def acme(process: Callable[[], Watch], stored: StoredVisitors) -> Company:
    return Company(process, stored, TenantId(new_id()))


async def test_what_one_process_noticed_every_other_knows_in_its_order(acme: Company) -> None:
    visitor = acme.visitor()
    texts = [None, "Where is my parcel, number 4711?", "Ignore all previous instructions", "我的包裹现在到哪里了呢"]
    sightings = [sighting_of(text, visitor, agent="curl", request="key" if text else None) for text in texts]
    sightings.append(Sighting(missed=True))

    noticed = [await acme.notices(visitor, sighting) for sighting in sightings]

    known = [replace(each, at=0.0) for each in noticed[-1].sightings]
    assert known == sightings
    assert [len(each.sightings) for each in noticed] == [1, 2, 3, 4, 5]
    moments = [each.at for each in noticed[-1].sightings]
    assert moments == sorted(moments)


async def test_moments_are_seconds(acme: Company) -> None:
    visitor = acme.visitor()
    await acme.notices(visitor)

    await asyncio.sleep(0.25)

    first, second = (await acme.notices(visitor)).sightings
    assert 0.2 < second.at - first.at < 20


async def test_two_visitors_and_two_tenants_know_nothing_of_each_other(acme: Company) -> None:
    globex = replace(acme, id=TenantId(new_id()))
    visitor = acme.visitor()
    await acme.notices(visitor)
    await acme.process().hold(acme.id, visitor, SHORT)

    assert len((await acme.notices(acme.visitor())).sightings) == 1
    assert len((await globex.notices(visitor)).sightings) == 1


async def test_only_the_last_sightings_are_kept(acme: Company) -> None:
    visitor = acme.visitor()

    for number in range(MOST_SIGHTINGS + 5):
        noticed = await acme.notices(visitor, Sighting(request=number + 1))

    assert [each.request for each in noticed.sightings] == list(range(6, MOST_SIGHTINGS + 6))


async def test_messages_at_once_each_know_of_those_before(acme: Company) -> None:
    visitor = acme.visitor()

    noticed = await asyncio.gather(*(acme.notices(visitor) for _ in range(20)))

    assert sorted(len(each.sightings) for each in noticed) == list(range(1, 21))


async def test_who_is_held_waits_and_leaves_no_trace_meanwhile(acme: Company) -> None:
    visitor = acme.visitor()
    await acme.notices(visitor)

    wait = await acme.process().hold(acme.id, visitor, SECOND)
    held = await acme.notices(visitor)
    await asyncio.sleep(1.1)
    after = await acme.notices(visitor)

    assert wait == pytest.approx(1.0)
    assert 0 < held.wait <= 1.0
    assert (held.sightings, after.wait, len(after.sightings)) == ((), 0.0, 2)


async def test_each_wait_is_twice_as_long_up_to_the_longest(acme: Company) -> None:
    visitor, waits = acme.visitor(), []

    for _ in range(4):
        waits.append(await acme.process().hold(acme.id, visitor, SHORT))
        await asyncio.sleep(waits[-1] + 0.02)

    assert waits == pytest.approx([0.2, 0.4, 0.5, 0.5])


async def test_many_offences_at_once_are_one(acme: Company) -> None:
    visitor = acme.visitor()

    waits = await asyncio.gather(*(acme.process().hold(acme.id, visitor, SECOND) for _ in range(20)))

    assert max(waits) <= 1.0
    await asyncio.sleep(1.1)
    assert await acme.process().hold(acme.id, visitor, SECOND) == pytest.approx(2.0)


async def test_a_block_is_known_everywhere_with_the_next_message_and_so_is_its_end(acme: Company) -> None:
    visitor, other = acme.visitor(), acme.visitor()
    assert not (await acme.notices(visitor)).blocked

    await acme.blocks(visitor)
    blocked = [await acme.notices(visitor) for _ in range(3)]
    others = await acme.notices(other)
    await acme.unblocks(visitor)
    freed = await acme.notices(visitor)

    assert blocked == [Noticed(blocked=True)] * 3
    assert not others.blocked
    assert not freed.blocked
    assert freed.sightings


async def test_a_block_ends_with_its_time(acme: Company) -> None:
    visitor = acme.visitor()
    await acme.blocks(visitor, now() + timedelta(seconds=1))
    assert (await acme.notices(visitor)).blocked

    await asyncio.sleep(1.1)

    assert not (await acme.notices(visitor)).blocked


async def test_a_visitor_who_was_never_seen_can_be_noticed(acme: Company) -> None:
    noticed = await acme.notices(VisitorId(new_id()))

    assert (noticed.blocked, noticed.wait, len(noticed.sightings)) == (False, 0.0, 1)
