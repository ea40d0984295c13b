"""The straight way to Qdrant's points: what it answers comes back, and what goes wrong is one error."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from chatconnect.adapters.qdrant_points import QdrantPoints
from chatconnect.domain.errors import Unavailable
from chatconnect.domain.secret import Secret

HOST = "127.0.0.1"


@asynccontextmanager
async def answering(answer: bytes, heard: Callable[[bytes], None] = lambda _: None) -> AsyncIterator[str]:
    """Serve one answer to every request, and give the address."""

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard(await reader.read(65536))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(respond, HOST, 0)
    async with server:
        yield f"http://{HOST}:{server.sockets[0].getsockname()[1]}"


def response(status: str, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)


async def test_the_points_of_a_query_come_back_as_they_are() -> None:
    requests: list[bytes] = []
    found = response("200 OK", b'{"result": [{"points": [{"id": 1, "score": 0.5, "payload": {"text": "a"}}]}]}')

    async with answering(found, requests.append) as url:
        points = QdrantPoints(url, api_key=Secret("top-secret"), timeout_seconds=2)
        answer = await points.query("chunks", [{"limit": 1}])
        await points.aclose()

    assert answer == [[{"id": 1, "score": 0.5, "payload": {"text": "a"}}]]
    assert requests[0].startswith(b"POST /collections/chunks/points/query/batch HTTP/1.1\r\n")
    assert b"api-key: top-secret" in requests[0]


@pytest.mark.parametrize(
    "answer",
    [
        response("500 Internal Server Error", b'{"status": {"error": "broken"}}'),
        response("404 Not Found", b'{"status": {"error": "no such collection"}}'),
        response("200 OK", b"not json"),
        response("200 OK", b'{"status": "ok"}'),
        b"not http at all\r\n\r\n",
        b"",
    ],
)
async def test_an_answer_that_is_none_means_that_the_store_is_away(answer: bytes) -> None:
    async with answering(answer) as url:
        points = QdrantPoints(url, api_key=None, timeout_seconds=2)
        with pytest.raises(Unavailable) as raised:
            await points.upsert("chunks", [])
        await points.aclose()

    assert raised.value.code == "knowledge_unavailable"


async def test_a_store_that_does_not_answer_in_time_is_away() -> None:
    released = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await released.wait()
        writer.close()

    server = await asyncio.start_server(silent, HOST, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        points = QdrantPoints(f"http://{HOST}:{port}", api_key=None, timeout_seconds=0.05)
        with pytest.raises(Unavailable):
            await points.query("chunks", [])
        released.set()
        await points.aclose()
