"""The FastAPI application that every HTTP function starts from."""

import re
import secrets
from collections.abc import Awaitable, Callable
from functools import partial

import orjson
from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatconnect.domain.errors import Caught
from chatconnect.http.cors import CheckWebsite, Cors, Preflight
from chatconnect.http.errors import add_error_handlers, error_response
from chatconnect.observability import log_fault, trace_id
from chatconnect.tracing import trace_header

LARGEST_BODY = 256 * 1024
_TRACE_ROOT = re.compile(rb"Root=([0-9a-f-]{10,60})")
_TRACE_PARENT = re.compile(rb"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_OPEN_DOCS = ("dev", "local")


def create_app(
    title: str,
    *,
    environment: str,
    on_shutdown: Callable[[], Awaitable[None]] | None = None,
    check_website: CheckWebsite | None = None,
) -> FastAPI:
    """Return an application with our errors, trace ids and headers; its documentation is open in dev and local only.

    Nothing is connected before the first request, so the process can be snapshotted. `check_website` decides on
    preflights; without it every website may ask, and what comes with the request decides.
    """
    documented = environment in _OPEN_DOCS
    app = FastAPI(
        title=title,
        version="1",
        docs_url="/docs" if documented else None,
        redoc_url=None,
        openapi_url="/openapi.json" if documented else None,
    )
    add_error_handlers(app)
    app.add_middleware(BodyGate)
    app.add_middleware(RequestFrame)
    app.add_middleware(Cors, preflight=RequestFrame(Preflight(check_website)))
    if on_shutdown is not None:
        app.router.add_event_handler("shutdown", on_shutdown)
    return app


class RequestFrame:
    """Gives each request its trace id, each response its headers, and an unexpected fault its plain answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token, started = trace_id.set(_trace_id(scope)), False
        sampling = trace_header.set(Headers(scope=scope).get("x-amzn-trace-id", ""))

        async def framed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["X-Trace-Id"] = trace_id.get()
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            with Caught(partial(log_fault, "unexpected fault")) as caught:
                await self._app(scope, receive, framed)
            if caught.fault is not None and not started:
                response = error_response(500, "internal", "something went wrong on our side")
                await response(scope, receive, framed)
        finally:
            trace_id.reset(token)
            trace_header.reset(sampling)


class BodyGate:
    """Takes in a request's body before the app does, and refuses one that is too large or whose text is none.

    JSON can write half a character ("\\ud800"), which neither a database nor a tokenizer takes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _whole_body(receive)
        if body is None:
            return  # nobody waits for an answer, and half a body says what nobody has said
        if len(body) > LARGEST_BODY:
            message = f"a request has at most {LARGEST_BODY // 1024} KB"
            await error_response(413, "body_too_large", message)(scope, receive, send)
        elif b"\\ud" in body.lower() and not _is_json(body):
            await error_response(400, "invalid_request", "the request is not valid JSON")(scope, receive, send)
        else:
            await self._app(scope, _replayed(body, receive), send)


async def _whole_body(receive: Receive) -> bytes | None:
    """Return the body, or the beginning of one that is too large; None when the client leaves before its end."""
    body = bytearray()
    while len(body) <= LARGEST_BODY:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give the body as one message, then whatever else comes: that the client has left, say."""
    given = False

    async def next_message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


def _trace_id(scope: Scope) -> str:
    """Take over the caller's trace (X-Ray's or W3C's) or begin one: 32 hexadecimal digits."""
    for name, value in scope["headers"]:
        if name == b"x-amzn-trace-id" and (match := _TRACE_ROOT.search(value)):
            return match[1].decode()
        if name == b"traceparent" and (match := _TRACE_PARENT.fullmatch(value)):
            return match[1].decode()
    return secrets.token_hex(16)
