"""Who is connected, in a real Redis."""

import pytest

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_listeners import RedisListeners
from chatconnect.domain.errors import LimitReached, Unavailable
from chatconnect.domain.identifiers import TenantId, VisitorId, new_id
from chatconnect.ports.realtime import Audience
from local.services import free_port


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def listeners(redis_database: RedisDatabase, clock: Clock) -> RedisListeners:
    return RedisListeners(lambda: redis_database, now=clock)


@pytest.fixture
def staff() -> Audience:
    return Audience(TenantId(new_id()))


async def test_each_audience_has_its_own_connections(listeners: RedisListeners, staff: Audience) -> None:
    visitor, other = Audience(staff.tenant_id, VisitorId(new_id())), Audience(TenantId(new_id()))
    named = {f"{new_id()}": audience for audience in (staff, staff, visitor, other)}

    for connection_id, audience in named.items():
        assert await listeners.add(connection_id, audience, seconds=60, most=10)

    for audience in (staff, visitor, other):
        own = {connection_id for connection_id, joined in named.items() if joined == audience}
        assert set(await listeners.of(audience)) == own


async def test_a_connection_hears_until_its_time_is_over_or_renewed(
    listeners: RedisListeners, staff: Audience, clock: Clock
) -> None:
    short, renewed = str(new_id()), str(new_id())
    for connection_id in (short, renewed):
        await listeners.add(connection_id, staff, seconds=60, most=10)

    clock.seconds += 50
    assert await listeners.add(renewed, staff, seconds=60, most=10)
    clock.seconds += 20

    assert await listeners.of(staff) == [renewed]


async def test_a_connection_is_of_the_audience_that_it_joined_first(listeners: RedisListeners, staff: Audience) -> None:
    connection_id, other = str(new_id()), Audience(TenantId(new_id()))
    await listeners.add(connection_id, staff, seconds=60, most=10)

    assert await listeners.add(connection_id, other, seconds=60, most=10) is False
    assert (
        await listeners.add(connection_id, Audience(staff.tenant_id, VisitorId(new_id())), seconds=60, most=10) is False
    )
    assert await listeners.of(other) == []


async def test_one_that_is_gone_is_forgotten_unless_it_is_only_being_opened(
    listeners: RedisListeners, staff: Audience, clock: Clock
) -> None:
    connection_id = str(new_id())
    await listeners.add(connection_id, staff, seconds=600, most=10)

    await listeners.gone(connection_id, staff)
    while_opening = await listeners.of(staff)
    clock.seconds += 60
    await listeners.gone(connection_id, staff)

    assert while_opening == [connection_id]
    assert await listeners.of(staff) == []


async def test_one_that_leaves_is_forgotten(listeners: RedisListeners, staff: Audience) -> None:
    connection_id = str(new_id())
    await listeners.add(connection_id, staff, seconds=60, most=10)

    await listeners.leave(connection_id)
    await listeners.leave(connection_id)

    assert await listeners.of(staff) == []


async def test_only_so_many_are_connected_at_a_time(listeners: RedisListeners, staff: Audience) -> None:
    first, second = str(new_id()), str(new_id())
    await listeners.add(first, staff, seconds=60, most=1)

    with pytest.raises(LimitReached) as refused:
        await listeners.add(second, staff, seconds=60, most=1)

    assert refused.value.code == "too_many_connections"
    assert await listeners.add(first, staff, seconds=60, most=1)


async def test_without_redis_nobody_is_known(staff: Audience) -> None:
    database = RedisDatabase(f"redis://127.0.0.1:{free_port()}")
    listeners = RedisListeners(lambda: database)

    with pytest.raises(Unavailable):
        await listeners.of(staff)
    with pytest.raises(Unavailable):
        await listeners.add("one", staff, seconds=60, most=10)
    await database.aclose()
