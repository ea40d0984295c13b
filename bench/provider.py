"""An OpenAI-compatible provider that answers by script, straight on asyncio, so that it costs next to nothing itself.

The model's name is the script: `scripted-24-0-0` answers with 24 tokens at once, `scripted-100-20-300` with the first
token after 300 ms and then one every 20 ms. Every token says when its request had come and when it was itself sent,
as ` @<received>-<sent>`, both in nanoseconds of the machine's monotonic clock, which all processes share.

Run as `python -m bench.provider --port N`.
"""

import argparse
import asyncio
import base64
import random
import signal
import sys
import time
import zlib
from array import array
from collections.abc import Callable, Sequence
from typing import Any, cast

import httptools
import orjson
import uvloop

from local.services.process import HOST, Service, http_ok

_VECTORS = 64  # that many different ones are made in advance; a text always gets the same
_HEAD = b"HTTP/1.1 %b\r\nContent-Type: %b\r\n"
_CHUNK = b'{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":%b,%b}]}'
_USAGE = b'{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":%b}'
_COUNTS = b'{"prompt_tokens":500,"completion_tokens":%d,"total_tokens":%d,"prompt_tokens_details":{"cached_tokens":%d}}'


def scripted(tokens: int, gap_ms: int = 0, first_ms: int = 0) -> str:
    """Return the name of the model that answers with so many tokens, so fast."""
    return f"scripted-{tokens}-{gap_ms}-{first_ms}"


class ScriptedProvider(Service):
    """The provider as a child process."""

    name, variable = "scripted-provider", "SCRIPTED_PROVIDER_PORT"

    @property
    def url(self) -> str:
        """OpenAI's base URL."""
        return f"http://{HOST}:{self.port}/v1"

    def command(self) -> Sequence[str]:
        """Return the program and its arguments."""
        return [sys.executable, "-m", "bench.provider", "--port", str(self.port)]

    async def is_ready(self) -> bool:
        """Say whether it answers."""
        return await http_ok(self.port, "/health")


class Connection(asyncio.Protocol):
    """One client's connection; carries one exchange at a time."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._path = self._body = b""
        self._received = 0
        self._answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._answering is not None:
            self._answering.cancel()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._path = self._body = b""

    def on_url(self, url: bytes) -> None:
        self._path += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._received = time.monotonic_ns()
        if self._path.endswith(b"/chat/completions"):
            self._answering = asyncio.create_task(self.answer(orjson.loads(self._body)))
        elif self._path.endswith(b"/embeddings"):
            self._whole(embeddings(orjson.loads(self._body)))
        else:
            self._whole(self.about(self._path))

    def about(self, _path: bytes) -> bytes:
        """Return the JSON that any other path is answered with."""
        return b"{}"

    async def answer(self, request: Any) -> None:
        """Stream the answer to a chat request."""
        _, tokens, gap_ms, first_ms = request["model"].split("-")
        self.begin()
        begin = asyncio.get_running_loop().time() + int(first_ms) / 1000
        for number in range(int(tokens)):
            delay = begin + number * int(gap_ms) / 1000 - asyncio.get_running_loop().time()
            if delay > 0:
                await asyncio.sleep(delay)
            self.say(b" @%d-%d" % (self._received, time.monotonic_ns()))
        self.end(int(tokens))

    def begin(self, head: bytes = b"200 OK") -> None:
        """Send the head of a stream."""
        self._transport.write(_HEAD % (head, b"text/event-stream") + b"Transfer-Encoding: chunked\r\n\r\n")

    def say(self, text: bytes) -> None:
        """Send a piece of the answer; `text` has nothing that JSON would escape."""
        self.event(_CHUNK % (b'{"content":"%b"}' % text, b'"finish_reason":null'))

    def end(self, tokens: int, cached: int = 0) -> None:
        """Send what ends an answer of so many tokens."""
        self.event(_CHUNK % (b"{}", b'"finish_reason":"stop"'))
        self.event(_USAGE % (_COUNTS % (tokens, 500 + tokens, cached)))
        self.event(b"[DONE]")
        self._transport.write(b"0\r\n\r\n")

    def event(self, data: bytes) -> None:
        """Send one event."""
        self._transport.write(b"%x\r\ndata: %b\n\n\r\n" % (len(data) + 8, data))

    def refuse(self, status: bytes, headers: bytes = b"") -> None:
        """Send an error in place of an answer; each of `headers` ends its line."""
        self._whole(b'{"error":{"message":"scripted"}}', status, headers)

    def cut(self) -> None:
        """Close the connection at once."""
        self._transport.abort()

    def _whole(self, body: bytes, status: bytes = b"200 OK", headers: bytes = b"") -> None:
        head = _HEAD % (status, b"application/json") + headers
        self._transport.write(head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))


def embeddings(request: Any) -> bytes:
    """Return the answer to an embeddings request: vectors in base64, chosen by the texts."""
    texts = [request["input"]] if isinstance(request["input"], str) else request["input"]
    vectors = _vectors(request.get("dimensions", 1536))
    items = (
        b'{"object":"embedding","index":%d,"embedding":"%b"}' % (index, vectors[zlib.crc32(text.encode()) % _VECTORS])
        for index, text in enumerate(texts)
    )
    return b'{"object":"list","model":"m","usage":{"prompt_tokens":1,"total_tokens":1},"data":[%b]}' % b",".join(items)


_made: dict[int, list[bytes]] = {}


def _vectors(dimensions: int) -> list[bytes]:
    if dimensions not in _made:
        chance = random.Random(7)
        _made[dimensions] = [
            base64.b64encode(array("f", _unit([chance.gauss(0, 1) for _ in range(dimensions)])).tobytes())
            for _ in range(_VECTORS)
        ]
    return _made[dimensions]


def _unit(vector: list[float]) -> list[float]:
    length = sum(value * value for value in vector) ** 0.5
    return [value / length for value in vector]


async def serve(port: int, connection: Callable[[], Connection] = Connection) -> None:
    """Serve until told to stop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(connection, HOST, port, backlog=4096)
    async with server:
        await stopped.wait()


def main() -> None:
    """Run the provider."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
