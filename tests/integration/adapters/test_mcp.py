"""Calls of MCP servers' tools, over real connections to the protocol's own server."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from chatconnect.adapters import mcp as adapter
from chatconnect.adapters.mcp import PublicMcpConnections
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.mcp import McpServer
from chatconnect.domain.secret import Secret
from chatconnect.ports.tools import ToolFailed
from tests.factories import NOON, an_mcp_server
from tests.integration.adapters.endpoints import Endpoint, answer
from tests.mcp_server import TOKEN, RunningServer, mcp_server
from tests.mcp_shops import old_shop, shop
from tests.waiting import until

__all__ = ["old_shop", "shop"]

TENANT = TenantId(new_id())
HANDSHAKE = ["POST", "POST", "GET"]  # initialize, initialized, and listening for news


@pytest.fixture(scope="module", params=["handshake", "handshake, json", "modern", "modern, json"])
def kind(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    """A server of each kind: as versions and forms of answers go."""
    with mcp_server(modern="modern" in request.param, as_json="json" in request.param) as running:
        yield running


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """A server that does not speak MCP at all."""
    async with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
async def connections() -> AsyncIterator[PublicMcpConnections]:
    connections = PublicMcpConnections(clock=lambda: NOON, allow_loopback=True)
    yield connections
    await connections.aclose()


def at(url: str, token: str = TOKEN, **changes: Any) -> McpServer:
    return an_mcp_server(TENANT, url=url, headers={"Authorization": Secret(token)}, **{"listing": None} | changes)


async def known(connections: PublicMcpConnections, running: RunningServer) -> McpServer:
    """The server as it is known after its tools were listed; what that took is forgotten."""
    server = at(running.url)
    server = server.listed(await connections.listing(server))
    await until_closed(connections)
    running.requests.clear()
    return server


async def enough_for_a_call(connections: PublicMcpConnections, running: RunningServer, server: McpServer) -> float:
    """Seconds in which this computer, as busy as it is, surely connects to a server and calls a tool that answers.

    The server forgets the call.
    """
    begun, session = time.perf_counter(), connections.session(server)
    await session.call("find_order", {"order": "A-1"})
    took = time.perf_counter() - begun
    session.close()
    await until_closed(connections)
    running.requests.clear()
    running.calls.clear()
    return max(1.5, 8 * took)


async def until_closed(connections: PublicMcpConnections) -> None:
    await until(lambda: not connections._tasks)


async def test_the_tools_are_listed_with_what_a_model_has_to_know(
    connections: PublicMcpConnections, shop: RunningServer
) -> None:
    listing = await connections.listing(at(shop.url))

    names = ["find_order", "stock.of", "show", "refuse", "huge", "hang", "by_header"]
    assert [tool.name for tool in listing.tools] == names
    assert listing.tools[0].description == "Says where an order is."
    assert listing.tools[0].parameters["required"] == ["order"]
    assert listing.tools[0].parameters["properties"]["order"]["description"] == "Its number"
    assert (listing.protocol, listing.at) == ("2026-07-28" if shop.modern else "2025-11-25", NOON)


async def test_a_tool_is_called_with_its_arguments_and_the_tenants_headers(
    connections: PublicMcpConnections, shop: RunningServer
) -> None:
    session = connections.session(await known(connections, shop))

    said = [await session.call("find_order", {"order": order}) for order in ("A-1", "B-2")]

    assert said == ["Order A-1 left on Monday.", "Order B-2 left on Monday."]
    assert shop.calls == ["A-1", "B-2"]
    assert {token for _, token in shop.requests} == {TOKEN}
    session.close()


async def test_a_session_connects_at_its_first_call_shakes_hands_once_and_says_goodbye(
    connections: PublicMcpConnections, shop: RunningServer
) -> None:
    session = connections.session(await known(connections, shop))
    before = list(shop.requests)

    await asyncio.gather(*(session.call("find_order", {"order": order}) for order in "ABC"))
    session.close()
    await until_closed(connections)

    methods = [method for method, _ in shop.requests]
    assert before == []
    assert sorted(methods) == sorted(["POST"] * 3 if shop.modern else [*HANDSHAKE, *["POST"] * 3, "DELETE"])


async def test_texts_are_joined_and_other_contents_named(
    connections: PublicMcpConnections, shop: RunningServer
) -> None:
    session = connections.session(await known(connections, shop))

    shown, structured = await session.call("show", {}), await session.call("stock.of", {"article": "bell"})

    assert shown.split("\n") == [
        "Look:", "(an image)", "(a sound)", "(a link to https://shop.example.com/manual)", "The manual.",
    ]  # fmt: skip
    assert '"pieces": 7' in structured
    session.close()


@pytest.mark.parametrize(
    ("tool", "why"),
    [
        ("refuse", "there is no such article"),
        ("gone", "Unknown tool"),
        ("huge", "more than 1,024 kB"),
    ],
)
async def test_a_call_that_fails_says_why_and_the_session_goes_on(
    tool: str, why: str, connections: PublicMcpConnections, shop: RunningServer
) -> None:
    session = connections.session(await known(connections, shop))

    with pytest.raises(ToolFailed, match=why):
        await session.call(tool, {})

    assert await session.call("find_order", {"order": "A-1"}) == "Order A-1 left on Monday."
    session.close()


async def test_an_argument_that_a_server_wants_in_a_header_is_put_there(
    connections: PublicMcpConnections, shop: RunningServer
) -> None:
    session = connections.session(await known(connections, shop))

    assert await session.call("by_header", {"order": "A-1"}) == "Order A-1 it is."
    session.close()


async def test_a_call_that_hangs_is_given_up_and_the_next_has_a_new_connection(
    connections: PublicMcpConnections, shop: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await known(connections, shop)
    enough = await enough_for_a_call(connections, shop, server)
    session = connections.session(server)
    await session.call("find_order", {"order": "A-1"})

    with monkeypatch.context() as patched:
        patched.setattr(adapter, "CALL_SECONDS", enough)
        begun = time.perf_counter()
        with pytest.raises(ToolFailed, match="did not answer within"):
            await session.call("hang", {})

    assert time.perf_counter() - begun < enough + 10
    assert shop.calls == ["A-1", "hang"]
    assert await session.call("find_order", {"order": "B-2"}) == "Order B-2 left on Monday."
    session.close()


async def test_a_server_that_lets_two_calls_hang_is_not_asked_again(
    connections: PublicMcpConnections, shop: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await known(connections, shop)
    monkeypatch.setattr(adapter, "CALL_SECONDS", await enough_for_a_call(connections, shop, server))
    session = connections.session(server)

    for tool in ("hang", "hang", "find_order"):
        with pytest.raises(ToolFailed, match="did not answer within"):
            await session.call(tool, {})

    assert shop.calls == ["hang", "hang"]
    session.close()


async def test_a_server_that_hangs_is_given_up_once_and_for_all(
    connections: PublicMcpConnections, shop: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await known(connections, shop)
    enough = await enough_for_a_call(connections, shop, server)
    session = connections.session(at(shop.url))
    shop.hanging = True
    monkeypatch.setattr(adapter, "CALL_SECONDS", enough)
    monkeypatch.setattr(adapter, "LISTING_SECONDS", enough)
    monkeypatch.setattr(adapter, "CLOSE_SECONDS", 0.2)

    for _ in range(2):
        with pytest.raises(ToolFailed, match="did not answer within"):
            await session.call("find_order", {"order": "A-1"})
    with pytest.raises(ToolFailed, match="did not answer within"):
        await connections.listing(server)
    session.close()

    await until_closed(connections)
    assert len(shop.requests) == 2
    assert shop.calls == []


async def test_a_cancelled_call_ends_at_once_and_leaves_nothing_running(
    connections: PublicMcpConnections, shop: RunningServer
) -> None:
    session = connections.session(await known(connections, shop))
    calling = asyncio.create_task(session.call("hang", {}))
    await until(lambda: "hang" in shop.calls)

    calling.cancel()
    session.close()

    with pytest.raises(asyncio.CancelledError):
        await calling
    await until_closed(connections)


async def test_a_refused_token_is_told_without_the_servers_words(
    connections: PublicMcpConnections, shop: RunningServer
) -> None:
    session = connections.session(at(shop.url, "wrong"))

    for refused in (connections.listing(at(shop.url, "wrong")), session.call("find_order", {"order": "A"})):
        with pytest.raises(ToolFailed) as caught:
            await refused
        assert str(caught.value) == "the server answered with status 401"
    assert shop.calls == []


async def test_a_server_that_was_refused_once_is_not_asked_again(
    connections: PublicMcpConnections, old_shop: RunningServer
) -> None:
    session = connections.session(at(old_shop.url, "wrong"))
    with pytest.raises(ToolFailed):
        await session.call("find_order", {"order": "A"})
    asked = len(old_shop.requests)

    with pytest.raises(ToolFailed, match="status 401"):
        await session.call("find_order", {"order": "A"})

    assert len(old_shop.requests) == asked


async def test_nothing_of_a_server_is_logged(
    connections: PublicMcpConnections, shop: RunningServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session = connections.session(await known(connections, shop))

    await session.call("find_order", {"order": "private"})
    for tool in ("refuse", "huge"):
        with pytest.raises(ToolFailed):
            await session.call(tool, {})
    session.close()
    await until_closed(connections)

    assert {record.name.partition(".")[0] for record in caplog.records} & {"mcp", "client", "httpx2"} == set()


async def test_a_server_that_is_away_is_told(connections: PublicMcpConnections) -> None:
    with pytest.raises(ToolFailed, match="could not be reached"):
        await connections.listing(at("http://127.0.0.1:9/mcp"))


async def test_a_server_that_went_away_within_a_session_is_told() -> None:
    connections = PublicMcpConnections(clock=lambda: datetime.now(UTC), allow_loopback=True)
    with mcp_server() as running:
        session = connections.session(at(running.url))
        await session.call("find_order", {"order": "A-1"})

    with pytest.raises(ToolFailed, match="could not be reached"):
        await session.call("find_order", {"order": "B-2"})
    session.close()
    await connections.aclose()


async def test_loopback_and_plain_http_are_refused_before_anything_is_sent(endpoint: Endpoint) -> None:
    strict = PublicMcpConnections(clock=lambda: NOON)

    for url in (endpoint.url, f"https://127.0.0.1:{endpoint.port}/mcp", f"https://localhost:{endpoint.port}/mcp"):
        with pytest.raises(ToolFailed, match=r"not public|not https"):
            await strict.listing(at(url))

    assert endpoint.requests == []
    await strict.aclose()


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (answer(200, b"<html>private</html>", content_type="text/html"), "did not answer as MCP asks for"),
        (answer(200, b'{"private": 1}', content_type="application/json"), "did not answer as MCP asks for"),
        (answer(200, b"event: message\ndata: private\n\n", content_type="text/event-stream"), "as MCP asks for"),
        (answer(202), "did not answer as MCP asks for"),
        (answer(500, b"private", content_type="application/json"), "status 500"),
        (answer(200, b"\x1f\x8b", content_type="application/json", content_encoding="gzip"), "compressed"),
        (answer(200, b"x" * 1_100_000, content_type="application/json"), "more than 1,024 kB"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{", "broke off"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + b"data: x" * 200_000, "more than 1,024 kB"),
        (b"nonsense\r\n\r\n", "could not be reached"),
        (b"", "could not be reached"),
        (answer(302, location="/elsewhere"), "did not answer as MCP asks for"),
        (answer(307, location="http://169.254.169.254/latest/meta-data"), "redirected to another address"),
        (answer(307, location="https://10.0.0.1/"), "redirected to another address"),
        (answer(308, location="http://bad.example.com:x/"), "redirected to no address"),
    ],
)
async def test_what_is_no_mcp_server_is_told_without_its_words(
    connections: PublicMcpConnections, endpoint: Endpoint, response: bytes, why: str
) -> None:
    endpoint.answers = [response] * 8

    with pytest.raises(ToolFailed, match=why) as caught:
        await connections.listing(at(f"{endpoint.url}/mcp"))

    assert "private" not in str(caught.value)
    assert "very-secret" not in str(caught.value)


async def test_a_redirect_within_the_origin_is_followed_but_not_for_ever(
    connections: PublicMcpConnections, endpoint: Endpoint
) -> None:
    endpoint.answers = [answer(308, location="/again")] * 20

    with pytest.raises(ToolFailed):
        await connections.listing(at(f"{endpoint.url}/mcp"))

    assert {seen.path for seen in endpoint.requests} == {"/mcp", "/again"}
    assert len(endpoint.requests) <= 8


async def test_a_listing_without_end_is_ended(connections: PublicMcpConnections, old_shop: RunningServer) -> None:
    old_shop.offers_without_end("again")

    listing = await connections.listing(at(old_shop.url))

    assert [tool.name for tool in listing.tools] == ["again"]
    assert listing.left_out == 3 * adapter.MAX_PAGES - 1
