"""One key at one provider's address, and the vendor's client that speaks for it."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar, cast

import orjson

from chatconnect.adapters.provider_http import Timeouts, open_http_client
from chatconnect.domain.secret import Secret

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI

    from chatconnect.adapters.http_connections import Head, Resolve
    from chatconnect.adapters.http_transport import DirectClient, Tried

_RETRIES = "x-stainless-retry-count"  # a header of both vendors' clients


class Body(Protocol):
    """The body of a response: its pieces as they come. To be closed."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Begin."""

    async def aclose(self) -> None:
        """End it, and the connection too when there is more to come."""


Client = TypeVar("Client", "AsyncOpenAI", "AsyncAnthropic")


class ProviderAccount(ABC, Generic[Client]):
    """One key at one address. The vendor's client is made at first use and shared by everything that needs it.

    Address, key, retries and errors are the client's. But what it sends differs from one request of a kind to the next
    in nothing but the body, and making it takes longer than all the rest of the way to the model. So from the second
    request on the first one's head is sent again. What comes of it is the answer if all went well; otherwise the client
    goes on from there, as from a first try of its own.
    """

    MODULE: ClassVar[str]
    """What of the vendor's package is used."""

    def __init__(
        self,
        key: Secret,
        base_url: str | None = None,
        timeouts: Timeouts | None = None,
        resolve: "Resolve | None" = None,
    ) -> None:
        self.key, self.base_url = key, base_url
        self.timeouts, self._resolve = timeouts or Timeouts(), resolve
        self._client: Client | None = None
        self._direct: DirectClient | None = None
        self._heads: dict[str, Head] = {}

    @abstractmethod
    def open(self, http: "httpx2.AsyncClient") -> Client:
        """Return a client that sends through `http`."""

    async def post(self, path: str, body: Mapping[str, Any]) -> bytes:
        """Send a request and return the body of the answer. Raises the vendor's errors."""
        content = orjson.dumps(body)
        tried = await self._tried(path, content, stream=False)
        if tried is not None and tried.content is not None:
            return tried.content
        response = await self._posted(path, content, tried, stream=False)
        return response.content

    async def stream(self, path: str, body: Mapping[str, Any]) -> Body:
        """Send a request and return the body of the answer as it comes. Raises the vendor's errors."""
        content = orjson.dumps(body)
        tried = await self._tried(path, content, stream=True)
        if tried is not None and tried.body is not None:
            return tried.body
        response = await self._posted(path, content, tried, stream=True)
        return _Unpacked(response) if "content-encoding" in response.headers else cast("Body", response.stream)

    async def aclose(self) -> None:
        """Close the connections; the next use opens new ones."""
        client, self._client = self._client, None
        self._heads.clear()
        if client:
            await client.close()

    async def _tried(self, path: str, content: bytes, *, stream: bool) -> "Tried | None":
        """Send an earlier request with this body; None: there was none."""
        head = self._heads.get(path)
        if self._direct is None or head is None:
            return None
        return await self._direct.repeat(head, content, stream=stream)

    async def _posted(self, path: str, content: bytes, tried: "Tried | None", *, stream: bool) -> "httpx2.Response":
        """Have the vendor's client send a request, or go on after what came of its first try.

        Its methods for each kind of request would look through every text for what they might have to transform, and
        parse the answer.
        """
        import httpx2

        client = await self._made()
        if self._direct is not None and tried is not None:
            client = client.with_options(http_client=self._direct.continued(tried))
        response: httpx2.Response = await client.post(
            path,
            cast_to=httpx2.Response,
            content=content,
            options={"headers": {"Content-Type": "application/json"}},
            stream=stream,
        )
        if response.request.headers.get(_RETRIES) == "0":
            self._keep_head(path, response.request)
        return response

    def _keep_head(self, path: str, request: "httpx2.Request") -> None:
        from chatconnect.adapters.http_connections import Head

        self._heads[path] = Head.of(request)

    async def _made(self) -> Client:
        """Return the client. The first call imports the vendor's package, in a thread: it takes seconds."""
        if self._client is None:
            await asyncio.to_thread(import_module, self.MODULE)
        if self._client is None:
            from chatconnect.adapters.http_transport import DirectClient

            http = open_http_client(self.timeouts, self._resolve)
            self._client, self._direct = self.open(http), http if isinstance(http, DirectClient) else None
        return self._client


class _Unpacked:
    """The body of a response that the server has compressed."""

    def __init__(self, response: "httpx2.Response") -> None:
        self._response = response

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._response.aiter_bytes()

    async def aclose(self) -> None:
        await self._response.aclose()
