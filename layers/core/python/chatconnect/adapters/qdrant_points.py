"""Points over Qdrant's REST API, sent straight: the client's models and JSON take ten times as long for vectors."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson

from chatconnect.domain.errors import Unavailable
from chatconnect.domain.secret import Secret

if TYPE_CHECKING:
    from chatconnect.adapters.http_connections import Head, HttpConnections

_OK, _MISSING = 200, 404

Point = Mapping[str, Any]


class _NoCollection(Unavailable):
    """It was dropped, or nothing was ever stored."""


class QdrantPoints:
    """Keeps its own connections, opened at first use. `on_missing` hears that there is no such collection."""

    def __init__(
        self,
        url: str,
        *,
        api_key: Secret | None,
        timeout_seconds: float,
        on_missing: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_missing = on_missing
        self._url, self._timeout = url.rstrip("/"), timeout_seconds
        self._headers = {"Content-Type": "application/json"} | ({"api-key": api_key.reveal()} if api_key else {})
        self._connections: HttpConnections | None = None
        self._heads: dict[tuple[str, str], Head] = {}  # a handful; making one takes as long as reading an answer

    async def query(self, collection: str, queries: Sequence[Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
        """Return the points that each query finds, with `score` and `payload`, in one request. Raises Unavailable."""
        answers = await self._send("POST", f"{collection}/points/query/batch", {"searches": queries})
        return [answer["points"] for answer in answers]

    async def scroll(self, collection: str, body: Mapping[str, Any]) -> tuple[list[dict[str, Any]], Any]:
        """Return a page of points, and the `offset` of the next one (None: no more). Raises Unavailable."""
        answer = await self._send("POST", f"{collection}/points/scroll", body)
        return answer["points"], answer.get("next_page_offset")

    async def upsert(self, collection: str, points: Sequence[Point]) -> None:
        """Store points, each with `id`, `vector` and `payload`, and wait until they are. Raises Unavailable."""
        await self._send("PUT", f"{collection}/points?wait=true", {"points": points})

    async def delete(self, collection: str, meant: Mapping[str, Any]) -> None:
        """Remove the points that a filter means, and wait until they are; without a collection there are none.

        Raises Unavailable.
        """
        with suppress(_NoCollection):
            await self._send("POST", f"{collection}/points/delete?wait=true", {"filter": meant})

    async def aclose(self) -> None:
        """Close the connections; the next use opens new ones."""
        connections, self._connections = self._connections, None
        if connections is not None:
            connections.close()

    async def _send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Send a request and return the `result` of its answer."""
        import httpx2

        from chatconnect.adapters.http_connections import HttpConnections

        head, content = self._head(method, path), orjson.dumps(body)
        self._connections = self._connections or HttpConnections()
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._connections.send(head, head.with_body(content))
                answer = await response.read()
            if response.status == _OK:
                return orjson.loads(answer)["result"]
        except (httpx2.TransportError, OSError, TimeoutError, ValueError, LookupError, TypeError) as error:
            raise Unavailable("the knowledge store", code="knowledge_unavailable") from error
        if response.status == _MISSING:
            self._on_missing()
            raise _NoCollection("the knowledge store", code="knowledge_unavailable")
        raise Unavailable("the knowledge store", code="knowledge_unavailable")

    def _head(self, method: str, path: str) -> "Head":
        if (head := self._heads.get((method, path))) is None:
            import httpx2

            from chatconnect.adapters.http_connections import Head

            request = httpx2.Request(method, f"{self._url}/collections/{path}", headers=self._headers)
            head = self._heads[method, path] = Head.of(request)
        return head
