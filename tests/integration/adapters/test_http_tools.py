"""Calls of tenants' own tools, over real connections."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from chatconnect.adapters import http_tools, public_connections
from chatconnect.adapters.http_tools import PublicHttpCalls
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.tool import HttpTool
from chatconnect.ports.tools import ToolFailed
from tests.factories import a_tool

TENANT = TenantId(new_id())


@dataclass
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Endpoint:
    """A server that answers each request with the next of its raw responses; None is silence."""

    answers: list[bytes | None] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            method, path, _ = start.split(" ")
            self.seen.append(Seen(method, path, headers, body))
            answer = self.answers.pop(0)
            if answer is None:
                await reader.read()  # until the caller leaves
            else:
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def ok(body: bytes = b'{"state": "sent"}', **headers: str) -> bytes:
    return answer(200, body, **headers)


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{named}\r\n".encode() + body


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    endpoint.port = server.sockets[0].getsockname()[1]
    yield endpoint
    server.close()


@pytest.fixture
async def elsewhere() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    server = await asyncio.start_server(endpoint.serve, "127.0.0.1", 0)
    endpoint.port = server.sockets[0].getsockname()[1]
    yield endpoint
    server.close()


@pytest.fixture
async def calls() -> AsyncIterator[PublicHttpCalls]:
    calls = PublicHttpCalls(allow_loopback=True)
    yield calls
    await calls.aclose()


def tool(endpoint: Endpoint, path: str = "/orders/{order}", **changes: Any) -> HttpTool:
    return a_tool(TENANT, url=endpoint.url + path, **changes)


async def test_arguments_go_into_path_and_query_and_the_tenants_headers_along(
    calls: PublicHttpCalls, endpoint: Endpoint
) -> None:
    endpoint.answers = [ok()]

    text = await calls.call(tool(endpoint), {"order": "A/1?x=ü", "detail": True})

    assert text == '{"state": "sent"}'
    [seen] = endpoint.seen
    assert (seen.method, seen.path) == ("GET", "/orders/A%2F1%3Fx%3D%C3%BC?detail=true")
    assert seen.headers["authorization"] == "Bearer very-secret"
    assert seen.headers["host"] == f"127.0.0.1:{endpoint.port}"
    assert "cookie" not in seen.headers


async def test_half_a_character_in_an_argument_is_sent_as_a_question_mark(
    calls: PublicHttpCalls, endpoint: Endpoint
) -> None:
    endpoint.answers = [ok()]

    await calls.call(tool(endpoint), {"order": "A\ud83d", "note": "\ude80"})

    assert endpoint.seen[0].path == "/orders/A%3F?note=%3F"


async def test_a_post_carries_the_other_arguments_as_json(calls: PublicHttpCalls, endpoint: Endpoint) -> None:
    endpoint.answers = [ok()]

    await calls.call(tool(endpoint, method="POST"), {"order": "A-1", "detail": False})

    [seen] = endpoint.seen
    assert (seen.path, seen.headers["content-type"]) == ("/orders/A-1", "application/json")
    assert json.loads(seen.body) == {"detail": False}


@pytest.mark.parametrize("order", ["..", "."])
async def test_an_argument_never_leads_to_another_path(calls: PublicHttpCalls, endpoint: Endpoint, order: str) -> None:
    with pytest.raises(ToolFailed):
        await calls.call(tool(endpoint, "/orders/{order}/state"), {"order": order})

    assert endpoint.seen == []


async def test_loopback_and_plain_http_are_refused_before_anything_is_sent(endpoint: Endpoint) -> None:
    for url in (endpoint.url, f"https://127.0.0.1:{endpoint.port}", f"https://localhost:{endpoint.port}"):
        with pytest.raises(ToolFailed):
            await PublicHttpCalls().call(a_tool(TENANT, url=url), {})

    assert endpoint.seen == []


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/latest/meta-data", "https://10.0.0.1/", "http://[::ffff:10.0.0.1]/", "file:///etc/passwd",
     "http://user:pw@127.0.0.1/", "http://", "gopher://127.0.0.1/"],
)  # fmt: skip
async def test_a_redirect_to_the_inside_is_not_followed(
    calls: PublicHttpCalls, endpoint: Endpoint, location: str
) -> None:
    endpoint.answers = [answer(302, location=location)]

    with pytest.raises(ToolFailed):
        await calls.call(tool(endpoint), {"order": "A-1"})


async def test_a_redirect_within_the_origin_keeps_the_headers_and_one_across_loses_them(
    calls: PublicHttpCalls, endpoint: Endpoint, elsewhere: Endpoint
) -> None:
    endpoint.answers = [answer(307, location="/moved"), answer(307, location=f"{elsewhere.url}/away")]
    elsewhere.answers = [ok(b"there")]

    text = await calls.call(tool(endpoint), {"order": "A-1"})

    assert text == "there"
    assert [seen.headers.get("authorization") for seen in endpoint.seen] == ["Bearer very-secret"] * 2
    assert "authorization" not in elsewhere.seen[0].headers
    assert "very-secret" not in str(elsewhere.seen)


async def test_a_post_that_is_redirected_with_303_becomes_a_get(calls: PublicHttpCalls, endpoint: Endpoint) -> None:
    endpoint.answers = [answer(303, location="/result"), ok()]

    await calls.call(tool(endpoint, method="POST"), {"order": "A-1", "detail": True})

    assert [(seen.method, seen.body) for seen in endpoint.seen][1] == ("GET", b"")


async def test_endless_redirects_are_given_up(calls: PublicHttpCalls, endpoint: Endpoint) -> None:
    endpoint.answers = [answer(302, location="/again")] * 10

    with pytest.raises(ToolFailed, match="more than 3 times"):
        await calls.call(tool(endpoint), {"order": "A-1"})

    assert len(endpoint.seen) == 4


async def test_each_connection_is_checked_anew(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that says something else the second time changes nothing: the first answer is used."""
    asked = []

    async def rebinding(host: str, port: int, **_: Any) -> str:
        asked.append(host)
        return "127.0.0.1"

    monkeypatch.setattr(public_connections, "public_address", rebinding)
    calls = PublicHttpCalls(allow_loopback=True)
    endpoint.answers = [ok()]
    named = a_tool(TENANT, url=f"http://shop.invalid:{endpoint.port}/{{order}}")

    assert await calls.call(named, {"order": "A-1"})
    await calls.aclose()

    assert asked == ["shop.invalid"]
    assert endpoint.seen[0].headers["host"] == f"shop.invalid:{endpoint.port}"


async def test_every_request_has_a_connection_of_its_own(calls: PublicHttpCalls) -> None:
    """A kept connection that had died would have the same order placed twice."""
    connections = 0

    async def keeping_alive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while not reader.at_eof():
            if await reader.readline() == b"\r\n":
                writer.write(ok())
        writer.close()

    async with await asyncio.start_server(keeping_alive, "127.0.0.1", 0) as server:
        there = Endpoint(port=server.sockets[0].getsockname()[1])
        for _ in range(3):
            await calls.call(tool(there), {"order": "A-1"})

    assert connections == 3


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (ok(b"x" * (64 * 1024 + 1)), "more than 64 kB"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000, "more than 64 kB"),
        (ok(b"\x1f\x8b", content_encoding="gzip"), "compressed"),
        (answer(500, b"secret trace"), "status 500"),
        (answer(404), "status 404"),
        (b"nonsense\r\n\r\n", "could not be reached"),
        (b"", "could not be reached"),
    ],
)
async def test_a_bad_answer_is_told_without_its_words(
    calls: PublicHttpCalls, endpoint: Endpoint, response: bytes, why: str
) -> None:
    endpoint.answers = [response] * 2

    with pytest.raises(ToolFailed, match=why) as caught:
        await calls.call(tool(endpoint), {"order": "A-1"})

    assert "secret" not in str(caught.value)


async def test_a_slow_endpoint_is_given_up(
    calls: PublicHttpCalls, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_tools, "CALL_SECONDS", 0.05)
    endpoint.answers = [None]

    with pytest.raises(ToolFailed, match="did not answer"):
        await calls.call(tool(endpoint), {"order": "A-1"})
