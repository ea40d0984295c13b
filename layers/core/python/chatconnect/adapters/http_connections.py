"""Kept HTTP/1.1 connections, and what comes over them: the least that stands between a request and its answer."""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import httpx2

from chatconnect.adapters.http_connection import HttpConnection
from chatconnect.domain.addresses import DEFAULT_PORTS

Origin = tuple[str, str, int]
Resolve = Callable[[str, int], Awaitable[str]]
"""Gives the address to connect to for a host and port."""

IDLE_PER_ORIGIN = 100
_CONTENT_LENGTH = b"content-length"
_OK = 200


@dataclass(frozen=True, slots=True)
class Head:
    """A request without its body, ready to be sent any number of times.

    `connect` and `read` are the seconds to wait for a connection and for each piece of an answer; None: for ever.
    """

    origin: Origin
    lines: bytes
    connect: float | None = None
    read: float | None = None

    @classmethod
    def of(cls, request: httpx2.Request) -> "Head":
        """Return the head of a request, whatever the length of its body."""
        url, limits = request.url, request.extensions.get("timeout", {})
        lines = [request.method.encode() + b" " + url.raw_path + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in request.headers.raw if name.lower() != _CONTENT_LENGTH]
        origin = (url.scheme, url.host, url.port or DEFAULT_PORTS[url.scheme])
        return cls(origin, b"\r\n".join(lines) + b"\r\n", limits.get("connect"), limits.get("read"))

    def with_body(self, body: bytes) -> bytes:
        """Return the whole request."""
        return b"%bcontent-length: %d\r\n\r\n%b" % (self.lines, len(body), body)

    def without_body(self) -> bytes:
        """Return the whole request, which carries nothing."""
        return self.lines + b"\r\n"


class HttpConnections:
    """Connections of one event loop, kept by origin and used again.

    `resolve` decides to which address a host's connection goes, and whatever it raises reaches the caller; without it
    the system decides. Of an origin's connections that are not in use at most `kept` stay open.
    """

    def __init__(self, resolve: Resolve | None = None, *, kept: int = IDLE_PER_ORIGIN) -> None:
        self._resolve, self._kept = resolve, kept
        self._idle: defaultdict[Origin, list[HttpConnection]] = defaultdict(list)
        self._tls: ssl.SSLContext | None = None

    async def send(self, head: Head, message: bytes) -> "Arriving":
        """Send a request and return what comes of it as soon as its head is there.

        Raises httpx2's ConnectError, ConnectTimeout, ReadTimeout, ReadError and RemoteProtocolError.
        """
        if connection := self._take_idle(head.origin):
            try:
                return await self._exchange(connection, head, message)
            except httpx2.RemoteProtocolError:
                if connection.answered:
                    raise  # otherwise the server had just closed an idle connection: take a new one
        return await self._exchange(await self._connect(head), head, message)

    def release(self, origin: Origin, connection: HttpConnection) -> None:
        """Keep a connection whose response was read to its end; drop any other."""
        if connection.reusable and len(self._idle.get(origin, ())) < self._kept:
            connection.rest()
            self._idle[origin].append(connection)
        else:
            connection.abort()

    def close(self) -> None:
        """Close the idle connections; those in use close when what arrives over them does."""
        for connections in self._idle.values():
            for connection in connections:
                connection.abort()
        self._idle.clear()

    async def _exchange(self, connection: HttpConnection, head: Head, message: bytes) -> "Arriving":
        try:
            await connection.send(message, head.read)
        except BaseException:
            connection.abort()
            raise
        return Arriving(self, head, connection)

    def _take_idle(self, origin: Origin) -> HttpConnection | None:
        while idle := self._idle.get(origin):
            connection = idle.pop()
            if connection.is_fresh():
                return connection
            connection.abort()
        return None

    async def _connect(self, head: Head) -> HttpConnection:
        scheme, host, port = head.origin
        loop = asyncio.get_running_loop()
        tls = await self._tls_context() if scheme == "https" else None
        try:
            async with asyncio.timeout(head.connect):
                address = await self._resolve(host, port) if self._resolve else host
                _, connection = await loop.create_connection(
                    HttpConnection, address, port, ssl=tls, server_hostname=host if tls else None
                )
        except TimeoutError:
            raise httpx2.ConnectTimeout("no connection in time") from None
        except OSError as error:
            raise httpx2.ConnectError("no connection") from error
        return connection

    async def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = await asyncio.to_thread(httpx2.create_ssl_context)
        return self._tls


class Arriving(httpx2.AsyncByteStream):
    """A response whose head is there; its body comes as it is read. Closing it early closes the connection at once."""

    def __init__(self, connections: HttpConnections, head: Head, connection: HttpConnection) -> None:
        self.status, self.headers = connection.status, connection.headers
        self._connections, self._head = connections, head
        self._connection: HttpConnection | None = connection

    @property
    def is_plain(self) -> bool:
        """Whether this is an answer that can be read as it is: a success, and not compressed."""
        return self.status == _OK and not any(name.lower() == b"content-encoding" for name, _ in self.headers)

    def response(self) -> httpx2.Response:
        """Return it as the response that an httpx2 client works with; it reads and closes this one."""
        return httpx2.Response(self.status, headers=self.headers, stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._connection and (piece := await self._connection.read(self._head.read)):
            yield piece

    async def read(self) -> bytes:
        """Return the whole body, and close. Raises httpx2.HTTPError when it breaks off."""
        try:
            return b"".join([piece async for piece in self])
        finally:
            await self.aclose()

    async def aclose(self) -> None:
        """Give the connection back, or close it when not all of the body was read."""
        if self._connection:
            connection, self._connection = self._connection, None
            self._connections.release(self._head.origin, connection)
