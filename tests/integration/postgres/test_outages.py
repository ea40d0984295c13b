"""Postgres away, slow or restarted: an honest error soon, and recovery without a restart of ours."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import psycopg
import pytest

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.domain.errors import Unavailable
from chatconnect.domain.identifiers import TenantId, new_id
from local.database import prepare_database
from local.services import Postgres, free_port
from tests.postgres import conninfo


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Postgres]:
    server = Postgres(tmp_path / "postgres", free_port(), durable=False)
    await server.start()
    yield server
    await server.stop()


async def test_a_restart_is_survived_with_every_connection_lost(server: Postgres) -> None:
    database = PostgresDatabase(conninfo(await prepare_database(server, "chatconnect")), pool_size=4)
    await asyncio.gather(*(database.check() for _ in range(8)))

    await server.stop()
    began = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        await database.check()
    waited = time.monotonic() - began
    await server.start()

    await asyncio.gather(*(database.check() for _ in range(8)))
    assert refused.value.dependency == "the database"
    assert waited < 8
    await database.aclose()


async def test_a_restart_between_two_requests_is_not_noticed(server: Postgres) -> None:
    database = PostgresDatabase(conninfo(await prepare_database(server, "chatconnect")), pool_size=4)
    await asyncio.gather(*(database.check() for _ in range(8)))

    await server.stop()
    await server.start()

    await database.check()
    await database.aclose()


async def test_a_server_that_was_never_there_is_said_to_be_away_within_its_time() -> None:
    database = PostgresDatabase(conninfo(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"))

    began = time.monotonic()
    with pytest.raises(Unavailable):
        await database.check()

    assert time.monotonic() - began < 8
    await database.aclose()


async def test_a_slow_statement_is_ended(app_url: str) -> None:
    database = PostgresDatabase(conninfo(app_url), statement_timeout=0.5)

    with pytest.raises(Unavailable):
        async with database.transaction(TenantId(new_id())) as connection:
            await connection.execute("SELECT pg_sleep(30)")

    await database.check()
    await database.aclose()


async def test_a_frozen_server_is_not_waited_for(server: Postgres) -> None:
    database = PostgresDatabase(conninfo(await prepare_database(server, "chatconnect")), statement_timeout=1)
    await database.check()

    with Frozen(server):
        began = time.monotonic()
        with pytest.raises(Unavailable):
            await database.check()
        waited = time.monotonic() - began

    assert waited < 8
    await database.check()
    await database.aclose()


async def test_what_was_begun_in_a_closed_database_is_refused(app_url: str) -> None:
    database = PostgresDatabase(conninfo(app_url))
    await database.check()
    await database.aclose()

    with pytest.raises(Unavailable):
        await database.check()


async def test_statements_are_not_prepared_behind_a_proxy(app_url: str) -> None:
    database = PostgresDatabase(conninfo(app_url), pool_size=1, prepare=False)
    for _ in range(12):
        await database.check()

    async with database.shared_transaction() as connection:
        prepared = await (await connection.execute("SELECT count(*) FROM pg_prepared_statements")).fetchone()

    assert prepared == (0,)
    await database.aclose()


class Frozen:
    """Stops every process of a server for a while, as an overloaded machine would."""

    def __init__(self, server: Postgres) -> None:
        with psycopg.connect(server.url) as connection:
            children = psutil.Process(connection.info.backend_pid).parent()
        assert children is not None
        self._processes = [children, *children.children()]

    def __enter__(self) -> None:
        self._send(signal.SIGSTOP)

    def __exit__(self, *_: object) -> None:
        self._send(signal.SIGCONT)

    def _send(self, which: signal.Signals) -> None:
        for process in self._processes:
            if process.is_running():
                os.kill(process.pid, which)
