"""The floor: a provider's stream passed on by asyncio and httptools alone, with nothing between them and uvicorn."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import urlsplit

import httptools

APP = "bench.raw_relay:app"

_provider = urlsplit(os.environ.get("PROVIDER_URL", "http://127.0.0.1:1/v1"))
_HEAD = (
    f"POST {_provider.path}/chat/completions HTTP/1.1\r\nHost: {_provider.netloc}\r\n"
    "Content-Type: application/json\r\nContent-Length: "
).encode()
_STREAM = [(b"content-type", b"text/event-stream")]


class Upstream(asyncio.Protocol):
    """A connection to the provider; carries one exchange after the other."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._waiter: asyncio.Future[None] | None = None
        self._pieces: list[bytes] = []
        self._complete = True

    @property
    def is_open(self) -> bool:
        """Whether another request may follow."""
        return not self._transport.is_closing()

    def ask(self, body: bytes) -> None:
        """Send a request."""
        self._parser, self._pieces, self._complete = httptools.HttpResponseParser(self), [], False
        self._transport.write(_HEAD + b"%d\r\n\r\n" % len(body) + body)

    async def read(self) -> bytes:
        """Return what has come of the answer, or wait for more; empty at its end."""
        while not self._pieces and not self._complete:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._complete = True
        self._wake()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)
        self._wake()

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)

    def on_message_complete(self) -> None:
        self._complete = True

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


_idle: list[Upstream] = []


async def _upstream() -> Upstream:
    if _idle:
        return _idle.pop()
    loop = asyncio.get_running_loop()
    _, upstream = await loop.create_connection(Upstream, _provider.hostname or "", _provider.port or 80)
    return upstream


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Pass a request's body to the provider and the provider's stream back."""
    if scope["type"] != "http":
        return  # uvicorn goes on without a lifespan
    if scope["path"] == "/health":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    upstream = await _upstream()
    upstream.ask(body)
    await send({"type": "http.response.start", "status": 200, "headers": _STREAM})
    while piece := await upstream.read():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if upstream.is_open:
        _idle.append(upstream)
    await send({"type": "http.response.body", "body": b""})
