"""Tenants' MCP servers over streamable HTTP, by the protocol's own package and at public addresses only."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from chatconnect.adapters.public_connections import CONNECT_SECONDS, PublicConnections
from chatconnect.domain.errors import Caught
from chatconnect.domain.mcp import MAX_TOOLS, Listing, McpServer
from chatconnect.ports.clock import Clock
from chatconnect.ports.tools import ToolFailed

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult

    from chatconnect.adapters.public_transport import PublicTransport

LISTING_SECONDS = 10.0
CALL_SECONDS = 12.0  # with the connection, where there is none yet
CLOSE_SECONDS = 2.0
MAX_BODY = 1024 * 1024  # bytes of one response
MAX_PAGES = 10  # of a listing
MAX_TEXT = 64 * 1024  # characters of a result
MODERN = "2026-07-28"  # from here on there is no handshake: each request stands alone


class PublicMcpConnections:
    """Connects to servers. There are no proxies, no cookies beyond a session, and a compressed answer is refused.

    A client belongs to the task that opened it, so each has one of its own. The package takes a second or more to
    import, which the first use does in a thread.
    """

    def __init__(self, *, clock: Clock, allow_loopback: bool = False) -> None:
        self._clock, self._connections = clock, PublicConnections(allow_loopback=allow_loopback)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def listing(self, server: McpServer) -> Listing:
        """Ask for the server's tools, and how it speaks. Raises ToolFailed, with no word of the server's."""
        connection = _Connection(self, replace(server, listing=None))
        try:
            async with asyncio.timeout(LISTING_SECONDS):
                return await connection.listing(self._clock())
        except TimeoutError:
            raise ToolFailed(f"the server did not answer within {LISTING_SECONDS:.0f} seconds") from None
        finally:
            connection.close()

    def session(self, server: McpServer) -> "HttpMcpSession":
        """Return a session, which connects nothing yet."""
        return HttpMcpSession(self, server)

    async def aclose(self) -> None:
        """Wait a moment for the connections that are being closed, then drop all."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await self._connections.aclose()

    async def transport(self) -> "PublicTransport":
        """Return a transport for one client."""
        await asyncio.to_thread(_load)
        from chatconnect.adapters.public_transport import PublicTransport

        return PublicTransport(self._connections, max_body=MAX_BODY)

    @asynccontextmanager
    async def client(self, server: McpServer, transport: "PublicTransport") -> AsyncIterator["Client"]:
        """Give a client that has agreed with the server how to speak. Raises whatever the package does."""
        import httpx2
        from mcp import Client, Implementation
        from mcp.client.streamable_http import streamable_http_client

        headers = {name: value.reveal() for name, value in server.headers.items()}
        async with httpx2.AsyncClient(
            transport=transport,
            headers={"user-agent": "ChatConnect", **headers, "accept-encoding": "identity"},
            timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
            max_redirects=3,
            trust_env=False,
        ) as http:
            streams = streamable_http_client(server.url, http_client=http, max_sse_event_size=None)
            known = Implementation(name="ChatConnect", version="1")
            async with Client(streams, mode=_mode(server), cache=None, client_info=known) as client:
                yield client

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something in a task of its own until it ends, or this does."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waited for it has heard of it


class HttpMcpSession:
    """The connection to one server for one answer: made at the first call, and made again after a call that hung.

    The first call takes a handshake of two requests where the server speaks a version of before 2026-07-28. A server
    that could not be connected to, or let two calls hang, is not tried again.
    """

    def __init__(self, connections: PublicMcpConnections, server: McpServer) -> None:
        self._connections, self._server = connections, server
        self._connection: _Connection | None = None
        self._refusal: str | None = None
        self._hung = 0

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """Return what the tool says, at most 64,000 characters or so of it. Raises ToolFailed."""
        if self._refusal is not None:
            raise ToolFailed(self._refusal)
        if self._connection is None or self._connection.is_over:
            self._connection = _Connection(self._connections, self._server)
        connection = self._connection
        work = self._connections.spawn(connection.call(tool, dict(arguments)))
        try:
            done, _ = await asyncio.wait({work}, timeout=CALL_SECONDS)
        finally:
            work.cancel()
        if done:
            if connection.refusal is not None:
                self._refusal = connection.refusal
            return str(work.result())
        why = f"the server did not answer within {CALL_SECONDS:.0f} seconds"
        self._hung += 1
        if not connection.is_open or self._hung > 1:
            self._refusal = why
        connection.close()  # what it is doing may hang for ever
        raise ToolFailed(why)

    def close(self) -> None:
        """End the connection, without waiting for it."""
        if self._connection is not None:
            self._connection.close()


class _Connection:
    """A client in a task of its own, from its first use to its end."""

    def __init__(self, connections: PublicMcpConnections, server: McpServer) -> None:
        self._connections, self._server = connections, server
        self._opening: asyncio.Future[Client] | None = None
        self._transport: PublicTransport | None = None
        self._keeper: asyncio.Task[Any] | None = None
        self._end = asyncio.Event()
        self.refusal: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the server has answered the handshake, if there is one."""
        return self._opening is not None and self._opening.done() and not self.refusal

    @property
    def is_over(self) -> bool:
        """Whether it cannot be used any more."""
        return self._end.is_set() or (self._keeper is not None and self._keeper.done())

    def close(self) -> None:
        """End it, within two seconds whatever the server does."""
        self._end.set()
        if self._keeper is not None:
            asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._keeper.cancel)

    async def listing(self, at: datetime) -> Listing:
        """Return the server's tools. Raises ToolFailed."""
        client = await self._client()
        offered: list[tuple[str, str, Mapping[str, Any]]] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            with self._failures():
                page = await client.list_tools(cursor=cursor)
            offered += [(tool.name, tool.description or tool.title or "", tool.input_schema) for tool in page.tools]
            cursor = page.next_cursor
            if cursor is None or len(offered) > MAX_TOOLS:
                break
        return Listing.of(offered, protocol=client.protocol_version, at=at)

    async def call(self, tool: str, arguments: dict[str, Any]) -> str:
        """Return what a tool says. Raises ToolFailed."""
        from mcp.shared.exceptions import MCPError

        client = await self._client()
        with self._failures():
            try:
                result = await _result(client, tool, arguments)
            except MCPError as error:
                raise self._failed(f"the server refused: {error.message[:MAX_TEXT]}") from None
        text = _text(result)
        if result.is_error:
            raise ToolFailed(text or "the tool failed")
        return text

    async def _client(self) -> "Client":
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_future()
            self._keeper = self._connections.spawn(self._keep(self._opening))
        return await asyncio.shield(self._opening)

    async def _keep(self, opening: "asyncio.Future[Client]") -> None:
        try:
            with self._failures():
                self._transport = await self._connections.transport()
                async with self._connections.client(self._server, self._transport) as client:
                    opening.set_result(client)
                    await self._end.wait()
        except ToolFailed as failure:
            if not opening.done():
                self.refusal = str(failure)
                opening.set_exception(failure)
        finally:
            opening.cancel()

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Raise ToolFailed for whatever goes wrong inside."""
        with Caught() as caught:  # the package raises its own, pydantic's, and some that are bare
            yield
        if caught.fault is not None:
            known = isinstance(caught.fault, ToolFailed)
            raise caught.fault if known else self._failed(_why(caught.fault)) from None

    def _failed(self, why: str) -> ToolFailed:
        """Return the failure with what the transport knows of it, or else with these words."""
        return ToolFailed((self._transport and self._transport.fault) or why)


async def _result(client: "Client", tool: str, arguments: dict[str, Any]) -> "CallToolResult":
    """Ask for a tool's result; not by `call_tool`, which asks for all tools first, to check what it looks like."""
    from mcp.shared.exceptions import MCPError
    from mcp.types import HEADER_MISMATCH, CallToolRequest, CallToolRequestParams, CallToolResult

    request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=arguments))
    try:
        return await client.session.send_request(request, CallToolResult)
    except MCPError as error:
        if error.code != HEADER_MISMATCH:
            raise
        await client.list_tools()  # which says what arguments the server wants repeated in headers
        return await client.session.send_request(request, CallToolResult)


def _load() -> None:
    import_module("mcp.client.streamable_http")
    # They would log what a server says, and its address with whatever key is in it.
    for name in ("mcp", "client", "httpx2"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _mode(server: McpServer) -> str:
    """Return how to begin: as the server spoke last, or by asking it."""
    if server.listing is None:
        return "auto"
    return MODERN if server.listing.protocol == MODERN else "legacy"


def _why(error: BaseException) -> str:
    """Say what is wrong with an answer, in words of ours."""
    from mcp.shared.exceptions import MCPError

    code = f" (error {error.code})" if isinstance(error, MCPError) else ""
    return f"the server did not answer as MCP asks for{code}"


def _text(result: "CallToolResult") -> str:
    """Return a result's texts; whatever else is in it is named by a word."""
    texts: list[str] = []
    for part in result.content:
        if part.type == "text":
            texts.append(part.text)
        elif part.type == "resource_link":
            texts.append(f"(a link to {part.uri})")
        elif part.type == "resource":
            texts.append(getattr(part.resource, "text", "(a file)"))
        else:
            texts.append({"image": "(an image)", "audio": "(a sound)"}[part.type])
    if not texts and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False)[:MAX_TEXT]
    return "\n".join(texts)[:MAX_TEXT]
