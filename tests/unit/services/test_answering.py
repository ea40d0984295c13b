"""An answer in the making: its listener, its grace period and its journal."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chatconnect.domain.conversation import Usage
from chatconnect.domain.events import KEEP_ALIVE, Done, Event, Token
from chatconnect.domain.identifiers import MessageId, TenantId, new_id
from chatconnect.http.frames import encode
from chatconnect.services.answering import Answering
from tests.fakes.traffic import MemoryJournal, StoredJournal
from tests.waiting import until

TENANT = TenantId(new_id())
DONE = Done("stop", Usage(), ())


class Made:
    """An answer of so many tokens, `pause` seconds apart, that notes how it ended."""

    def __init__(self, tokens: int, pause: float = 0.0) -> None:
        self.tokens, self.pause = tokens, pause
        self.begun = self.cancelled = False

    async def events(self) -> AsyncIterator[Event]:
        self.begun = True
        try:
            for number in range(self.tokens):
                await asyncio.sleep(self.pause)
                yield Token(str(number))
        except asyncio.CancelledError:
            self.cancelled = True
        yield DONE


def answering(made: Made, stored: StoredJournal, *, grace_seconds: float = 5.0) -> Answering:
    return Answering(
        MessageId(new_id()),
        made.events(),
        journal=MemoryJournal(stored, TENANT),
        encode=encode,
        grace_seconds=grace_seconds,
    )


def journalled(stored: StoredJournal) -> list[int]:
    return [frame.number for batch in stored.batches for frame in batch]


async def test_the_listener_and_the_journal_get_every_frame_once_and_in_order() -> None:
    stored = StoredJournal()
    going = answering(Made(300, 0.002), stored)

    heard = [frame.number async for frame in going.frames()]
    await going.ended()

    assert heard == journalled(stored) == list(range(1, 302))
    assert 1 < len(stored.batches) < 50


async def test_frames_that_come_while_a_batch_is_being_written_are_not_lost() -> None:
    stored = StoredJournal(append_seconds=0.15)
    going = answering(Made(20, 0.018), stored)

    async for _ in going.frames():
        pass
    await going.ended()

    assert journalled(stored) == list(range(1, 22))


async def leave_after(going: Answering, count: int) -> None:
    frames = going.frames()
    for _ in range(count):
        await anext(frames)
    await frames.aclose()


async def test_when_the_listener_leaves_the_answer_goes_on_to_its_end() -> None:
    made, stored = Made(30, 0.003), StoredJournal()
    going = answering(made, stored, grace_seconds=5)

    await leave_after(going, 2)
    await going.ended()

    assert not made.cancelled
    assert journalled(stored) == list(range(1, 32))


async def test_when_the_listener_stays_away_the_answer_is_stopped_after_the_grace_period() -> None:
    made, stored = Made(1_000, 0.01), StoredJournal()
    going = answering(made, stored, grace_seconds=0.1)

    await leave_after(going, 2)
    await going.ended()

    assert made.cancelled
    assert 2 < len(journalled(stored)) < 100
    assert stored.batches[-1][-1].is_last


async def test_a_listener_who_hears_the_end_stops_nothing() -> None:
    made, stored = Made(3), StoredJournal()
    going = answering(made, stored, grace_seconds=0.0)

    async for _ in going.frames():
        pass
    await asyncio.sleep(0.02)

    assert not made.cancelled


async def test_an_answer_cancelled_before_it_began_still_ends() -> None:
    made, stored = Made(1_000, 0.01), StoredJournal()
    going = answering(made, stored)

    going.cancel()
    async with asyncio.timeout(30):
        heard = [frame async for frame in going.frames()]
    await going.ended()

    assert made.begun
    assert [frame.name for frame in heard] == ["done"]


async def test_cancelling_again_does_not_tear_the_end() -> None:
    made, stored = Made(1_000, 0.01), StoredJournal()
    going = answering(made, stored)
    await until(lambda: made.begun)

    for _ in range(3):
        going.cancel()
        await asyncio.sleep(0)

    assert [frame.name async for frame in going.frames()][-1] == "done"
    await going.ended()


async def test_silence_is_filled_with_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatconnect.services.answering.KEEP_ALIVE_SECONDS", 0.02)
    silent = asyncio.Event()

    async def made() -> AsyncIterator[Event]:
        await silent.wait()
        yield DONE

    going = Answering(MessageId(new_id()), made(), journal=MemoryJournal(StoredJournal(), TENANT), encode=encode)
    frames = going.frames()

    signs = [await anext(frames) for _ in range(2)]
    silent.set()
    rest = [frame.name async for frame in frames if frame is not KEEP_ALIVE]

    assert signs == [KEEP_ALIVE] * 2
    assert rest == ["done"]
    await going.ended()


async def test_an_answer_whose_maker_breaks_still_lets_its_listener_go() -> None:
    async def broken() -> AsyncIterator[Event]:
        yield Token("a")
        raise RuntimeError

    stored = StoredJournal()
    going = Answering(MessageId(new_id()), broken(), journal=MemoryJournal(stored, TENANT), encode=encode)

    async with asyncio.timeout(30):
        heard = [frame.name async for frame in going.frames()]
    await going.ended()

    assert heard == ["token"]
