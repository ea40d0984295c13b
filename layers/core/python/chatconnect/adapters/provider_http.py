"""What both providers' clients share: patience, the connection beneath, and what a refusal means to us."""

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar
from urllib.request import getproxies

import orjson

from chatconnect.domain.addresses import DEFAULT_PORTS
from chatconnect.domain.errors import ProviderBusy, ProviderFailed
from chatconnect.domain.secret import Secret
from chatconnect.ports.tools import ToolFailed

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

    from chatconnect.adapters.http_transport import Resolve

MAX_RETRIES = 1  # an address that does not answer costs two connect timeouts: well below ten seconds
REJECTED = frozenset({401, 402, 403})
MOST_TOKENS = 100_000_000  # far more than any model reads or writes at once
BUSY = frozenset({429, 529})


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait for a provider, in seconds.

    `first_byte` counts from the call and includes every further try; `between_chunks` is the longest silence within
    an answer; `longest_wait` is the longest Retry-After that is waited out rather than passed on to the caller.
    """

    connect: float = 3.0
    first_byte: float = 20.0
    between_chunks: float = 20.0
    longest_wait: float = 3.0


class _Closable(Protocol):
    async def close(self) -> None: ...


Client = TypeVar("Client", bound=_Closable)


class ProviderAccount(ABC, Generic[Client]):
    """One key at one address. The vendor's client is made at first use and shared by everything that needs it."""

    MODULE: ClassVar[str]
    """What of the vendor's package is used."""

    def __init__(
        self,
        key: Secret,
        base_url: str | None = None,
        timeouts: Timeouts | None = None,
        resolve: "Resolve | None" = None,
    ) -> None:
        self.key, self.base_url = key, base_url
        self.timeouts, self._resolve = timeouts or Timeouts(), resolve
        self._client: Client | None = None

    async def client(self) -> Client:
        """Return the client. The first call imports the vendor's package, in a thread: it takes seconds."""
        if self._client is None:
            await asyncio.to_thread(import_module, self.MODULE)
        if self._client is None:
            self._client = self.open(open_http_client(self.timeouts, self._resolve))
        return self._client

    @abstractmethod
    def open(self, http: "httpx2.AsyncClient") -> Client:
        """Return a client that sends through `http`."""

    async def aclose(self) -> None:
        """Close the connections; the next use opens new ones."""
        client, self._client = self._client, None
        if client:
            await client.close()


def open_http_client(timeouts: Timeouts, resolve: "Resolve | None" = None) -> "httpx2.AsyncClient":
    """Return the HTTP client for a provider's own client to send through.

    `resolve` gives the address to connect to, or raises where a host may not be reached; without it the system decides.
    It sends directly unless the environment names a proxy, which only httpx2's own transport knows how to use.
    Silence is watched by whoever reads, so that there is one clock per answer and not two.
    """
    import httpx2

    from chatconnect.adapters.http_transport import DirectClient

    def pass_on_long_wait(response: httpx2.Response) -> None:
        if (retry_after_of(response.headers) or 0) > timeouts.longest_wait:
            response.headers["x-should-retry"] = "false"  # both vendors' clients obey this header

    async def pass_on_long_waits(response: httpx2.Response) -> None:
        pass_on_long_wait(response)

    way = None if resolve is None else _as_connection(resolve)

    async def refuse_host(request: httpx2.Request) -> None:
        if way is not None:  # the proxy asks the name server itself; this is as near as it gets
            await way(request.url.host, request.url.port or DEFAULT_PORTS[request.url.scheme])

    limits = httpx2.Timeout(None, connect=timeouts.connect)
    if not getproxies():
        return DirectClient(timeout=limits, on_response=pass_on_long_wait, resolve=way)
    return httpx2.AsyncClient(
        timeout=limits,
        event_hooks={"request": [refuse_host], "response": [pass_on_long_waits]},
        follow_redirects=False,
    )


def _as_connection(resolve: "Resolve") -> "Resolve":
    """Return the same with its refusals as failures to connect, which the vendors' clients know."""
    import httpx2

    async def resolved(host: str, port: int) -> str:
        try:
            return await resolve(host, port)
        except ToolFailed:
            raise httpx2.ConnectError("this host may not be reached") from None

    return resolved


async def posted(
    client: "AsyncOpenAI | AsyncAnthropic", path: str, body: Mapping[str, Any], *, stream: bool = False
) -> "httpx2.Response":
    """Send a request through a vendor's client and return the response as it came; with `stream` it is not read yet.

    Address, key, retries and errors are the client's. Its methods for each kind of request would also look through
    every text for what they might have to transform, and parse the answer.
    """
    import httpx2

    response: httpx2.Response = await client.post(
        path,
        cast_to=httpx2.Response,
        content=orjson.dumps(body),
        options={"headers": {"Content-Type": "application/json"}},
        stream=stream,
    )
    return response


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a provider asks us to wait: given in milliseconds, in seconds, or as a date."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with suppress(KeyError, ValueError):
            seconds = float(headers[name]) * unit
            return max(0.0, seconds) if math.isfinite(seconds) else None
    with suppress(KeyError, ValueError, TypeError):
        when = parsedate_to_datetime(headers["retry-after"])
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    return None


def token_counts(told: object) -> dict[str, int]:
    """Return those of a provider's figures that can be counts of tokens.

    The provider may be a tenant's own server, and its figures count against the caps that hold for all of the tenant.
    """
    figures = told.items() if isinstance(told, dict) else ()
    return {name: count for name, count in figures if type(count) is int and 0 <= count <= MOST_TOKENS}


def refusal(status: int, headers: Mapping[str, str]) -> ProviderBusy | ProviderFailed:
    """Return our error for a provider's answer of `status` (400 or above)."""
    if status in BUSY:
        return ProviderBusy(retry_after_of(headers))
    return ProviderFailed("provider_rejected" if status in REJECTED else None)
