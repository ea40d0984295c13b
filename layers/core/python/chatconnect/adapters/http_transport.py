"""HTTP/1.1 straight on asyncio: the providers' own clients send through it, at a fraction of the usual cost.

A client takes it as `httpx2.AsyncClient(transport=DirectTransport())`. It keeps connections alive, speaks TLS,
and leaves redirects, retries and errors to the client above it. It knows no proxies and no HTTP/2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from chatconnect.adapters.http_connections import IDLE_PER_ORIGIN, Arriving, Head, HttpConnections, Resolve

OnResponse = Callable[[httpx2.Response], None]


class DirectTransport(httpx2.AsyncBaseTransport):
    """What an httpx2 client sends through; see HttpConnections for `resolve` and `kept`."""

    def __init__(self, resolve: Resolve | None = None, *, kept: int = IDLE_PER_ORIGIN) -> None:
        self.connections = HttpConnections(resolve, kept=kept)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request and return the response as soon as its head is there. Raises as HttpConnections does."""
        body, head = await request.aread(), Head.of(request)
        message = head.with_body(body) if "content-length" in request.headers else head.without_body()
        return (await self.connections.send(head, message)).response()

    async def aclose(self) -> None:
        """Close the connections that are not in use."""
        self.connections.close()


class DirectClient(httpx2.AsyncClient):
    """A client for one server's API, for a vendor's client to send through: a third of the usual work per request.

    What the request says is what is sent: no headers of its own (so no compression either), no cookies, no redirects,
    no authentication flow and no hooks, none of which such APIs need. `on_response` sees each response first.
    """

    def __init__(self, transport: DirectTransport, *, timeout: httpx2.Timeout, on_response: OnResponse) -> None:
        self._direct, self._on_response = transport, on_response
        super().__init__(transport=transport, timeout=timeout)

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
        response = await self._answered(request)
        response.request = request
        try:
            self._on_response(response)
            if not stream:
                await response.aread()
        except BaseException:
            await response.aclose()
            raise
        return response

    async def repeat(self, head: Head, body: bytes, *, stream: bool) -> "Tried":
        """Send an earlier request once more, with another body; without `stream` the response is read."""
        try:
            arriving = await self._direct.connections.send(head, head.with_body(body))
            if not arriving.is_plain:
                return Tried(arriving)
            return Tried(arriving, body=arriving) if stream else Tried(arriving, content=await arriving.read())
        except httpx2.HTTPError as error:
            return Tried(error)

    def continued(self, tried: "Tried") -> "DirectClient":
        """Return a client over the same connections that has made its first try already."""
        return _Continued(tried, self._direct, timeout=self.timeout, on_response=self._on_response)

    async def _answered(self, request: httpx2.Request) -> httpx2.Response:
        return await self._direct.handle_async_request(request)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of sending a request: of a success the `body` as it comes, or the `content` if it has been read."""

    outcome: Arriving | httpx2.HTTPError
    body: Arriving | None = None
    content: bytes | None = None


class _Continued(DirectClient):
    """Answers the first request with what is there already."""

    def __init__(
        self, tried: Tried, transport: DirectTransport, *, timeout: httpx2.Timeout, on_response: OnResponse
    ) -> None:
        super().__init__(transport, timeout=timeout, on_response=on_response)
        self._tried: Tried | None = tried

    async def _answered(self, request: httpx2.Request) -> httpx2.Response:
        tried, self._tried = self._tried, None
        if tried is None:
            return await super()._answered(request)
        if isinstance(tried.outcome, httpx2.HTTPError):
            raise tried.outcome
        return tried.outcome.response()
