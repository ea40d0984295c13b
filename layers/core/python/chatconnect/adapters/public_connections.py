"""The way to whatever tenants have us reach: over HTTP, at public addresses alone."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from chatconnect.adapters.public_addresses import public_address
from chatconnect.ports.tools import ToolFailed

if TYPE_CHECKING:
    import httpx2

    from chatconnect.adapters.http_transport import DirectTransport

CONNECT_SECONDS = 3.0


class PublicConnections:
    """Sends requests, each to an address that was checked just before. There are no cookies, proxies or redirects.

    `party` is what failures call whoever is asked. `kept`: how many connections of an origin are used again; with none
    every request has its own, so that none is sent twice because a kept connection had died. `allow_loopback` is for
    one machine: with it this computer's own addresses count as public, and plain http will do.
    """

    def __init__(self, *, party: str = "server", kept: int = 0, allow_loopback: bool = False) -> None:
        self._party, self._kept, self._allow_loopback = party, kept, allow_loopback
        self._transport: DirectTransport | None = None

    async def ask(self, method: str, url: str, headers: Mapping[str, str], content: bytes = b"") -> "httpx2.Response":
        """Make a request and send it as `send` does. Raises ToolFailed."""
        import httpx2

        try:
            request = httpx2.Request(method, url, headers=dict(headers), content=content)
        except (httpx2.InvalidURL, ValueError):
            raise self._unusable_address() from None
        request.extensions["timeout"] = {"connect": CONNECT_SECONDS}
        return await self.send(request)

    async def send(self, request: "httpx2.Request") -> "httpx2.Response":
        """Return the response, which is to be closed, as soon as its head is there. Raises ToolFailed."""
        import httpx2

        if request.url.scheme != "https" and not (request.url.scheme == "http" and self._allow_loopback):
            raise ToolFailed(f"the {self._party}'s address is not https")
        if not request.url.host or request.url.userinfo:
            raise self._unusable_address()
        try:
            return await self._connections().handle_async_request(request)
        except httpx2.HTTPError:
            raise self._broken_off() from None

    async def read(self, answer: "httpx2.Response", most: int) -> bytes:
        """Return a body of at most so many bytes, which may not be compressed. Raises ToolFailed."""
        import httpx2

        if is_compressed(answer):
            raise ToolFailed(f"the {self._party} answered in a compressed form")
        body = bytearray()
        try:
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > most:
                    raise ToolFailed(f"the {self._party} answered with more than {most // 1024:,} kB")
        except httpx2.HTTPError:
            raise self._broken_off() from None
        return bytes(body)

    async def aclose(self) -> None:
        """Close the connections that are not in use."""
        if self._transport is not None:
            await self._transport.aclose()

    def _connections(self) -> "DirectTransport":
        if self._transport is None:
            from chatconnect.adapters.http_transport import DirectTransport

            resolve = partial(public_address, allow_loopback=self._allow_loopback)
            self._transport = DirectTransport(resolve, kept=self._kept)
        return self._transport

    def _unusable_address(self) -> ToolFailed:
        return ToolFailed(f"the {self._party}'s address cannot be used")

    def _broken_off(self) -> ToolFailed:
        return ToolFailed(f"the {self._party} could not be reached, or broke off")


def is_compressed(answer: "httpx2.Response") -> bool:
    """Say whether a body would have to be unpacked, into whatever size."""
    return answer.headers.get("content-encoding", "identity") != "identity"
