"""A client for many event streams at once, straight on asyncio: every token is counted and timed as it arrives."""

import asyncio
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import cast

import httptools

HOST = "127.0.0.1"
PATIENCE = 180.0  # seconds for one whole answer: some of what is compared needs more than a minute under load
_STAMP = re.compile(rb"@(\d+)-(\d+)(?!\d)")
_MS = 1e-6


@dataclass(slots=True)
class Exchange:
    """One question and its answer. Times are in nanoseconds of the monotonic clock."""

    asked: int
    status: int = 0
    first_token: int = 0
    provider: int = 0
    lags: list[int] = field(default_factory=list)
    ends: int = 0
    fault: str = ""

    @property
    def added_ms(self) -> float:
        """What was added to the provider's own time until the first token was here."""
        return (self.first_token - self.asked - self.provider) * _MS


@dataclass(frozen=True, slots=True)
class Result:
    """What a round of load came to."""

    seconds: float
    exchanges: Sequence[Exchange]
    tokens: int
    most_open: int

    def failures(self) -> list[str]:
        """Say of each exchange that is not whole what is wrong with it: one missing token is an error."""
        return [fault for exchange in self.exchanges if (fault := self._fault(exchange))]

    def _fault(self, exchange: Exchange) -> str:
        if exchange.fault or exchange.status != 200:
            return exchange.fault or f"status {exchange.status}"
        if len(exchange.lags) != self.tokens or exchange.ends != 1:
            return f"{len(exchange.lags)} tokens, {exchange.ends} ends"
        return ""

    @property
    def whole(self) -> list[Exchange]:
        """The exchanges that nothing is wrong with."""
        return [exchange for exchange in self.exchanges if not self._fault(exchange)]

    def added(self) -> dict[int, float | None]:
        """Return percentiles of the added time to first token, in milliseconds."""
        return percentiles([exchange.added_ms for exchange in self.whole])

    def figures(self) -> dict[str, float | None]:
        """Return the added time to first token, and the lag of every token behind its provider, in milliseconds."""
        whole, added = self.whole, self.added()
        lag = percentiles([lag * _MS for exchange in whole for lag in exchange.lags])
        return {
            "turns": len(whole),
            "most_open": self.most_open,
            "turns_per_second": round(len(whole) / self.seconds, 1),
            "added_p50_ms": added[50],
            "added_p99_ms": added[99],
            "lag_p50_ms": lag[50],
            "lag_p99_ms": lag[99],
        }


def percentiles(values: Sequence[float]) -> dict[int, float | None]:
    """Return the 50th and the 99th percentile; of fewer than two values there are none."""
    if len(values) < 2:
        return {50: None, 99: None}
    cuts = quantiles(values, n=100, method="inclusive")
    return {50: round(cuts[49], 2), 99: round(cuts[98], 2)}


class Stream(asyncio.Protocol):
    """One listener's connection, used for one exchange after the other."""

    def __init__(self, end: bytes) -> None:
        self._end = end
        self._transport: asyncio.Transport
        self._finished: asyncio.Future[None] | None = None
        self.exchange = Exchange(0)

    async def ask(self, request: bytes) -> Exchange:
        """Send a request and read its answer to the end."""
        self._parser = httptools.HttpResponseParser(self)
        self._unread, self._arrived = b"", 0
        self._finished = asyncio.get_running_loop().create_future()
        self.exchange = Exchange(time.monotonic_ns())
        self._transport.write(request)
        try:
            async with asyncio.timeout(PATIENCE):
                await self._finished
        except (TimeoutError, ConnectionError) as error:
            self.exchange.fault = self.exchange.fault or repr(error)
        return self.exchange

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._finished is not None and not self._finished.done():
            self._finished.set_exception(ConnectionResetError("closed early"))

    def data_received(self, data: bytes) -> None:
        self._arrived = time.monotonic_ns()
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        exchange = self.exchange
        *events, self._unread = (self._unread + body).split(b"\n\n")
        for event in events:
            if self._end in event:
                exchange.ends += 1
            elif b"event: error" in event:
                exchange.fault = event.decode()
            else:
                self._take_tokens(event)

    def _take_tokens(self, event: bytes) -> None:
        exchange = self.exchange
        for found in _STAMP.finditer(event):  # whoever joins tokens in one event has not lost them
            received, sent = int(found[1]), int(found[2])
            if not exchange.first_token:
                exchange.first_token, exchange.provider = self._arrived, sent - received
            exchange.lags.append(self._arrived - sent)

    def on_message_complete(self) -> None:
        self.exchange.status = self._parser.get_status_code()
        if self.exchange.status != 200:
            self.exchange.fault = self._unread.decode(errors="replace")[:300]
        if self._finished is not None and not self._finished.done():
            self._finished.set_result(None)


async def load(
    port: int, request: Callable[[int], bytes], *, streams: int, turns: int, tokens: int, end: bytes, spread: float
) -> Result:
    """Keep `streams` listeners busy with `turns` questions each, the first of which come spread over some seconds.

    `request(n)` gives the bytes of listener n's next request; `end` is what an answer's last event holds.
    """
    loop, chance = asyncio.get_running_loop(), random.Random(streams)
    are_open = most_open = 0

    async def listener(number: int) -> list[Exchange]:
        nonlocal are_open, most_open
        await asyncio.sleep(chance.uniform(0, spread))
        _, stream = await loop.create_connection(lambda: Stream(end), HOST, port)
        are_open += 1
        most_open = max(most_open, are_open)
        try:
            return [await stream.ask(request(number)) for _ in range(turns)]
        finally:
            are_open -= 1
            stream.close()

    begin = time.perf_counter()
    answers = await asyncio.gather(*(listener(number) for number in range(streams)))
    return Result(time.perf_counter() - begin, [one for some in answers for one in some], tokens, most_open)


def post(path: str, port: int, body: bytes, headers: Sequence[str] = ()) -> bytes:
    """Return the bytes of a POST request with a JSON body."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}:{port}", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body
