"""A reranking model behind `POST {base}/rerank`, in the form that Cohere, Jina, Voyage's proxies and vLLM share."""

import asyncio
from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

import orjson

from chatconnect.adapters.provider_http import Timeouts, open_http_client, refusal
from chatconnect.domain.errors import ProviderFailed
from chatconnect.domain.secret import Secret

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 1.0
_OK, _REFUSED = 200, 400


class HttpReranker:
    """One model at one address. It is asked once, without a second try: the order that is there already will do."""

    def __init__(self, base_url: str, model: str, key: Secret | None, *, seconds: float = 1.5) -> None:
        self._url, self._model, self._seconds = f"{base_url.rstrip('/')}/rerank", model, seconds
        self._headers = {"accept-encoding": "identity"} | ({"authorization": f"Bearer {key.reveal()}"} if key else {})
        self._client: httpx2.AsyncClient | None = None

    async def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return one score per text, in order. Raises ProviderBusy, ProviderFailed."""
        import httpx2

        if not texts:
            return []
        body = {"model": self._model, "query": question, "documents": list(texts), "top_n": len(texts)}
        content, headers = orjson.dumps(body), self._headers | {"content-type": "application/json"}
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._http().post(self._url, content=content, headers=headers)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError) as error:
            raise ProviderFailed from error
        if answer.status_code >= _REFUSED:
            raise refusal(answer.status_code, answer.headers)
        if answer.status_code != _OK:
            raise ProviderFailed
        return _scores(answer.content, len(texts))

    async def aclose(self) -> None:
        """Close the connections; the next use opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _http(self) -> "httpx2.AsyncClient":
        if self._client is None:
            self._client = open_http_client(Timeouts(connect=min(CONNECT_SECONDS, self._seconds)))
        return self._client


def _scores(content: bytes, count: int) -> list[float]:
    """Return the scores of an answer, which may come in any order but must be one for each text."""
    try:
        results = orjson.loads(content)["results"]
        scores = {int(each["index"]): float(each["relevance_score"]) for each in results}
    except (ValueError, TypeError, LookupError):
        raise ProviderFailed from None
    if scores.keys() != set(range(count)) or not all(map(isfinite, scores.values())):
        raise ProviderFailed
    return [scores[index] for index in range(count)]
