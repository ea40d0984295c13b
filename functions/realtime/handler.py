"""WebSocket connections: somebody with a valid token may connect; each message is answered by the API itself."""

import json
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from chatconnect.domain.errors import ChatConnectError, Unauthenticated
from chatconnect.domain.secret import Secret
from chatconnect.event_loop import event_loop
from chatconnect.http.statuses import status_of
from chatconnect.settings import settings
from functions.realtime.wiring import access_service

access = access_service(settings())


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer one WebSocket event: $connect checks `?token=`, "ping" gets a "pong", anything else an error."""
    route = event["requestContext"]["routeKey"]
    if route == "$connect":
        return event_loop().run_until_complete(_connect(event))
    if route == "$disconnect":
        return {"statusCode": 200}
    return {"statusCode": 200, "body": json.dumps(_reply(event.get("body")))}


async def _connect(event: dict[str, Any]) -> dict[str, Any]:
    token = Secret((event.get("queryStringParameters") or {}).get("token") or "")
    try:
        await _check(token)
    except ChatConnectError as error:
        return {"statusCode": status_of(error)}
    return {"statusCode": 200}


async def _check(token: Secret) -> None:
    """Accept a visitor's chat token or a member's access token. Raises Unauthenticated."""
    try:
        await access.visitor(token)
    except Unauthenticated as error:
        if error.code != "token_invalid":
            raise
        await access.staff(token)


def _reply(body: str | None) -> dict[str, Any]:
    try:
        action = json.loads(body or "{}").get("action")
    except (ValueError, AttributeError):
        action = None
    if action == "ping":
        return {"action": "pong"}
    return {"error": {"code": "unknown_action", "message": "this connection knows ping"}}
