"""WebSocket connections: whoever connects with a valid token hears what is meant for them, until it runs out."""

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from chatconnect.domain.errors import ChatConnectError, Invalid
from chatconnect.domain.secret import Secret
from chatconnect.event_loop import event_loop
from chatconnect.http.statuses import status_of
from chatconnect.observability import log_fault
from chatconnect.settings import settings
from functions.realtime.wiring import RealtimeServices

services = RealtimeServices(settings())


def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Answer one WebSocket event.

    $connect checks `?token=`: a member's access token lets hear what their tenant's staff is told, a chat token what
    the visitor is. {"action": "renew", "token": ...} lets hear for longer, {"action": "ping"} gets a pong.
    """
    answering = {"$connect": _connect, "$disconnect": _disconnect}.get(event["requestContext"]["routeKey"], _answer)
    return event_loop().run_until_complete(answering(event))


async def _connect(event: dict[str, Any]) -> dict[str, Any]:
    token = Secret((event.get("queryStringParameters") or {}).get("token") or "")
    try:
        await _join(event, token, origin=_header(event, "origin"))
    except ChatConnectError as error:
        return {"statusCode": status_of(error)}
    return {"statusCode": 200}


async def _disconnect(event: dict[str, Any]) -> dict[str, Any]:
    try:
        await services.realtime.leave(_connection_id(event))
    except ChatConnectError as fault:  # it will be found to be gone
        log_fault("connection not forgotten", fault)
    return {"statusCode": 200}


async def _answer(event: dict[str, Any]) -> dict[str, Any]:
    try:
        said = await _reply(event)
    except ChatConnectError as error:
        said = {"error": {"code": error.code, "message": error.message}}
    return {"statusCode": 200, "body": json.dumps(said)}


async def _reply(event: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to what a connection said. Raises what refuses a renewal, Invalid."""
    try:
        said = json.loads(event.get("body") or "{}")
        action, token = said.get("action"), str(said.get("token") or "")
    except (ValueError, AttributeError):
        action, token = None, ""
    if action == "ping":
        return {"action": "pong"}
    if action == "renew":
        return {"action": "renewed", "expires_in": await _join(event, Secret(token))}
    raise Invalid("this connection knows ping and renew", code="unknown_action")


async def _join(event: dict[str, Any], token: Secret, *, origin: str | None = None) -> int:
    """Let the connection hear what its token allows, and return for how many seconds. Raises what refuses it."""
    grant = await services.connecting.grant(token, origin)
    await services.realtime.join(_connection_id(event), grant.audience, seconds=grant.seconds)
    return grant.seconds


def _connection_id(event: dict[str, Any]) -> str:
    connection_id: str = event["requestContext"]["connectionId"]
    return connection_id


def _header(event: dict[str, Any], name: str) -> str | None:
    headers = event.get("headers") or {}
    return next((value for given, value in headers.items() if given.lower() == name), None)
