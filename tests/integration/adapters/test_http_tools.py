"""Calls of tenants' own tools, over real connections."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatconnect.adapters import http_tools, public_connections
from chatconnect.adapters.http_tools import PublicHttpCalls
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.tool import HttpTool
from chatconnect.ports.tools import ToolFailed
from tests.factories import a_tool
from tests.http_server import Request
from tests.integration.adapters.endpoints import Endpoint, answer, ok

TENANT = TenantId(new_id())


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    async with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
async def elsewhere() -> AsyncIterator[Endpoint]:
    async with Endpoint() as endpoint:
        yield endpoint


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
    [seen] = endpoint.requests
    assert (seen.method, seen.path) == ("GET", "/orders/A%2F1%3Fx%3D%C3%BC?detail=true")
    assert seen.headers["authorization"] == "Bearer very-secret"
    assert seen.headers["host"] == f"127.0.0.1:{endpoint.port}"
    assert "cookie" not in seen.headers


async def test_half_a_character_in_an_argument_is_sent_as_a_question_mark(
    calls: PublicHttpCalls, endpoint: Endpoint
) -> None:
    endpoint.answers = [ok()]

    await calls.call(tool(endpoint), {"order": "A\ud83d", "note": "\ude80"})

    assert endpoint.requests[0].path == "/orders/A%3F?note=%3F"


async def test_a_post_carries_the_other_arguments_as_json(calls: PublicHttpCalls, endpoint: Endpoint) -> None:
    endpoint.answers = [ok()]

    await calls.call(tool(endpoint, method="POST"), {"order": "A-1", "detail": False})

    [seen] = endpoint.requests
    assert (seen.path, seen.headers["content-type"]) == ("/orders/A-1", "application/json")
    assert json.loads(seen.content) == {"detail": False}


@pytest.mark.parametrize("order", ["..", "."])
async def test_an_argument_never_leads_to_another_path(calls: PublicHttpCalls, endpoint: Endpoint, order: str) -> None:
    with pytest.raises(ToolFailed):
        await calls.call(tool(endpoint, "/orders/{order}/state"), {"order": order})

    assert endpoint.requests == []


async def test_loopback_and_plain_http_are_refused_before_anything_is_sent(endpoint: Endpoint) -> None:
    for url in (endpoint.url, f"https://127.0.0.1:{endpoint.port}", f"https://localhost:{endpoint.port}"):
        with pytest.raises(ToolFailed):
            await PublicHttpCalls().call(a_tool(TENANT, url=url), {})

    assert endpoint.requests == []


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
    assert [seen.headers.get("authorization") for seen in endpoint.requests] == ["Bearer very-secret"] * 2
    assert "authorization" not in elsewhere.requests[0].headers
    assert "very-secret" not in str(elsewhere.requests)


async def test_a_post_that_is_redirected_with_303_becomes_a_get(calls: PublicHttpCalls, endpoint: Endpoint) -> None:
    endpoint.answers = [answer(303, location="/result"), ok()]

    await calls.call(tool(endpoint, method="POST"), {"order": "A-1", "detail": True})

    assert [(seen.method, seen.content) for seen in endpoint.requests][1] == ("GET", b"")


async def test_endless_redirects_are_given_up(calls: PublicHttpCalls, endpoint: Endpoint) -> None:
    endpoint.answers = [answer(302, location="/again")] * 10

    with pytest.raises(ToolFailed, match="more than 3 times"):
        await calls.call(tool(endpoint), {"order": "A-1"})

    assert len(endpoint.requests) == 4


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
    assert endpoint.requests[0].headers["host"] == f"shop.invalid:{endpoint.port}"


async def test_every_request_has_a_connection_of_its_own(calls: PublicHttpCalls) -> None:
    """A kept connection that had died would have the same order placed twice."""

    class KeepingAlive(Endpoint):
        async def answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
            writer.write(ok())
            return True

    async with KeepingAlive() as there:
        for _ in range(3):
            await calls.call(tool(there), {"order": "A-1"})

        assert there.connections == 3


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
