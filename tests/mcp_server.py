"""A real MCP server over streamable HTTP, in a thread of its own, on this computer."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import uvicorn
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import (
    AudioContent,
    EmbeddedResource,
    ImageContent,
    ListToolsResult,
    PaginatedRequestParams,
    ResourceLink,
    TextContent,
    TextResourceContents,
    Tool,
)
from pydantic import BaseModel, Field

from local.services import free_port

TOKEN = "Bearer of-the-mcp-server"
MODERN = "2026-07-28"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Stock(BaseModel):
    article: str
    pieces: int


@dataclass
class RunningServer:
    """`requests` are the method and authorization of each; `calls` what the tools were called with."""

    url: str
    mcp: MCPServer
    modern: bool
    requests: list[tuple[str, str]] = field(default_factory=list)
    calls: list[Any] = field(default_factory=list)
    hanging: bool = False

    async def passed(self, scope: Message, receive: Receive, send: Send, app: Any) -> None:
        """Let a request through that has the token, and speaks as this server does."""
        headers = {name.decode(): value.decode() for name, value in scope.get("headers", ())}
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        self.requests.append((scope["method"], headers.get("authorization", "")))
        while self.hanging:
            await asyncio.sleep(0.01)
        if headers.get("authorization") != TOKEN:
            await _answer(send, 401)
        elif not self.modern and headers.get("mcp-protocol-version") == MODERN:
            await _answer(send, 400)
        else:
            await app(scope, receive, send)

    def offers_without_end(self, name: str) -> None:
        """From now on list this one tool, three times on each of endless pages."""

        async def page(*_: Any) -> ListToolsResult:
            tool = Tool(name=name, description="Again.", input_schema={"type": "object"})
            return ListToolsResult(tools=[tool] * 3, next_cursor="more")

        self.mcp._lowlevel_server.add_request_handler("tools/list", PaginatedRequestParams, page)


async def _answer(send: Send, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"private words of the server"})


@contextmanager
def mcp_server(*, modern: bool = False, as_json: bool = False) -> Iterator[RunningServer]:
    """Run a server with tools of every kind; it speaks the versions before 2026-07-28 unless it is `modern`."""
    port = free_port()
    mcp = MCPServer("Shop", log_level="CRITICAL")
    running = RunningServer(f"http://127.0.0.1:{port}/mcp", mcp, modern)
    _add_tools(mcp, running)
    app = mcp.streamable_http_app(json_response=as_json)

    async def guarded(scope: Message, receive: Receive, send: Send) -> None:
        await running.passed(scope, receive, send, app)

    config = uvicorn.Config(guarded, host="127.0.0.1", port=port, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        assert time.monotonic() < deadline, "the MCP server did not start"
        time.sleep(0.01)
    try:
        yield running
    finally:
        running.hanging = False
        server.should_exit = True
        thread.join(10)


def _add_tools(mcp: MCPServer, running: RunningServer) -> None:
    @mcp.tool()
    def find_order(order: Annotated[str, Field(description="Its number")]) -> str:
        """Says where an order is."""
        running.calls.append(order)
        return f"Order {order} left on Monday."

    @mcp.tool(name="stock.of")
    def stock_of(article: str) -> Stock:
        """Says how many pieces there are."""
        return Stock(article=article, pieces=7)

    @mcp.tool()
    def show() -> list[Any]:
        """Shows everything."""
        return [
            TextContent(type="text", text="Look:"),
            ImageContent(type="image", data="cG5n", mime_type="image/png"),
            AudioContent(type="audio", data="bXAz", mime_type="audio/mpeg"),
            ResourceLink(type="resource_link", name="manual", uri="https://shop.example.com/manual"),
            EmbeddedResource(type="resource", resource=TextResourceContents(uri="file:///a.txt", text="The manual.")),
        ]

    @mcp.tool()
    def refuse() -> str:
        """Always fails."""
        raise ToolError("there is no such article")

    @mcp.tool()
    def huge() -> str:
        """Says too much."""
        return "x" * 3_000_000

    @mcp.tool()
    async def hang() -> str:
        """Never ends."""
        running.calls.append("hang")
        await asyncio.sleep(60)
        return ""

    @mcp.tool()
    def by_header(order: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Order"})]) -> str:
        """Wants its argument in a header, too."""
        return f"Order {order} it is."
