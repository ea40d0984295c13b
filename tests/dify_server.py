"""A Dify server as its Knowledge API is seen from outside: the shapes and refusals of Dify 1.13, and faults."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from tests.fakes.knowledge_sources import likeness
from tests.http_server import HttpServer, Request

KEY = "dataset-of-the-dify-server"
AS_SET_UP = {"search_method": "semantic_search", "top_k": 4, "score_threshold_enabled": False, "score_threshold": None}


@dataclass(frozen=True)
class Fault:
    """What comes in place of an answer. `seconds` of silence first; `cut` closes before the body's end."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    cut: bool = False


class DifyServer(HttpServer):
    """Answers from its datasets, and first with the faults that it was given, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.datasets: dict[str, list[dict[str, Any]]] = {}
        self.closed_datasets: set[str] = set()
        self.keys = {KEY}
        self.faults: deque[Fault] = deque()

    def holds(self, texts: Mapping[str, str]) -> str:
        """Add a dataset with a document of one segment for each title; return its id."""
        dataset_id = str(uuid4())
        self.datasets[dataset_id] = [segment(title, text) for title, text in texts.items()]
        return dataset_id

    async def answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        fault = self.faults.popleft() if self.faults else None
        if fault is None:
            status, said = self._found(request)
            fault = Fault(status, json.dumps(said).encode())
        await asyncio.sleep(fault.seconds)
        head = {"content-type": "application/json", "content-length": str(len(fault.body))} | dict(fault.headers)
        named = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        sent = fault.body[: len(fault.body) // 2] if fault.cut else fault.body
        writer.write(f"HTTP/1.1 {fault.status} Dify\r\n{named}\r\n".encode() + sent)
        await writer.drain()
        return not fault.cut

    def _found(self, request: Request) -> tuple[int, dict[str, Any]]:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or key not in self.keys:
            return refusal(401, "unauthorized", "Access token is invalid")
        parts = request.path.split("/")
        if request.method != "POST" or parts[:3] != ["", "v1", "datasets"] or parts[4:] != ["retrieve"]:
            return refusal(404, "not_found", "The requested URL was not found on the server.")
        segments = self.datasets.get(parts[3])
        if segments is None:
            return refusal(404, "not_found", "Dataset not found.")
        if parts[3] in self.closed_datasets:
            return refusal(403, "forbidden", "Dataset api access is not enabled.")
        query, model = request.body.get("query"), request.body.get("retrieval_model") or AS_SET_UP
        if not isinstance(query, str) or not query:
            return refusal(400, "invalid_param", "Query or attachment_ids is required")
        if len(query) > 250:
            return refusal(400, "invalid_param", "Query cannot exceed 250 characters")
        if not {"search_method", "reranking_enable", "top_k", "score_threshold_enabled"} <= {
            "reranking_enable",
            *model,
        }:
            return refusal(400, "invalid_param", "Field required")
        return 200, {"query": {"content": query}, "records": found(segments, query, model)}


def found(segments: list[dict[str, Any]], query: str, model: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The records of a search. Without a threshold everything comes, however little it fits."""
    least = model["score_threshold"] if model["score_threshold_enabled"] else 0.0
    scored = [(likeness(query, f"{each['content']} {each['answer'] or ''}"), each) for each in segments]
    scored.sort(key=lambda pair: pair[0], reverse=True)
    return [record(each, score) for score, each in scored if score >= least][: model["top_k"]]


def record(segment: dict[str, Any], score: float | None, **more: Any) -> dict[str, Any]:
    """One record of an answer."""
    around: dict[str, Any] = {"child_chunks": [], "tsne_position": None, "files": [], "summary": None}
    return {"segment": segment, "score": score} | around | more


def segment(title: str, content: str, *, position: int = 1, answer: str | None = None) -> dict[str, Any]:
    """A segment of the document that is called so, with all that Dify says of it."""
    document_id = str(uuid5(NAMESPACE_URL, title))
    document = {"id": document_id, "data_source_type": "upload_file", "name": title, "doc_type": None,
                "doc_metadata": None}  # fmt: skip
    return {
        "id": str(uuid5(NAMESPACE_URL, f"{title} {position}")),
        "position": position,
        "document_id": document_id,
        "content": content,
        "sign_content": content,
        "answer": answer,
        "word_count": len(content.split()),
        "tokens": len(content) // 4,
        "keywords": [],
        "index_node_id": str(uuid5(NAMESPACE_URL, f"node {title} {position}")),
        "index_node_hash": uuid5(NAMESPACE_URL, content).hex,
        "hit_count": 1,
        "enabled": True,
        "disabled_at": None,
        "disabled_by": None,
        "status": "completed",
        "created_by": "ad313dd6-ef04-4dd1-a5b0-c0f0b9e2e7e4",
        "created_at": 1741267200,
        "indexing_at": 1741267200,
        "completed_at": 1741267200,
        "error": None,
        "stopped_at": None,
        "document": document,
    }


def answering(*records: dict[str, Any]) -> Fault:
    """A good answer with these records."""
    return Fault(200, json.dumps({"query": {"content": "x"}, "records": list(records)}).encode())


def refusal(status: int, code: str, message: str) -> tuple[int, dict[str, Any]]:
    """A refusal in Dify's form."""
    return status, {"code": code, "message": message, "status": status}


def refusing(status: int, code: str = "unknown", message: str = "No.", **headers: str) -> Fault:
    """A fault that is a refusal in Dify's form."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(status, json.dumps(refusal(status, code, message)[1]).encode(), named)
