"""What every keeper of epochs does."""

from collections.abc import Callable

import pytest

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.ports.epochs import Area, Epoch, Epochs
from tests.fakes.epochs import MemoryEpochs, StoredEpochs

Process = Callable[[], Epochs]

ACME, GLOBEX = TenantId(new_id()), TenantId(new_id())


@pytest.fixture(params=["memory", "redis"])
def process(request: pytest.FixtureRequest) -> Process:
    """Makes the epochs of a further process."""
    if request.param == "memory":
        stored = StoredEpochs()
        return lambda: MemoryEpochs(stored)
    database: RedisDatabase = request.getfixturevalue("redis_database")
    return lambda: RedisEpochs(lambda: database, on_fault=lambda what, fault: pytest.fail(what))


async def known(epochs: Epochs, tenant_id: TenantId = ACME) -> Epoch:
    epoch = await epochs.of(tenant_id)
    assert epoch is not None
    return epoch


async def test_an_epoch_lasts_while_nothing_changes_and_is_the_same_for_all(process: Process) -> None:
    one, other = process(), process()

    epoch = await known(one)

    assert await known(one) == await known(other) == epoch
    assert len({epoch.configuration, epoch.knowledge}) == 2


@pytest.mark.parametrize("area", Area)
async def test_a_change_begins_an_epoch_of_its_area_for_all_at_once(process: Process, area: Area) -> None:
    one, other = process(), process()
    before = await known(one)

    await other.changed(ACME, area)

    after = await known(one)
    changed = {each for each in Area if getattr(before, each) != getattr(after, each)}
    assert changed == {area}
    assert await known(other) == after


async def test_another_tenants_epoch_goes_on(process: Process) -> None:
    epochs = process()
    before = await known(epochs, GLOBEX)

    for area in Area:
        await epochs.changed(ACME, area)

    assert await known(epochs, GLOBEX) == before


async def test_no_epoch_comes_twice(process: Process) -> None:
    epochs, seen = process(), set()

    for _ in range(5):
        await epochs.changed(ACME, Area.CONFIGURATION)
        seen.add((await known(epochs)).configuration)

    assert len(seen) == 5


async def test_a_change_that_nobody_had_asked_before_is_one_too(process: Process) -> None:
    epochs, newcomer = process(), TenantId(new_id())
    await epochs.changed(newcomer, Area.KNOWLEDGE)
    before = await known(epochs, newcomer)

    await epochs.changed(newcomer, Area.KNOWLEDGE)

    assert (await known(epochs, newcomer)).knowledge != before.knowledge
