"""The connection that everybody's commands share: answers reach whoever asked, and a lost connection is replaced."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis as Client
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.exceptions import TimeoutError as TookTooLong

from chatconnect.adapters.redis_wire import RedisWire
from local.services import Redis, free_port
from local.services.process import HOST


def wire(url: str, *, answer_seconds: float = 2.0) -> RedisWire:
    return RedisWire(url, connect_seconds=0.5, answer_seconds=answer_seconds)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Redis]:
    async with Redis(tmp_path, free_port()) as running:
        yield running


async def test_whoever_asks_at_the_same_moment_gets_their_own_answers(redis: Redis) -> None:
    shared = wire(redis.url)

    answers = await asyncio.gather(*(shared.ask([("ECHO", number), ("ECHO", -number)]) for number in range(300)))

    assert answers == [[b"%d" % number, b"%d" % -number] for number in range(300)]
    await shared.aclose()


async def test_a_refused_command_is_an_answer_of_its_own(redis: Redis) -> None:
    shared = wire(redis.url)

    refused, echoed = await asyncio.gather(
        shared.ask([("EVALSHA", "0" * 40, 0), ("NONSENSE",)]), shared.ask([("ECHO", "x")])
    )

    assert [type(each) for each in refused] == [NoScriptError, ResponseError]
    assert echoed == [b"x"]
    await shared.aclose()


async def test_an_asker_who_is_cancelled_leaves_the_others_their_answers(redis: Redis) -> None:
    shared = wire(redis.url)
    await shared.ask([("PING",)])
    impatient = asyncio.create_task(shared.ask([("ECHO", "cancelled")]))
    await asyncio.sleep(0)

    impatient.cancel()
    answer = await shared.ask([("ECHO", "patient")])

    assert answer == [b"patient"]
    await shared.aclose()


async def test_a_connection_that_a_restart_has_cut_is_replaced_unnoticed(server: Redis) -> None:
    shared = wire(server.url)
    await shared.ask([("PING",)])

    await server.stop()
    with pytest.raises(RedisError):
        await shared.ask([("PING",)])
    await server.start()

    assert await shared.ask([("ECHO", "again")]) == [b"again"]
    await shared.aclose()


async def test_a_server_that_says_nothing_is_given_up_and_asked_anew_on_another_connection() -> None:
    met = 0

    async def silent_at_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal met
        met += 1
        speaks = met > 1
        while await reader.read(100):
            if speaks:
                writer.write(b"+PONG\r\n")
        writer.close()

    async with await asyncio.start_server(silent_at_first, HOST, 0) as listening:
        shared = wire(f"redis://{HOST}:{listening.sockets[0].getsockname()[1]}/0", answer_seconds=0.1)

        with pytest.raises(TookTooLong):
            await shared.ask([("PING",)])

        assert await shared.ask([("PING",)]) == [b"PONG"]
        await shared.aclose()


async def test_what_this_process_is_busy_with_does_not_count_as_waiting_for_redis(redis: Redis) -> None:
    shared = wire(redis.url, answer_seconds=0.1)
    await shared.ask([("PING",)])
    asking = asyncio.create_task(shared.ask([("ECHO", "late")]))
    asyncio.get_running_loop().call_soon(time.sleep, 0.3)  # after the question, before it is sent

    assert await asking == [b"late"]
    await shared.aclose()


async def test_an_answer_that_is_none_of_redis_is_an_error(tmp_path: Path) -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read(100)
        writer.close()

    async with await asyncio.start_server(babble, HOST, 0) as listening:
        shared = wire(f"redis://{HOST}:{listening.sockets[0].getsockname()[1]}/0")

        with pytest.raises(RedisError):
            await shared.ask([("PING",)])
        await shared.aclose()


async def test_the_addresss_password_and_database_are_used(server: Redis) -> None:
    client = Client.from_url(server.url)
    await client.config_set("requirepass", "open sesame")
    knowing = wire(f"redis://:open%20sesame@{HOST}:{server.port}/3")
    ignorant = wire(f"redis://:guessed@{HOST}:{server.port}/3")

    await knowing.ask([("SET", "place", "third")])

    with pytest.raises(ResponseError):
        await ignorant.ask([("PING",)])
    third = Client.from_url(f"redis://:open%20sesame@{HOST}:{server.port}/3")
    assert await third.get("place") == b"third"
    await third.aclose()
    for each in (knowing, ignorant):
        await each.aclose()
    await client.aclose()
