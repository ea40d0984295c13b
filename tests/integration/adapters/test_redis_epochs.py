"""Epochs and remembered queries on a real Redis that loses its memory, goes away and comes back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self

import pytest

from chatconnect.adapters import redis as redis_module
from chatconnect.adapters import redis_epochs
from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_epochs import RedisEpochs
from chatconnect.adapters.redis_queries import LARGEST, RedisQueryCache
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.knowledge import Passage
from chatconnect.ports.epochs import Area, Epoch
from chatconnect.ports.query_cache import Query, Remembered
from chatconnect.services.epoch_cache import EpochCache
from local.services import Redis, free_port
from local.services.process import HOST
from tests.factories import a_chunk, a_document
from tests.fakes.clock import SetClock
from tests.waiting import until

ACME = TenantId(new_id())
A_QUERY = Query("What does it cost?", "minilm", "epoch 1", None, 5, 0.25)


class Gate:
    """A way to Redis that can be closed: then connections are refused, or taken and left without an answer."""

    def __init__(self, port: int) -> None:
        self._behind, self.port = port, free_port()
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self.silent = False

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._pass, HOST, self.port)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        if self.silent:
            return
        behind_reader, behind_writer = await asyncio.open_connection(HOST, self._behind)
        self._writers.append(behind_writer)
        await asyncio.gather(_copy(reader, behind_writer), _copy(behind_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@dataclass
class Process:
    """One process's epochs; `faults` is what the operator is told."""

    database: RedisDatabase
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.epochs = RedisEpochs(lambda: self.database, on_fault=lambda what, _: self.faults.append(what))

    async def known(self) -> Epoch:
        epoch = await self.epochs.of(ACME)
        assert epoch is not None
        return epoch

    async def aclose(self) -> None:
        await self.epochs.aclose()
        await self.database.aclose()


@pytest.fixture
async def process(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[[int], Process]]:
    """Makes processes that reach Redis by a port, and do not wait as long as real ones."""
    monkeypatch.setattr(redis_epochs, "_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(redis_module, "_REST_SECONDS", 0.2)
    made: list[Process] = []

    def make(port: int) -> Process:
        made.append(Process(RedisDatabase(f"redis://{HOST}:{port}/0")))
        return made[-1]

    yield make
    for each in made:
        await each.aclose()


@pytest.fixture
async def gate(redis: Redis) -> AsyncIterator[Gate]:
    async with Gate(redis.port) as gate:
        yield gate


async def until_changed(reader: Process, before: Epoch) -> Epoch:
    async def changed() -> Epoch | None:
        known = await reader.known()
        return None if known.configuration == before.configuration else known

    found: Epoch = await until(changed)
    return found


async def test_a_redis_that_lost_its_memory_begins_new_epochs(
    process: Callable[[int], Process], tmp_path: Path
) -> None:
    async with Redis(tmp_path, free_port()) as server:
        one, other = process(server.port), process(server.port)
        before = await one.known()
        await server.restart()

        after = await one.known()

        assert {before.configuration, before.knowledge}.isdisjoint({after.configuration, after.knowledge})
        assert await other.known() == after


async def test_a_hundred_who_ask_a_forgetful_redis_at_once_agree(
    process: Callable[[int], Process], redis: Redis
) -> None:
    processes = [process(redis.port) for _ in range(4)]
    newcomer = TenantId(new_id())

    epochs = await asyncio.gather(*(each.epochs.of(newcomer) for each in processes for _ in range(25)))

    assert len(set(epochs)) == 1
    assert epochs[0] is not None


async def test_nobody_knows_an_epoch_while_redis_is_away_and_a_new_streak_begins_afterwards(
    process: Callable[[int], Process], gate: Gate, redis: Redis
) -> None:
    reader, witness = process(gate.port), process(redis.port)
    before = await reader.known()
    await gate.close()

    assert [await reader.epochs.of(ACME), await reader.epochs.of(ACME)] == [None, None]

    await gate.open()
    await asyncio.sleep(0.3)
    after = await reader.known()
    assert (after.configuration, after.knowledge) == (before.configuration, before.knowledge)
    assert after.streak != before.streak
    assert await witness.known() == before


async def test_what_was_kept_does_not_outlive_an_outage_in_which_a_change_went_unannounced(
    process: Callable[[int], Process], gate: Gate
) -> None:
    reader = process(gate.port)
    cache = EpochCache[str](Area.CONFIGURATION, clock=SetClock(), lifetime=timedelta(hours=1))
    database = "old"

    async def read() -> str:
        return database

    async def asked() -> str:
        return await cache.get("a", await reader.epochs.of(ACME), read)

    await asked()
    await gate.close()
    await asked()
    database = "new"  # by a publisher that ends before it can tell
    await gate.open()
    await asyncio.sleep(0.3)

    assert await asked() == "new"


async def test_a_publisher_that_cannot_reach_redis_tells_of_it_later(
    process: Callable[[int], Process], gate: Gate, redis: Redis
) -> None:
    publisher, reader = process(gate.port), process(redis.port)
    before = await reader.known()
    await gate.close()

    await publisher.epochs.changed(ACME, Area.CONFIGURATION)

    assert [fault.partition(":")[0] for fault in publisher.faults] == ["a change is not announced yet"]
    assert await reader.known() == before
    await gate.open()
    after = await until_changed(reader, before)
    assert after.knowledge == before.knowledge
    await asyncio.sleep(0.3)
    assert await reader.known() == after  # told once


async def test_a_publisher_goes_by_no_epoch_while_it_has_something_to_tell(
    process: Callable[[int], Process], gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_epochs, "_PAUSE_SECONDS", 3.0)
    publisher = process(gate.port)
    before = await publisher.known()
    await gate.close()
    await publisher.epochs.changed(ACME, Area.CONFIGURATION)
    await gate.open()
    await asyncio.sleep(0.3)

    assert await publisher.epochs.of(ACME) is None
    assert await publisher.epochs.of(TenantId(new_id())) is not None

    async def knows_again() -> Epoch | None:
        return await publisher.epochs.of(ACME)

    assert (await until(knows_again)).configuration != before.configuration


async def test_a_publisher_that_is_cancelled_while_it_tells_tells_it_later(
    process: Callable[[int], Process], gate: Gate, redis: Redis
) -> None:
    publisher, reader = process(gate.port), process(redis.port)
    before = await reader.known()
    gate.silent = True
    telling = asyncio.create_task(publisher.epochs.changed(ACME, Area.CONFIGURATION))
    await asyncio.sleep(0.1)

    telling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await telling
    gate.silent = False

    await until_changed(reader, before)


async def test_what_nobody_asks_for_any_more_is_forgotten(process: Callable[[int], Process], redis: Redis) -> None:
    reader = process(redis.port)

    await reader.known()
    kept = await reader.database.client().ttl(f"{{{ACME}}}:epochs")
    await reader.epochs.changed(ACME, Area.KNOWLEDGE)

    assert kept > 24 * 3_600
    assert await reader.database.client().ttl(f"{{{ACME}}}:epochs") > 24 * 3_600


async def test_a_vector_is_kept_for_an_hour_and_passages_for_five_minutes(redis_database: RedisDatabase) -> None:
    tenant_id = TenantId(new_id())

    await RedisQueryCache(redis_database, tenant_id).keep(A_QUERY, Remembered([1.0, 0.0], []))

    client = redis_database.client()
    keys = [key async for key in client.scan_iter(match=f"{{{tenant_id}}}:*")]
    kept = {key.split(b":")[1]: await client.ttl(key) for key in keys}
    assert set(kept) == {b"vector", b"passages"}
    assert 3_500 < kept[b"vector"] <= 3_600
    assert 290 < kept[b"passages"] <= 300
    assert not any(b"cost" in key for key in keys)


async def test_passages_without_measure_are_not_kept(redis_database: RedisDatabase) -> None:
    queries = RedisQueryCache(redis_database, ACME)
    long = a_chunk(a_document(ACME).newest, text="x" * LARGEST)

    await queries.keep(A_QUERY, Remembered([1.0, 0.0], [Passage(long, 1.0)]))

    assert await queries.find(A_QUERY) == Remembered([1.0, 0.0], None)


async def test_without_redis_queries_are_unknown_and_nobody_waits(process: Callable[[int], Process]) -> None:
    queries = RedisQueryCache(process(free_port()).database, ACME)

    async with asyncio.timeout(5):
        await queries.keep(A_QUERY, Remembered([1.0, 0.0], []))
        assert await queries.find(A_QUERY) == Remembered()
