"""Which websites' pages may read our answers. What a request may do is checked with the request itself."""

from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatconnect.domain.errors import ChatConnectError, Forbidden
from chatconnect.domain.origins import is_website
from chatconnect.http.errors import response_to

CheckWebsite = Callable[[str, str], Awaitable[None]]
"""Raises one of our errors when pages of an origin may not call a path at all."""

_METHODS = "GET, POST, PUT, PATCH, DELETE"
_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID"
_EXPOSED = (
    "ETag, RateLimit, RateLimit-Limit, RateLimit-Policy, RateLimit-Remaining, RateLimit-Reset, Retry-After, "
    "X-Next-Cursor, X-Trace-Id"
)
_REMEMBERED_SECONDS = "600"


class Cors:
    """Answers preflights, and lets the website that asked read every answer, errors too.

    Errors, because a browser hides what it may not read, and nobody would learn what is wrong. Cookies are never
    allowed: a page needs a token of its own. `preflight` answers preflights: what it refuses, browsers do not send.
    """

    def __init__(self, app: ASGIApp, *, preflight: ASGIApp) -> None:
        self._app, self._preflight = app, preflight

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")

        async def readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                sent.add_vary_header("Origin")
                if origin is not None and is_website(origin):
                    sent["Access-Control-Allow-Origin"] = origin
                    sent["Access-Control-Expose-Headers"] = _EXPOSED
            await send(message)

        if scope["method"] == "OPTIONS" and origin is not None and "access-control-request-method" in headers:
            await self._preflight(scope, receive, send)
        else:
            await self._app(scope, receive, readable)


class Preflight:
    """Answers one preflight: allows what `check` does not refuse; without a check, every website."""

    def __init__(self, check: CheckWebsite | None = None) -> None:
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one preflight. A refusal names no allowed origin, so the browser goes no further."""
        origin = Headers(scope=scope)["origin"]
        try:
            if not is_website(origin):
                raise Forbidden("this works only from a website", code="origin_required")
            if self._check is not None:
                await self._check(origin, scope["path"])
            response = _allowed(origin)
        except ChatConnectError as error:
            response = response_to(error)
        response.headers["Vary"] = "Origin"
        await response(scope, receive, send)


def _allowed(origin: str) -> Response:
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _HEADERS,
        "Access-Control-Max-Age": _REMEMBERED_SECONDS,
    }
    return Response(headers=headers)
