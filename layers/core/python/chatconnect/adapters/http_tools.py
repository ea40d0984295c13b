"""Calls tenants' own tools over HTTP, to public addresses only."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from chatconnect.adapters.public_connections import PublicConnections
from chatconnect.domain.addresses import origin_of
from chatconnect.domain.tool import HttpTool
from chatconnect.ports.tools import ToolFailed

if TYPE_CHECKING:
    import httpx2

MAX_BODY = 64 * 1024
CALL_SECONDS = 10.0
MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BODILESS = frozenset({"GET", "DELETE"})


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


class PublicHttpCalls:
    """Makes the calls. Every request, a redirect's too, has a connection of its own to a public address.

    `allow_loopback` is for one machine: see PublicConnections.
    """

    def __init__(self, *, allow_loopback: bool = False) -> None:
        self._connections = PublicConnections(party="endpoint", allow_loopback=allow_loopback)

    async def call(self, tool: HttpTool, arguments: Mapping[str, Any]) -> str:
        """Return the body of a good answer, at most 64 kB, as text. Raises ToolFailed."""
        request = _request(tool, arguments)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await self._follow(request)
        except TimeoutError:
            raise ToolFailed(f"the endpoint did not answer within {CALL_SECONDS:.0f} seconds") from None

    async def aclose(self) -> None:
        """Close the connections that are not in use."""
        await self._connections.aclose()

    async def _follow(self, request: _Request) -> str:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._connections.ask(request.method, request.url, request.headers, request.body)
            try:
                location = answer.headers.get("location")
                if answer.status_code not in _REDIRECTS or not location:
                    return await self._text(answer)
            finally:
                await answer.aclose()
            request = _redirected(request, answer.status_code, location)
        raise ToolFailed(f"the endpoint redirected more than {MAX_REDIRECTS} times")

    async def _text(self, answer: "httpx2.Response") -> str:
        body = await self._connections.read(answer, MAX_BODY)
        if not 200 <= answer.status_code < 300:
            raise ToolFailed(f"the endpoint answered with status {answer.status_code}")
        return body.decode(errors="replace")


def _request(tool: HttpTool, arguments: Mapping[str, Any]) -> _Request:
    """Put the arguments where they belong: those in the URL there, the others in the query or the JSON body."""
    places = {place: _written(arguments.get(place)) for place in tool.places}
    url = tool.url
    for place, value in places.items():
        url = url.replace(f"{{{place}}}", quote(value, safe="", errors="replace"))
    if any(segment in (".", "..") for segment in urlsplit(url).path.split("/")):
        raise ToolFailed("an argument would lead to another path")
    rest = {name: value for name, value in arguments.items() if name not in places}
    headers = {"accept": "application/json, text/*;q=0.9", "user-agent": "ChatConnect"}
    headers |= {name.lower(): value.reveal() for name, value in tool.headers.items()}
    if tool.method in _BODILESS:
        query = urlencode({name: _written(value) for name, value in rest.items()}, errors="replace")
        joined = f"{url}{'&' if '?' in url else '?'}{query}" if query else url
        return _Request(tool.method, joined, _plain(headers))
    return _Request(tool.method, url, _plain(headers | {"content-type": "application/json"}), json.dumps(rest).encode())


def _plain(headers: Mapping[str, str]) -> dict[str, str]:
    return {**headers, "accept-encoding": "identity"}


def _written(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _redirected(request: _Request, status: int, location: str) -> _Request:
    """Return the request that a redirect asks for; another origin gets none of the tenant's headers."""
    import httpx2

    try:
        target = str(httpx2.URL(request.url).join(location))
    except (httpx2.InvalidURL, ValueError):
        raise ToolFailed("the endpoint redirected to no address") from None
    moved = replace(request, url=target)
    if origin_of(target) != origin_of(request.url):
        kept = {name: request.headers[name] for name in ("accept", "user-agent", "content-type", "accept-encoding")
                if name in request.headers}  # fmt: skip
        moved = replace(moved, headers=kept)
    if status in (301, 302, 303) and request.method not in ("GET", "HEAD"):
        without_body = {name: value for name, value in moved.headers.items() if name != "content-type"}
        moved = replace(moved, method="GET", body=b"", headers=without_body)
    return moved
