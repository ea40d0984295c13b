"""Knowledge bases at Dify: POST {base}/v1/datasets/{id}/retrieve of its Knowledge API, as Dify 1.13 answers it."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import orjson

from chatconnect.adapters.provider_http import retry_after_of
from chatconnect.adapters.public_connections import PublicConnections
from chatconnect.domain.errors import KnowledgeSourceFailed
from chatconnect.domain.knowledge import Chunk, Passage
from chatconnect.domain.knowledge_source import KnowledgeSource
from chatconnect.domain.text import cleaned
from chatconnect.ports.tools import ToolFailed

MAX_QUERY = 250  # characters; Dify refuses more
MAX_BODY = 2 * 1024 * 1024
MAX_RECORDS = 100
MAX_TEXT = 4_000  # characters of one passage: a parent segment may be a whole document
MAX_TITLE = 200
SECONDS = 8.0
KEPT = 100  # connections of one server
_OK = 200
_CODES = {401: "knowledge_source_rejected", 403: "knowledge_source_rejected", 404: "knowledge_source_missing",
          429: "knowledge_source_busy"}  # fmt: skip
_VENDOR_CODE = re.compile(r"[a-z_]{1,60}")


class DifyServers:
    """Reaches Dify servers at public addresses, over connections that are kept and used again.

    `allow_loopback` is for one machine: see PublicConnections.
    """

    def __init__(self, *, allow_loopback: bool = False, seconds: float = SECONDS) -> None:
        self._connections = PublicConnections(kept=KEPT, allow_loopback=allow_loopback)
        self._seconds = seconds

    def at(self, source: KnowledgeSource) -> "DifyKnowledge":
        """Return the way to search a source."""
        return DifyKnowledge(self, source)

    async def post(self, url: str, key: str, body: Mapping[str, Any]) -> bytes:
        """Return the body of a good answer. Raises KnowledgeSourceFailed."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._exchange(url, key, orjson.dumps(body))
        except TimeoutError:
            raise KnowledgeSourceFailed(f"the server did not answer within {self._seconds:g} seconds") from None
        except ToolFailed as refused:
            raise KnowledgeSourceFailed(str(refused)) from None

    async def aclose(self) -> None:
        """Close the connections that are not in use."""
        await self._connections.aclose()

    async def _exchange(self, url: str, key: str, content: bytes) -> bytes:
        headers = {
            "authorization": f"Bearer {key}",
            "content-type": "application/json",
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": "ChatConnect",
        }
        answer = await self._connections.ask("POST", url, headers, content)
        try:
            body = await self._connections.read(answer, MAX_BODY)
        finally:
            await answer.aclose()
        if answer.status_code != _OK:
            raise _refusal(answer.status_code, answer.headers, body)
        return body


class DifyKnowledge:
    """One knowledge base."""

    def __init__(self, servers: DifyServers, source: KnowledgeSource) -> None:
        self._servers, self._source = servers, source

    async def search(self, query: str, *, limit: int, threshold: float) -> list[Passage]:
        """Return the passages that Dify finds, best first. Raises KnowledgeSourceFailed.

        Without a method of the source's own, Dify's settings decide; `threshold` counts for semantic search, whose
        scores are cosines. Dify says nothing of pages or of where in its document a segment stands.
        """
        asked = _shortened(query)
        if not asked:
            return []
        body: dict[str, Any] = {"query": asked}
        if self._source.search_method is not None:
            body["retrieval_model"] = _retrieval_model(self._source.search_method, limit, threshold)
        answer = await self._servers.post(_address(self._source), self._source.api_key.reveal(), body)
        try:
            passages = [_passage(record, self._source) for record in orjson.loads(answer)["records"][:MAX_RECORDS]]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise KnowledgeSourceFailed("the server answered in a form that is not Dify's") from None
        return _best(passages, limit)


def _address(source: KnowledgeSource) -> str:
    """Return where to search; Dify shows its addresses with /v1, and it may be given so."""
    root = source.base_url.rstrip("/").removesuffix("/v1")
    return f"{root}/v1/datasets/{source.dataset_id}/retrieve"


def _shortened(query: str) -> str:
    """Return the query on one line and not longer than Dify takes it, cut between words where there are any."""
    line = " ".join(cleaned(query, keep="\t\n\r").split())
    if len(line) <= MAX_QUERY:
        return line
    words, _, _ = line[: MAX_QUERY + 1].rpartition(" ")
    return words if len(words) > MAX_QUERY // 2 else line[:MAX_QUERY]


def _retrieval_model(method: str, limit: int, threshold: float) -> dict[str, Any]:
    is_cosine = method == "semantic_search"
    return {
        "search_method": method,
        "reranking_enable": False,
        "top_k": limit,
        "score_threshold_enabled": is_cosine,
        "score_threshold": threshold if is_cosine else 0.0,
    }


def _refusal(status: int, headers: Mapping[str, str], body: bytes) -> KnowledgeSourceFailed:
    """Return the error for an answer that is none. Of the server's own words only its code is passed on."""
    try:
        said = orjson.loads(body)
        vendor, message = str(said.get("code")), str(said.get("message"))
    except (ValueError, AttributeError):
        vendor, message = "", ""
    code = _CODES.get(status)
    if code == "knowledge_source_rejected" and "rate limit" in message.lower():
        code = "knowledge_source_busy"  # Dify's cloud says so with 403
    named = f" ({vendor})" if _VENDOR_CODE.fullmatch(vendor) and vendor != "None" else ""
    return KnowledgeSourceFailed(
        f"the server answered with status {status}{named}", code=code, retry_after=retry_after_of(headers)
    )


def _passage(record: Mapping[str, Any], source: KnowledgeSource) -> tuple[str, Passage] | None:
    """Return a record's segment id and passage; None when there is nothing to read in it."""
    segment = record["segment"]
    segment_id, document = str(segment["id"]), segment.get("document") or {}
    # The content of a question-and-answer document is the question.
    whole = "\n".join(part for part in (segment["content"], segment.get("answer")) if part)
    begin, end = _window(whole, record.get("child_chunks") or ())
    text = cleaned(whole[begin:end], keep="\t\n")
    score = float(record.get("score") or 0.0)
    if not text or not isfinite(score):
        return None
    title = cleaned((document.get("name") or "")[:MAX_TITLE]) or source.name
    chunk = Chunk(
        document_id=source.document_id(str(segment["document_id"])),
        version_id=source.version_id(f"{segment_id} {segment.get('index_node_hash')}"),
        title=title,
        position=max(0, int(segment.get("position") or 1) - 1),
        text=text,
        start=begin,
        end=begin + len(text),
    )
    return segment_id, Passage(chunk, score)


def _window(text: str, children: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Return which part of a segment is passed on: all, or of a long one what lies around its best child."""
    begin = 0
    if len(text) > MAX_TEXT:
        best = max(children, key=lambda child: float(child.get("score") or 0.0), default={})
        content = (best.get("content") or "")[:MAX_TEXT]
        found = max(0, text.find(content))
        begin = max(0, min(found - (MAX_TEXT - len(content)) // 2, len(text) - MAX_TEXT))
    end = min(len(text), begin + MAX_TEXT)
    return begin + len(text[begin:end]) - len(text[begin:end].lstrip()), end


def _best(found: Sequence[tuple[str, Passage] | None], limit: int) -> list[Passage]:
    """Return each segment once, the best first; those without a score keep their order."""
    once: dict[str, Passage] = {}
    for segment_id, passage in filter(None, found):
        known = once.get(segment_id)
        if known is None or passage.score > known.score:
            once[segment_id] = passage
    return sorted(once.values(), key=lambda passage: passage.score, reverse=True)[:limit]
