"""Statements in one round trip: one transaction, whose failure costs nobody the connection."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from psycopg import AsyncConnection

from chatconnect.adapters.postgres.exchange import Exchanges, Statement

ADD: Statement = (b"INSERT INTO words VALUES ($1)", ["one"])
PREPARED: Statement = (b"SELECT count(*) AS number FROM pg_prepared_statements", [])


@pytest.fixture
async def connection(owner_url: str) -> AsyncIterator[AsyncConnection]:
    opened = await AsyncConnection.connect(owner_url, autocommit=True, prepare_threshold=None)
    await opened.execute("CREATE TEMPORARY TABLE words (word text PRIMARY KEY)")
    yield opened
    await opened.close()


async def count(connection: AsyncConnection) -> int:
    cursor = await connection.execute("SELECT count(*) FROM words")
    return int((await cursor.fetchone() or (0,))[0])


async def test_each_statement_has_its_own_result(connection: AsyncConnection) -> None:
    results = await Exchanges(prepare=True).run(
        connection, [ADD, (b"SELECT word, $1::int AS number FROM words WHERE word = $2", [7, "one"])]
    )

    assert results.touched(0) == 1
    assert results.rows(1, dict) == [{"word": "one", "number": 7}]


@pytest.mark.parametrize("prepare", [True, False])
async def test_what_comes_before_a_statement_that_fails_is_undone(connection: AsyncConnection, prepare: bool) -> None:
    exchanges = Exchanges(prepare=prepare)

    with pytest.raises(psycopg.errors.UniqueViolation):
        await exchanges.run(connection, [ADD, ADD])

    assert await count(connection) == 0
    assert (await exchanges.run(connection, [ADD])).touched(0) == 1  # on the same connection, which holds the table


async def test_a_statement_is_prepared_once_and_one_that_failed_is_not_thought_to_be(
    connection: AsyncConnection,
) -> None:
    exchanges = Exchanges(prepare=True)
    with pytest.raises(psycopg.errors.SyntaxError):
        await exchanges.run(connection, [(b"SELEKT", []), ADD])

    for _ in range(3):
        await exchanges.run(connection, [(b"SELECT $1::text", ["x"])])
    results = await exchanges.run(connection, [PREPARED])

    assert results.rows(0, dict) == [{"number": 2}]  # that one, and the one that counts


async def test_a_statement_that_only_ever_fails_is_prepared_once(connection: AsyncConnection) -> None:
    exchanges = Exchanges(prepare=True)
    await connection.execute("INSERT INTO words VALUES ('one')")

    for _ in range(3):
        with pytest.raises(psycopg.errors.UniqueViolation):
            await exchanges.run(connection, [ADD])
    results = await exchanges.run(connection, [PREPARED])

    assert results.rows(0, dict) == [{"number": 2}]  # that one, and the one that counts


async def test_nothing_is_prepared_where_it_must_not_be(connection: AsyncConnection) -> None:
    exchanges = Exchanges(prepare=False)

    await exchanges.run(connection, [ADD])

    assert (await exchanges.run(connection, [PREPARED])).rows(0, dict) == [{"number": 0}]


async def test_a_connection_left_in_the_middle_is_closed(connection: AsyncConnection) -> None:
    waiting = asyncio.create_task(Exchanges(prepare=True).run(connection, [(b"SELECT pg_sleep(30)", [])]))
    await asyncio.sleep(0.05)

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert connection.closed


async def test_a_large_statement_and_a_large_answer_arrive_whole(connection: AsyncConnection) -> None:
    text = "äöü" * 2_000_000

    results = await Exchanges(prepare=True).run(connection, [(b"SELECT $1::text AS text", [text])])

    assert results.rows(0, dict) == [{"text": text}]


async def test_a_server_that_ends_the_connection_is_an_error_and_no_endless_wait(
    connection: AsyncConnection, owner_url: str
) -> None:
    exchange = Exchanges(prepare=True).run(connection, [(b"SELECT pg_sleep(30)", [])])
    waiting = asyncio.create_task(exchange)
    await asyncio.sleep(0.05)

    async with await AsyncConnection.connect(owner_url, autocommit=True) as other:
        await other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])

    with pytest.raises(psycopg.OperationalError):
        await asyncio.wait_for(waiting, 20)
    assert connection.closed
