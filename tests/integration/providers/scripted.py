"""A provider that does exactly as told: the faults that a scripted product server cannot play."""

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field

from tests.http_server import HttpServer, Request

Step = bytes | float | asyncio.Event


@dataclass(frozen=True)
class Act:
    """One response: pieces of the body, pauses in seconds, events to wait for; `cut` closes without an end."""

    steps: tuple[Step, ...] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


class ScriptedProvider(HttpServer):
    """Serves one act per request, in order, and remembers what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self._acts: deque[Act] = deque()

    def plays(self, *acts: Act) -> None:
        self._acts.extend(acts)

    async def answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
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
