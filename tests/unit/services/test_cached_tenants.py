"""What is kept of a tenant holds at every moment, in every process."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from chatconnect.domain.errors import NotFound, Unavailable
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.epochs import Area, Epoch
from chatconnect.ports.tenants import NewTenant
from chatconnect.services.cached_tenants import CachedTenants, TenantReads
from chatconnect.services.epoch_cache import EpochCache
from tests.factories import a_save, a_tenant
from tests.fakes.assistants import MemoryAssistants
from tests.fakes.clock import SetClock
from tests.fakes.epochs import MemoryEpochs, StoredEpochs
from tests.fakes.tenants import MemoryAccounts, MemoryTenants, StoredTenants
from tests.unit.services.conversing import a_question, a_world, told


@dataclass
class Database:
    """Two tenants, and how often each process read what of them; a read waits for `open`."""

    acme: NewTenant
    globex: NewTenant
    tenants: StoredTenants = field(default_factory=StoredTenants)
    epochs: StoredEpochs = field(default_factory=StoredEpochs)
    clock: SetClock = field(default_factory=SetClock)
    reads: Counter[str] = field(default_factory=Counter)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def process(self) -> "Process":
        return Process(self, MemoryEpochs(self.epochs), CachedTenants(self._tenants_of, clock=self.clock))

    async def publishes(self, name: str, *, announced: bool = True) -> None:
        """Change the default assistant's name."""
        stored = self.tenants.assistants[self.acme.tenant.id, self.acme.assistant.id]
        save = a_save(stored.config.with_name(name))
        await MemoryAssistants(self.tenants, self.acme.tenant.id).save(stored.id, save, publish=True)
        if announced:
            await MemoryEpochs(self.epochs).changed(self.acme.tenant.id, Area.CONFIGURATION)

    def _tenants_of(self, tenant_id: TenantId) -> Any:
        return CountedTenants(self, tenant_id)


class CountedTenants:
    """Counts what is read; a read sees what is stored when it begins, and takes its time."""

    def __init__(self, database: Database, tenant_id: TenantId) -> None:
        self._database, self._tenants = database, MemoryTenants(database.tenants, tenant_id)

    def __getattr__(self, name: str) -> Any:
        async def counted(*args: Any) -> Any:
            self._database.reads[name] += 1
            value = await getattr(self._tenants, name)(*args)
            await self._database.open.wait()
            return value

        return counted


@dataclass
class Process:
    """One warm process."""

    database: Database
    epochs: MemoryEpochs
    cached: CachedTenants

    async def request(self, tenant: NewTenant | None = None) -> TenantReads:
        tenant_id = (tenant or self.database.acme).tenant.id
        return self.cached.at(tenant_id, await self.epochs.of(tenant_id))

    async def name(self) -> str:
        """The name of the default assistant, as a request finds it."""
        return (await (await self.request()).default_assistant()).config.name


@pytest.fixture
async def database() -> Database:
    database = Database(a_tenant("Acme"), a_tenant("Globex"))
    for new in (database.acme, database.globex):
        await MemoryAccounts(database.tenants).open_tenant(new)
    database.open.set()
    return database


async def test_what_was_read_is_not_read_again_while_nothing_changes(database: Database) -> None:
    process, acme = database.process(), database.acme

    for _ in range(3):
        tenant = await process.request()
        assert await tenant.get() == acme.tenant
        assert (await tenant.plan()).name == "free"
        assert await tenant.default_assistant() == await tenant.assistant(acme.assistant.id) == acme.assistant

    assert database.reads == Counter(get=1, plan=1, default_assistant=1, assistant=1)


async def test_one_tenants_values_are_not_anothers(database: Database) -> None:
    process = database.process()
    await (await process.request(database.acme)).get()

    globex = await process.request(database.globex)

    assert await globex.get() == database.globex.tenant
    assert await globex.default_assistant() == database.globex.assistant
    with pytest.raises(NotFound):
        await globex.assistant(database.acme.assistant.id)


async def test_a_publication_is_seen_by_the_very_next_request_of_every_process(database: Database) -> None:
    one, other = database.process(), database.process()
    assert {await one.name(), await other.name()} == {"Acme"}

    await database.publishes("Acme's new assistant")

    assert [await one.name(), await other.name()] == ["Acme's new assistant"] * 2


async def test_a_request_under_way_does_not_bring_back_what_a_publication_replaced(database: Database) -> None:
    process = database.process()
    database.open.clear()
    slow = asyncio.create_task(process.name())
    await asyncio.sleep(0)
    await database.publishes("New")
    database.open.set()

    assert await slow == "Acme"
    assert await process.name() == "New"


async def test_what_is_not_there_is_looked_for_again(database: Database) -> None:
    process, unknown = database.process(), database.globex.assistant.id
    for _ in range(2):
        with pytest.raises(NotFound):
            await (await process.request()).assistant(unknown)

    assert database.reads["assistant"] == 2


async def test_without_epochs_everything_is_read_anew(database: Database) -> None:
    process = database.process()
    await process.name()
    database.epochs.away = True

    await database.publishes("New", announced=False)

    assert [await process.name(), await process.name()] == ["New", "New"]
    assert database.reads["default_assistant"] == 3


async def test_a_change_while_epochs_were_away_is_not_hidden_when_they_are_back(database: Database) -> None:
    process = database.process()
    await process.name()
    database.epochs.away = True
    await process.name()
    await database.publishes("New")  # which nobody could be told
    database.epochs.away = False

    assert await process.name() == "New"


async def test_what_was_read_before_the_epochs_went_away_is_not_kept_for_afterwards(database: Database) -> None:
    process = database.process()
    database.open.clear()
    slow = asyncio.create_task(process.name())
    await asyncio.sleep(0)
    database.epochs.away = True
    noticed = asyncio.create_task(process.name())
    await asyncio.sleep(0)
    await database.publishes("New")
    database.open.set()
    assert [await slow, await noticed] == ["Acme", "Acme"]
    database.epochs.away = False

    assert await process.name() == "New"


async def test_what_nobody_was_told_of_is_seen_after_an_hour(database: Database) -> None:
    process = database.process()
    await process.name()
    await database.publishes("New", announced=False)

    database.clock.advance(3_599)
    almost = await process.name()
    database.clock.advance(2)

    assert [almost, await process.name()] == ["Acme", "New"]


async def test_what_was_used_last_is_kept() -> None:
    cache: EpochCache[int] = EpochCache(Area.KNOWLEDGE, clock=SetClock(), lifetime=timedelta(hours=1), entries=2)
    reads: list[str] = []

    async def value(key: str) -> int:
        async def read() -> int:
            reads.append(key)
            return len(reads)

        return await cache.get(key, Epoch("1", "1"), read)

    for key in ("a", "b", "a", "c", "a", "b"):
        await value(key)

    assert reads == ["a", "b", "c", "b"]


async def test_an_unknown_epoch_makes_the_process_forget_everything() -> None:
    cache: EpochCache[str] = EpochCache(Area.KNOWLEDGE, clock=SetClock(), lifetime=timedelta(hours=1))

    async def old() -> str:
        return "old"

    async def new() -> str:
        return "new"

    await cache.get("a", Epoch("1", "1"), old)
    await cache.get("b", None, old)

    assert await cache.get("a", Epoch("1", "1"), new) == "new"


async def test_a_warm_turn_reads_nothing_of_its_tenant() -> None:
    world = await a_world("49 euros.")
    chat = world.chat()
    await told(chat, world.visitor(), a_question())

    world.tenant_faults |= {name: Unavailable("the database") for name in ("get", "plan", "assistant")}
    heard = await told(chat, world.visitor(), a_question())

    assert heard[-1][0] == "done"


async def test_a_turn_uses_what_was_published_a_moment_before() -> None:
    world = await a_world("49 euros.")
    chats = [world.chat(), world.chat()]
    for chat in chats:
        await told(chat, world.visitor(), a_question())

    world.configured(system_prompt="Speak like a pirate.")
    for chat in chats:
        await told(chat, world.visitor(), a_question())

    pirates = ["pirate" in str(prompt) for prompt in world.model.prompts]
    assert pirates == [False, False, True, True]
