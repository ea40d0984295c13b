"""An answer in the making: it goes on by itself, whoever listens, and every event is numbered and journalled."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress

from chatconnect.domain.events import KEEP_ALIVE, Event, Frame
from chatconnect.domain.identifiers import MessageId
from chatconnect.ports.traffic import Journal

Encode = Callable[[int, Event], Frame]

GRACE_SECONDS = 30.0
KEEP_ALIVE_SECONDS = 15.0
_FLUSH_SECONDS = 0.5


class Answering:
    """Runs one answer to its end and hands its frames to one listener and to the journal.

    When the listener leaves early, the answer goes on for `grace_seconds`, so that they can come back through the
    journal; then it is cancelled. Must be made inside a running event loop.
    """

    def __init__(
        self,
        message_id: MessageId,
        events: AsyncIterator[Event],
        *,
        journal: Journal,
        encode: Encode,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self.message_id = message_id
        self._events, self._journal, self._encode, self._grace = events, journal, encode, grace_seconds
        self._frames: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._unwritten: list[Frame] = []
        self._ended = asyncio.Event()
        self._begun = self._cancelled = False
        self._last_frame_at = asyncio.get_running_loop().time()
        self._stay_alive()
        self._producing = asyncio.create_task(self._produce())
        self._journalling = asyncio.create_task(self._keep_journal())

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Yield the frames as they come, to the last, and KEEP_ALIVE when nothing comes; for one listener."""
        try:
            while (frame := await self._frames.get()) is not None:
                yield frame
        finally:
            self._alive.cancel()
            if not self._ended.is_set():
                asyncio.get_running_loop().call_later(self._grace, self.cancel)

    def cancel(self) -> None:
        """Stop generating: what there is is stored, and the stream ends."""
        if self._cancelled:  # once: a second time would tear the recording of what there is
            return
        self._cancelled = True
        if self._begun:  # a task that is cancelled before it runs would end without an event
            self._producing.cancel()

    async def ended(self) -> None:
        """Wait until the answer and its journal are complete."""
        await asyncio.gather(self._producing, self._journalling, return_exceptions=True)

    def _stay_alive(self) -> None:
        """Put a sign of life among the frames after each silence; one timer for all of them, not one per frame."""
        loop = asyncio.get_running_loop()
        silence = loop.time() - self._last_frame_at
        if silence >= KEEP_ALIVE_SECONDS:
            self._frames.put_nowait(KEEP_ALIVE)
            silence = 0.0
        self._alive = loop.call_later(KEEP_ALIVE_SECONDS - silence, self._stay_alive)

    async def _produce(self) -> None:
        number, self._begun, loop = 0, True, asyncio.get_running_loop()
        if self._cancelled:
            self._producing.cancel()
        try:
            async for event in self._events:
                number += 1
                frame = self._encode(number, event)
                self._unwritten.append(frame)
                self._frames.put_nowait(frame)
                self._last_frame_at = loop.time()
        finally:
            self._alive.cancel()
            self._ended.set()
            self._frames.put_nowait(None)

    async def _keep_journal(self) -> None:
        """Write in batches, so that no token waits for the journal; with each comes word whether somebody cancelled.

        All answers of a process write at the same moments, so that what they write can go together.
        """
        loop = asyncio.get_running_loop()
        while not self._ended.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout_at((loop.time() // _FLUSH_SECONDS + 1) * _FLUSH_SECONDS):
                    await self._ended.wait()
            batch, self._unwritten = self._unwritten, []
            if await self._journal.append(self.message_id, batch):
                self.cancel()
        if self._unwritten:  # what came while the last batch was being written
            await self._journal.append(self.message_id, self._unwritten)
