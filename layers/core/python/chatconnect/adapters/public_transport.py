"""An HTTP transport that reaches the public internet alone and takes in so much and no more."""

from collections.abc import AsyncIterator

import httpx2

from chatconnect.adapters.public_connections import PublicConnections, is_compressed
from chatconnect.domain.addresses import origin_of
from chatconnect.domain.errors import Invalid
from chatconnect.ports.tools import ToolFailed

BAD_GATEWAY = 502


class PublicTransport(httpx2.AsyncBaseTransport):
    """The transport of one client. A body of more than `max_body` bytes breaks off, and none may be compressed.

    What goes wrong is kept in words as `fault`, until a request succeeds, and comes as a response of status 502: the
    client above would turn an exception into the end of everything it is doing.
    """

    def __init__(self, connections: PublicConnections, *, max_body: int) -> None:
        self._connections, self._max_body = connections, max_body
        self.fault: str | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request and return the response, or one of status 502."""
        try:
            answer = await self._connections.send(request)
        except ToolFailed as failure:
            return self._failed(request, str(failure))
        if why := _refused(request, answer):
            await answer.aclose()
            return self._failed(request, why)
        status = answer.status_code
        self._note(request, f"the server answered with status {status}" if status >= 400 else None)
        return httpx2.Response(status, headers=answer.headers, stream=_Bounded(self, answer))

    async def pieces(self, answer: httpx2.Response) -> AsyncIterator[bytes]:
        """Yield a body as it comes. Raises httpx2.StreamError, which clients take for a body that is wrong."""
        left = self._max_body
        try:
            async for piece in answer.aiter_raw():
                left -= len(piece)
                if left < 0:
                    break
                yield piece
        except httpx2.HTTPError:
            self.fault = "the server broke off"
            raise httpx2.StreamError(self.fault) from None
        if left < 0:
            self.fault = f"the server answered with more than {self._max_body // 1024:,} kB"
            raise httpx2.StreamError(self.fault)

    def _failed(self, request: httpx2.Request, why: str) -> httpx2.Response:
        self._note(request, why)
        return httpx2.Response(BAD_GATEWAY)

    def _note(self, request: httpx2.Request, fault: str | None) -> None:
        if request.method == "POST":  # what is asked; the others only wait for news, or say goodbye
            self.fault = fault


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, transport: PublicTransport, answer: httpx2.Response) -> None:
        self._transport, self._answer = transport, answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._transport.pieces(self._answer):
            yield piece

    async def aclose(self) -> None:
        await self._answer.aclose()


def _refused(request: httpx2.Request, answer: httpx2.Response) -> str | None:
    """Return why a response is not to be passed on."""
    if is_compressed(answer):
        return "the server answered in a compressed form"
    location = answer.headers.get("location")
    if 300 <= answer.status_code < 400 and location is not None:
        try:
            target = str(request.url.join(location))
            moved = origin_of(target) != origin_of(str(request.url))
        except (httpx2.InvalidURL, ValueError, Invalid):
            return "the server redirected to no address"
        return "the server redirected to another address" if moved else None
    return None
