"""Waiting for a provider's stream: how long, and who may end it."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from chatconnect.adapters.sse import SilenceWatch


async def pieces(*pauses: float) -> AsyncGenerator[bytes]:
    for pause in pauses:
        await asyncio.sleep(pause)
        yield b"x"


def watch(*, first: float, between: float) -> SilenceWatch:
    return SilenceWatch(asyncio.get_running_loop().time() + first, between)


async def test_a_first_piece_that_does_not_come_in_time_is_a_timeout() -> None:
    source = pieces(5)

    with watch(first=0.02, between=5) as watching, pytest.raises(TimeoutError):
        await watching.next(source)


async def test_a_silence_between_two_pieces_is_a_timeout() -> None:
    source = pieces(0, 0, 5)

    with watch(first=5, between=0.3) as watching:
        heard = [await watching.next(source) for _ in range(2)]
        with pytest.raises(TimeoutError):
            await watching.next(source)

    assert heard == [b"x", b"x"]


async def test_a_long_stream_without_a_silence_is_read_to_its_end() -> None:
    source = pieces(*[0.05] * 20)

    with watch(first=0.5, between=0.5) as watching:
        heard = [await watching.next(source) for _ in range(21)]

    assert heard == [b"x"] * 20 + [None]


async def test_time_that_the_reader_takes_is_not_the_providers_silence() -> None:
    source = pieces(0, 0.01)

    with watch(first=5, between=0.3) as watching:
        await watching.next(source)
        await asyncio.sleep(0.5)
        second = await watching.next(source)

    assert second == b"x"


async def test_a_reader_who_is_cancelled_is_cancelled_and_not_timed_out() -> None:
    async def read() -> None:
        with watch(first=5, between=5) as watching:
            await watching.next(pieces(5))

    reading = asyncio.create_task(read())
    await asyncio.sleep(0.01)
    reading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await reading
