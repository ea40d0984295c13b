"""Servers of tenants, as their own tools and MCP servers meet them over real connections."""

import asyncio

from tests.http_server import HttpServer, Request


class Endpoint(HttpServer):
    """Answers each request with the next of its raw answers, and closes; None is silence."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[bytes | None] = []

    async def answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if (answer := self.answers.pop(0)) is None:
            await reader.read()  # until the caller leaves
        else:
            writer.write(answer)
        return False


def ok(body: bytes = b'{"state": "sent"}', **headers: str) -> bytes:
    return answer(200, body, **headers)


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{named}\r\n".encode() + body
