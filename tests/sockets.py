"""A WebSocket client, as far as tests need one."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    CloseConnection,
    Event,
    RejectConnection,
    Request,
    TextMessage,
)


class Refused(Exception):
    """The server did not let the connection be opened."""


class Socket:
    """An open connection. Messages are JSON objects."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._events: list[Event] = []

    async def handshake(self, host: str, target: str, origin: str | None) -> None:
        headers = [(b"origin", origin.encode())] if origin else []
        self._write(Request(host=host, target=target, extra_headers=headers))
        answer = await self._next()
        if not isinstance(answer, AcceptConnection):
            raise Refused(type(answer).__name__)

    async def say(self, message: Any) -> Any:
        """Send a message and return the answer, which is told from what is pushed by its being no message of a type."""
        self._write(TextMessage(data=message if isinstance(message, str) else json.dumps(message)))
        while "type" in (heard := await self.hear()):
            pass
        return heard

    async def hear(self, seconds: float = 30) -> Any:
        """Return the next message. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            text = ""
            while True:
                event = await self._next()
                if isinstance(event, CloseConnection | RejectConnection):
                    raise Refused(type(event).__name__)
                if isinstance(event, TextMessage):
                    text += event.data
                    if event.message_finished:
                        return json.loads(text)

    async def heard_until(self, wanted: dict[str, Any], seconds: float = 30) -> list[dict[str, Any]]:
        """Return what is said of documents up to the message that has all that is wanted."""
        heard: list[dict[str, Any]] = []
        async with asyncio.timeout(seconds):
            while not heard or wanted.items() - {name: heard[-1].get(name) for name in wanted}.items():
                message = await self.hear(seconds)
                assert message["type"] == "document"
                heard.append(message["document"])
        return heard

    async def close(self) -> None:
        if self._protocol.state is ConnectionState.OPEN:
            self._write(CloseConnection(code=1000))
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    def _write(self, event: Event) -> None:
        self._writer.write(self._protocol.send(event))

    async def _next(self) -> Event:
        while not self._events:
            data = await self._reader.read(65_536)
            self._protocol.receive_data(data or None)
            self._events = list(self._protocol.events())
        return self._events.pop(0)


@asynccontextmanager
async def connected(url: str, token: str, *, origin: str | None = None) -> AsyncIterator[Socket]:
    """Connect with a token. Raises Refused."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    socket = Socket(reader, writer)
    try:
        await socket.handshake(parts.netloc, f"{parts.path}?token={token}", origin)
        yield socket
    finally:
        await socket.close()
