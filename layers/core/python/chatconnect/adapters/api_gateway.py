"""The connections of a WebSocket API of API Gateway, and of what serves the same interface on one machine."""

from chatconnect.adapters.aws import aws_errors, call_at, error_code

_GONE = frozenset({"GoneException", "410"})


class ApiGatewayConnections:
    """Connections behind a callback URL: `https://{api}.execute-api.{region}.amazonaws.com/{stage}`."""

    def __init__(self, callback_url: str) -> None:
        self._callback_url = callback_url

    async def send(self, connection_id: str, text: str) -> bool:
        """Send; False when there is no such connection (any more). Raises Unavailable."""
        parameters = {"ConnectionId": connection_id, "Data": text.encode()}
        with aws_errors("the connections"):
            try:
                await call_at(self._callback_url, "apigatewaymanagementapi", "post_to_connection", **parameters)
            except Exception as error:
                if error_code(error) in _GONE:
                    return False
                raise
        return True
