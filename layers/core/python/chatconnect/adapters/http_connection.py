"""One HTTP/1.1 connection straight on asyncio: requests go out as they are, and responses come in piece by piece."""

import asyncio
import time
from collections import deque
from typing import cast

import httptools
import httpx2

Headers = list[tuple[bytes, bytes]]

IDLE_SECONDS = 30.0
HIGH_WATER = 256 * 1024


class HttpConnection(asyncio.Protocol):
    """One connection; carries one exchange at a time."""

    def __init__(self) -> None:
        self._idle_since = 0.0
        self._transport: asyncio.Transport
        self._waiter: asyncio.Future[None] | None = None
        self._lost = False
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.status = 0
        self.headers: Headers = []
        self._pieces: deque[bytes] = deque()
        self._buffered = 0
        self._head = self._complete = self._keep_alive = False
        self._fault: Exception | None = None

    @property
    def answered(self) -> bool:
        """Whether a byte of the response has come."""
        return bool(self.status)

    @property
    def reusable(self) -> bool:
        """Whether another request may follow on this connection."""
        return self._complete and self._keep_alive and not self._lost

    def rest(self) -> None:
        """Begin to wait for the next request."""
        self._idle_since = time.monotonic()

    def is_fresh(self) -> bool:
        """Whether an idle connection can still be trusted to be open."""
        return not self._lost and time.monotonic() - self._idle_since < IDLE_SECONDS

    async def send(self, message: bytes, patience: float | None) -> None:
        """Send a request and wait for the head of its response."""
        self._begin()
        self._transport.write(message)
        while not self._head:
            await self._more(patience)

    async def read(self, patience: float | None) -> bytes:
        """Return what has come of the body, or wait for more; empty at its end."""
        while not self._pieces and not self._complete:
            await self._more(patience)
        body = b"".join(self._pieces)
        self._pieces.clear()
        if self._buffered > HIGH_WATER:
            self._transport.resume_reading()
        self._buffered = 0
        return body

    def abort(self) -> None:
        """Close at once, without waiting for the peer."""
        self._transport.abort()

    async def _more(self, patience: float | None) -> None:
        if self._fault:
            raise self._fault
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            if patience is None:  # as for every piece of a stream: a timer that never ends is not free
                await self._waiter
                return
            async with asyncio.timeout(patience):
                await self._waiter
        except TimeoutError:
            raise httpx2.ReadTimeout("nothing came in time") from None
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection over."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read on; what is no HTTP ends the connection."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._fault = httpx2.RemoteProtocolError("not an HTTP response")
            self._transport.abort()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the response, or note that it breaks off."""
        self._lost = True
        if not self._complete:
            if self._head and not exc and self._ends_with_connection():
                self._complete = True
            else:
                self._fault = self._fault or httpx2.RemoteProtocolError("closed before the response was complete")
        self._wake()

    def _ends_with_connection(self) -> bool:
        return not any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in self.headers)

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Note that the head is there."""
        self.status = self._parser.get_status_code()
        if self.status < 200:  # "100 Continue": the real response follows
            self.headers.clear()
        else:
            self._head = True

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body; with much of it unread nothing more is taken in."""
        self._pieces.append(body)
        self._buffered += len(body)
        if self._buffered > HIGH_WATER:
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        """Note that the response is complete."""
        self._complete = self._head
        self._keep_alive = self._parser.should_keep_alive()  # the parser knows it only here
