"""Server-Sent Events as the providers send them: read raw, line by line."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, Protocol, cast

from chatconnect.adapters.provider_account import Body
from chatconnect.adapters.provider_http import Timeouts
from chatconnect.domain.errors import ChatConnectError, ProviderBusy, ProviderFailed
from chatconnect.ports.models import Delta, TextDelta

MAX_LINE = 1024 * 1024
MAX_STREAM = 64 * MAX_LINE  # far more than the longest answer takes
DRAIN_SECONDS = 0.25


class EventReader(Protocol):
    """Reads the events of one answer; `done` says that the last one was read."""

    done: bool

    def take(self, payload: bytes) -> Delta | None:
        """Read one event and return the piece that it brings, if any. Raises ProviderBusy and ProviderFailed."""


@asynccontextmanager
async def open_events(call: Awaitable[Body], timeouts: Timeouts) -> AsyncGenerator[AsyncGenerator[list[bytes]]]:
    """Make the call and give the payloads of the `data:` lines of its answer, unparsed, as many as came together.

    Leaving early closes the connection at once; leaving normally reads the little that follows the last event,
    so that the connection can be used again.
    Raises TimeoutError, ProviderFailed for an endless line or stream, and whatever the vendor's client raises.
    """
    deadline = asyncio.get_running_loop().time() + timeouts.first_byte
    async with asyncio.timeout_at(deadline):
        body = await call
    try:
        async with aclosing(cast("AsyncGenerator[bytes]", aiter(body))) as chunks:
            async with aclosing(_payloads(chunks, deadline, timeouts.between_chunks)) as payloads:
                yield payloads
            await _drain(chunks)
    finally:
        await body.aclose()


async def _payloads(
    chunks: AsyncGenerator[bytes], deadline: float, between_chunks: float
) -> AsyncGenerator[list[bytes]]:
    rest, left = b"", MAX_STREAM
    with SilenceWatch(deadline, between_chunks) as watch:
        while True:
            chunk = await watch.next(chunks)
            *lines, rest = (rest + (b"\n" if chunk is None else chunk)).split(b"\n")
            left -= len(chunk or b"")
            if len(rest) > MAX_LINE or left < 0:
                raise ProviderFailed
            yield [line[5:].strip() for line in lines if line.startswith(b"data:")]
            if chunk is None:
                return


def brought_by(payloads: Iterable[bytes], reader: EventReader) -> Iterator[Delta]:
    """Yield what events bring that came together, their text in one piece: each piece has a long way to the visitor.

    Raises what the reader does, once all that came before is handed on.
    """
    texts: list[str] = []
    fault: ChatConnectError | None = None
    for payload in payloads:
        try:
            piece = reader.take(payload)
        except (ProviderBusy, ProviderFailed) as error:
            fault = error
            break
        if isinstance(piece, TextDelta):
            texts.append(piece.text)
        elif piece is not None:
            if texts:
                yield TextDelta("".join(texts))
                texts.clear()
            yield piece
        if reader.done:
            break
    if texts:
        yield TextDelta("".join(texts))
    if fault is not None:
        raise fault


class SilenceWatch:
    """Ends a wait for a piece that does not come in time; one timer for the whole stream, not one for each piece.

    The first piece has to come by `deadline` (the loop's time), each other `between` seconds after the one before it.
    """

    def __init__(self, deadline: float, between: float) -> None:
        self._deadline, self._between = deadline, between
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Task[Any] | None = None
        self._expired, self._cancelling = False, 0

    def __enter__(self) -> "SilenceWatch":
        self._timer = self._loop.call_at(self._deadline, self._look)
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    async def next(self, pieces: AsyncGenerator[bytes]) -> bytes | None:
        """Return the next piece, None at the end. Raises TimeoutError."""
        self._waiting = asyncio.current_task()
        try:
            return await anext(pieces, None)
        except asyncio.CancelledError:
            # As in asyncio.timeout: only a cancellation that nobody else wants too is ours.
            if self._expired and self._waiting is not None and self._waiting.uncancel() <= self._cancelling:
                raise TimeoutError from None
            raise
        finally:
            self._waiting = None
            self._deadline = self._loop.time() + self._between

    def _look(self) -> None:
        now = self._loop.time()
        if now < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look)
        elif self._waiting is None:  # whoever reads is busy with the last piece
            self._timer = self._loop.call_at(now + self._between, self._look)
        else:
            self._expired, self._cancelling = True, self._waiting.cancelling()
            self._waiting.cancel()


async def _drain(chunks: AsyncGenerator[bytes]) -> None:
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in chunks:
                pass
    except TimeoutError:
        pass  # it says nothing more and does not close: the connection is given up
