"""Searches over Qdrant's REST API, sent straight: the client's models and HTTP library take ten times as long."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from chatconnect.domain.errors import Unavailable
from chatconnect.domain.secret import Secret

if TYPE_CHECKING:
    from chatconnect.adapters.http_transport import DirectTransport

_OK = 200


class QdrantQueries:
    """Keeps its own connections, opened at first use."""

    def __init__(self, url: str, *, api_key: Secret | None, timeout_seconds: float) -> None:
        self._url, self._timeout = url.rstrip("/"), timeout_seconds
        self._headers = {"Content-Type": "application/json"} | ({"api-key": api_key.reveal()} if api_key else {})
        self._transport: DirectTransport | None = None

    async def query(self, collection: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the points that a query finds, each with `score` and `payload`. Raises Unavailable."""
        import httpx2

        request = httpx2.Request(
            "POST", f"{self._url}/collections/{collection}/points/query", headers=self._headers,
            content=orjson.dumps(body),
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._connections().handle_async_request(request)
                answer = await response.aread()
                await response.aclose()
            if response.status_code != _OK:
                raise Unavailable("the knowledge store", code="knowledge_unavailable")
            points: list[dict[str, Any]] = orjson.loads(answer)["result"]["points"]
        except (httpx2.TransportError, OSError, TimeoutError, ValueError, LookupError, TypeError) as error:
            raise Unavailable("the knowledge store", code="knowledge_unavailable") from error
        return points

    async def aclose(self) -> None:
        """Close the connections; the next use opens new ones."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    def _connections(self) -> "DirectTransport":
        if self._transport is None:
            from chatconnect.adapters.http_transport import DirectTransport

            self._transport = DirectTransport()
        return self._transport
