"""A provider that does exactly as told: the faults that a scripted product server cannot play."""

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Self

Step = bytes | float | asyncio.Event


@dataclass(frozen=True)
class Act:
    """One response: pieces of the body, pauses in seconds, events to wait for; `cut` closes without an end."""

    steps: tuple[Step, ...] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True)
class Request:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


class ScriptedProvider:
    """Serves one act per request, in order, and remembers what was asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.client_left = asyncio.Event()
        self._acts: deque[Act] = deque()

    def plays(self, *acts: Act) -> None:
        self._acts.extend(acts)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            self.client_left.set()
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.requests.append(Request(start.split(" ")[1], headers, json.loads(body)))
        act = self._acts.popleft()
        head = {"content-type": "text/event-stream", "transfer-encoding": "chunked"} | act.headers
        writer.write(f"HTTP/1.1 {act.status} Scripted\r\n".encode())
        writer.write("".join(f"{name}: {value}\r\n" for name, value in head.items()).encode() + b"\r\n")
        for step in act.steps:
            if isinstance(step, bytes):
                writer.write(b"%x\r\n%s\r\n" % (len(step), step))
                await writer.drain()
            elif isinstance(step, asyncio.Event):
                await step.wait()
            elif await _left_within(step, reader):
                self.client_left.set()
                return False
        if act.cut:
            return False
        writer.write(b"0\r\n\r\n")
        return True


async def _left_within(seconds: float, reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return not await reader.read(1)
    except TimeoutError:
        return False


def event(data: object, name: str | None = None) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()
