"""Every HTTP function and the pages in one server, as API Gateway would route them.

Run as `python -m local.server --port N`; the functions' settings come from the environment.
"""

import argparse
import asyncio
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from functions.chat.handler import app as chat
from functions.config.handler import app as config
from functions.realtime.handler import handler as realtime
from functions.widget_config.handler import app as widget_config
from local.openapi import merged_openapi
from local.services.process import HOST
from local.worker import Context

WEB = Path(__file__).parents[1] / "web"
_OK = 200
_SWITCH_SECONDS = 0.0005


class Gateway:
    """Gives each request to the function that API Gateway would."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route one request by its path."""
        await function_of(scope["path"])(scope, receive, send)


def function_of(path: str) -> ASGIApp:
    """Return the app of the function that a path belongs to."""
    if path == "/v1/chat" or path.startswith("/v1/chat/"):
        return chat
    if path.startswith("/v1/widgets/") and path.endswith(("/config", "/token")):
        return widget_config
    return config


async def openapi(_: Request) -> Response:
    """The contract of the whole API."""
    return JSONResponse(merged_openapi([chat, widget_config, config]))


async def widget(_: Request) -> Response:
    """The widget's one script."""
    return FileResponse(WEB / "dist" / "widget.js", media_type="text/javascript", headers={"Cache-Control": "no-cache"})


def demo_config(_: Request) -> Response:
    """What the demo page needs to show the demo tenant's widget."""
    remembered = Path(os.environ["DEMO_STATE"])
    state = json.loads(remembered.read_text()) if remembered.exists() else {}
    return JSONResponse({"widget_key": state.get("widget_key", ""), "api_url": os.environ["PUBLIC_API_URL"]})


async def home(_: Request) -> Response:
    """Begin at the demo page."""
    return RedirectResponse("/demo/")


_open_sockets: dict[str, WebSocket] = {}


async def sockets(socket: WebSocket) -> None:
    """Turn a WebSocket's life into the events that API Gateway would send to the function."""
    connection_id = uuid.uuid4().hex
    headers = {name.title(): value for name, value in socket.headers.items()}
    connected = await _event(connection_id, "$connect", headers=headers, query=dict(socket.query_params))
    if connected["statusCode"] != _OK:
        await socket.close(4401)
        return
    await socket.accept()
    _open_sockets[connection_id] = socket
    try:
        while True:
            answer = await _event(connection_id, "$default", body=await socket.receive_text())
            if "body" in answer:
                await socket.send_text(answer["body"])
    except WebSocketDisconnect:
        await _event(connection_id, "$disconnect")
    finally:
        del _open_sockets[connection_id]


async def send_to_socket(request: Request) -> Response:
    """Send to an open socket, as API Gateway's own address for that does: functions/documents runs elsewhere."""
    socket = _open_sockets.get(request.path_params["connection_id"])
    try:
        if socket is not None:
            await socket.send_text((await request.body()).decode())
            return Response()
    except (WebSocketDisconnect, RuntimeError):  # it ended meanwhile
        pass
    return Response(status_code=410, headers={"x-amzn-ErrorType": "GoneException"})


# One thread, because the function keeps one event loop.
_realtime_thread = ThreadPoolExecutor(1, "realtime")


async def _event(
    connection_id: str,
    route: str,
    *,
    body: str | None = None,
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
) -> Any:
    event = {
        "headers": headers or {},
        "requestContext": {"connectionId": connection_id, "routeKey": route, "stage": "local"},
        "queryStringParameters": query,
        "body": body,
    }
    context: Any = Context()
    return await asyncio.get_running_loop().run_in_executor(_realtime_thread, realtime, event, context)


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    yield
    for function in (chat, widget_config, config):
        await function.state.services.aclose()


def create_server() -> Starlette:
    """Return the server's app."""
    server = Starlette(
        lifespan=_lifespan,
        routes=[
            Route("/", home),
            Route("/openapi.json", openapi),
            Route("/widget.js", widget),
            Route("/demo/config.json", demo_config),
            Mount("/demo", StaticFiles(directory=WEB / "demo", html=True)),
            Mount("/dashboard", StaticFiles(directory=WEB / "dashboard", html=True)),
            WebSocketRoute("/v1/realtime", sockets),
            Route("/_sockets/@connections/{connection_id}", send_to_socket, methods=["POST"]),
        ],
    )
    server.router.default = Gateway()  # a mount at the root would miss paths with line breaks in them
    return server


def main() -> None:
    """Serve until asked to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    # The embedding model computes in a thread beside the answers, which would wait 5 ms for it at every step.
    sys.setswitchinterval(_SWITCH_SECONDS)
    uvicorn.run(
        create_server(),
        host=HOST,
        port=arguments.port,
        loop="uvloop",
        http="httptools",
        ws="wsproto",
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
