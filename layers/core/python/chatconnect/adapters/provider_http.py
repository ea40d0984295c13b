"""What is the same for every provider: patience, the connection beneath, and what a refusal means to us."""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.request import getproxies

from chatconnect.domain.addresses import DEFAULT_PORTS
from chatconnect.domain.errors import ProviderBusy, ProviderFailed
from chatconnect.ports.tools import ToolFailed

if TYPE_CHECKING:
    import httpx2

    from chatconnect.adapters.http_connections import Resolve

MAX_RETRIES = 1  # an address that does not answer costs two connect timeouts: well below ten seconds
REJECTED = frozenset({401, 402, 403})
MOST_TOKENS = 100_000_000  # far more than any model reads or writes at once
BUSY = frozenset({429, 529})
_DAY = 86_400.0


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


def open_http_client(timeouts: Timeouts, resolve: "Resolve | None" = None) -> "httpx2.AsyncClient":
    """Return the HTTP client for a provider's own client to send through.

    `resolve` gives the address to connect to, or raises where a host may not be reached; without it the system decides.
    It sends directly unless the environment names a proxy, which only httpx2's own transport knows how to use.
    Silence is watched by whoever reads, so that there is one clock per answer and not two.
    """
    import httpx2

    from chatconnect.adapters.http_transport import DirectClient, DirectTransport

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
        return DirectClient(DirectTransport(way), timeout=limits, on_response=pass_on_long_wait)
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


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a provider asks us to wait: given in milliseconds, in seconds, or as a date."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with suppress(KeyError, ValueError):
            seconds = float(headers[name]) * unit
            return _within_a_day(seconds) if math.isfinite(seconds) else None
    with suppress(KeyError, ValueError, TypeError):
        when = parsedate_to_datetime(headers["retry-after"])
        return _within_a_day((when - datetime.now(UTC)).total_seconds())
    return None


def _within_a_day(seconds: float) -> float:
    return min(max(0.0, seconds), _DAY)


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
