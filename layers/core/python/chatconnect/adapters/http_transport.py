"""HTTP/1.1 straight on asyncio: the providers' own clients send through it, at half the usual cost of a stream.

A client takes it as `httpx2.AsyncClient(transport=DirectTransport())`. It keeps connections alive, speaks TLS,
and leaves redirects, retries and errors to the client above it. It knows no proxies and no HTTP/2.
"""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2

from chatconnect.adapters.http_connection import HttpConnection
from chatconnect.domain.addresses import DEFAULT_PORTS

Origin = tuple[str, str, int]
Resolve = Callable[[str, int], Awaitable[str]]
"""Gives the address to connect to for a host and port."""

IDLE_PER_ORIGIN = 100


class DirectTransport(httpx2.AsyncBaseTransport):
    """Connections of one event loop, kept by origin and used again.

    `resolve` decides to which address a host's connection goes, and whatever it raises reaches the caller; without it
    the system decides. Of an origin's connections that are not in use at most `kept` stay open.
    """

    def __init__(self, resolve: Resolve | None = None, *, kept: int = IDLE_PER_ORIGIN) -> None:
        self._resolve, self._kept = resolve, kept
        self._idle: defaultdict[Origin, list[HttpConnection]] = defaultdict(list)
        self._tls: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request and return the response as soon as its head is there.

        Raises httpx2's ConnectError, ConnectTimeout, ReadTimeout, ReadError and RemoteProtocolError.
        """
        message = _request_bytes(request, await request.aread())
        limits = request.extensions.get("timeout", {})
        origin = (request.url.scheme, request.url.host, request.url.port or DEFAULT_PORTS[request.url.scheme])
        if connection := self._take_idle(origin):
            try:
                return await self._exchange(connection, origin, message, limits.get("read"))
            except httpx2.RemoteProtocolError:
                if connection.answered:
                    raise  # otherwise the server had just closed an idle connection: take a new one
        connection = await self._connect(origin, limits.get("connect"))
        return await self._exchange(connection, origin, message, limits.get("read"))

    async def _exchange(
        self, connection: HttpConnection, origin: Origin, message: bytes, patience: float | None
    ) -> httpx2.Response:
        try:
            await connection.send(message, patience)
        except BaseException:
            connection.abort()
            raise
        body = _Body(self, origin, connection, patience)
        return httpx2.Response(connection.status, headers=connection.headers, stream=body)

    def _take_idle(self, origin: Origin) -> HttpConnection | None:
        while idle := self._idle.get(origin):
            connection = idle.pop()
            if connection.is_fresh():
                return connection
            connection.abort()
        return None

    async def _connect(self, origin: Origin, patience: float | None) -> HttpConnection:
        scheme, host, port = origin
        loop = asyncio.get_running_loop()
        tls = await self._tls_context() if scheme == "https" else None
        try:
            async with asyncio.timeout(patience):
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

    def release(self, origin: Origin, connection: HttpConnection) -> None:
        """Keep a connection whose response was read to its end; drop any other."""
        if connection.reusable and len(self._idle.get(origin, ())) < self._kept:
            connection.rest()
            self._idle[origin].append(connection)
        else:
            connection.abort()

    async def aclose(self) -> None:
        """Close the idle connections; those in use close when their response does."""
        for connections in self._idle.values():
            for connection in connections:
                connection.abort()
        self._idle.clear()


class DirectClient(httpx2.AsyncClient):
    """A client for one server's API, for a vendor's client to send through: a third of the usual work per request.

    What the request says is what is sent: no headers of its own (so no compression either), no cookies, no redirects,
    no authentication flow and no hooks, none of which such APIs need. `on_response` sees each response first.
    """

    def __init__(
        self,
        *,
        timeout: httpx2.Timeout,
        on_response: Callable[[httpx2.Response], None],
        resolve: Resolve | None = None,
    ) -> None:
        self._direct = DirectTransport(resolve)
        self._on_response = on_response
        super().__init__(transport=self._direct, timeout=timeout)

    def build_request(self, method: str, url: httpx2.URL | str, **parts: Any) -> httpx2.Request:
        """Return the request; one with more than headers and content is built as usual."""
        content, headers = parts.pop("content", None), parts.pop("headers", None)
        timeout = parts.pop("timeout", None)
        if any(parts.values()) or not isinstance(timeout, httpx2.Timeout):
            return super().build_request(method, url, content=content, headers=headers, timeout=timeout, **parts)
        extensions = {"timeout": timeout.as_dict()}
        return httpx2.Request(method, url, content=content, headers=headers, extensions=extensions)

    async def send(self, request: httpx2.Request, *, stream: bool = False, **_: Any) -> httpx2.Response:
        """Send the request; without `stream` the response is read. Raises what the transport raises."""
        response = await self._direct.handle_async_request(request)
        response.request = request
        try:
            self._on_response(response)
            if not stream:
                await response.aread()
        except BaseException:
            await response.aclose()
            raise
        return response


class _Body(httpx2.AsyncByteStream):
    """The body of one response, in pieces as they arrive; closing it early closes the connection at once."""

    def __init__(
        self, transport: DirectTransport, origin: Origin, connection: HttpConnection, patience: float | None
    ) -> None:
        self._transport, self._origin, self._patience = transport, origin, patience
        self._connection: HttpConnection | None = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self._connection and (piece := await self._connection.read(self._patience)):
            yield piece

    async def aclose(self) -> None:
        if self._connection:
            connection, self._connection = self._connection, None
            self._transport.release(self._origin, connection)


def _request_bytes(request: httpx2.Request, body: bytes) -> bytes:
    lines = [request.method.encode() + b" " + request.url.raw_path + b" HTTP/1.1"]
    lines += [name + b": " + value for name, value in request.headers.raw]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
