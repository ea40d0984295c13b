"""A thousand small documents uploaded at once: all are ready in the end, none twice.

Each is promised by the API, sent to the bucket with its presigned form, announced by it to the queue, and read by the
worker, as on AWS but one at a time: the embedded stack has one worker. Embeddings come from the scripted provider,
which costs nearly nothing. Memory is what the stack's processes hold together at their peak, sampled twice a second,
with pages that they share counted once (PSS).
"""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvloop

from bench.machine import Foreign, Tree, child, spin_ms
from bench.provider import ScriptedProvider, scripted
from bench.texts import prose
from local.services import free_port, running
from tests.stack import RunningStack, running_stack

COUNT = 1_000
CHARACTERS = 1_500  # a page: one chunk or two
_AT_ONCE = 50  # connections
_SAMPLE_SECONDS = 0.5
_LONGEST_SECONDS = 900.0
_PARTS = {"api": "local.server", "worker": "local.worker", "postgres": "postgres", "qdrant": "local.qdrant",
          "redis": "redis-server", "aws": "ministack"}  # fmt: skip


async def send(http: httpx.AsyncClient, s3: httpx.AsyncClient, number: int) -> str:
    """Upload one document as a browser does and return its id."""
    content = prose(CHARACTERS, seed=number).encode()
    name = f"note-{number:04}.txt"
    promised = await http.post("/v1/documents", json={"filename": name, "content_type": "", "size": len(content)})
    form = promised.raise_for_status().json()
    sent = await s3.post(form["upload"]["url"], data=form["upload"]["fields"], files={"file": (name, content)})
    sent.raise_for_status()
    document_id: str = form["document"]["id"]
    return document_id


async def send_all(http: httpx.AsyncClient) -> list[str]:
    """Upload everything and return the ids."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> str:
        async with room:
            return await send(http, s3, number)

    async with httpx.AsyncClient(timeout=120, trust_env=False) as s3:
        return await asyncio.gather(*(one(number) for number in range(COUNT)))


async def listed(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Return all documents, page by page."""
    documents: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 200}
    while True:
        page = (await http.get("/v1/documents", params=query)).raise_for_status().json()
        documents += page["documents"]
        if page["next_cursor"] is None:
            return documents
        query["cursor"] = page["next_cursor"]


async def until_done(http: httpx.AsyncClient, before: int) -> None:
    """Wait until none of the documents is waited for. Raises TimeoutError."""
    async with asyncio.timeout(_LONGEST_SECONDS):
        while True:
            counts = (await http.get("/v1/documents", params={"limit": 1})).raise_for_status().json()["counts"]
            if counts["ready"] + counts["failed"] >= before + COUNT:
                return
            await asyncio.sleep(1.0)


class Peak:
    """The most memory that each part of the stack held, and all together."""

    def __init__(self) -> None:
        self._trees = {name: child(word) for name, word in _PARTS.items()}
        self.parts = dict.fromkeys(self._trees, 0)
        self.all = 0

    async def watch(self) -> None:
        """Sample until cancelled."""
        while True:
            held = {name: _held(tree) for name, tree in self._trees.items()}
            self.all = max(self.all, sum(held.values()))
            self.parts = {name: max(most, held[name]) for name, most in self.parts.items()}
            await asyncio.sleep(_SAMPLE_SECONDS)


def _held(tree: Tree) -> int:
    try:
        return tree.pss()
    except psutil.Error:  # a parser ended while it was looked at
        return 0


async def points_of(stack: RunningStack, ids: Sequence[str]) -> dict[str, int]:
    """Return how many chunks each document has in the vector store."""
    counts: dict[str, int] = dict.fromkeys(ids, 0)
    async with httpx.AsyncClient(base_url=stack.services.qdrant.url, timeout=60, trust_env=False) as qdrant:
        collections = (await qdrant.get("/collections")).raise_for_status().json()["result"]["collections"]
        for collection in collections:
            offset: Any = None
            while True:
                body = {"limit": 1_000, "offset": offset, "with_payload": ["document_id"], "with_vector": False}
                path = f"/collections/{collection['name']}/points/scroll"
                found = (await qdrant.post(path, json=body)).raise_for_status().json()["result"]
                for point in found["points"]:
                    document_id = str(point["payload"]["document_id"])
                    counts[document_id] = counts.get(document_id, 0) + 1
                if (offset := found["next_page_offset"]) is None:
                    break
    return counts


async def measured() -> dict[str, Any]:
    """Upload everything at once and wait for it."""
    with tempfile.TemporaryDirectory() as folder:
        provider = ScriptedProvider(Path(folder) / "provider", free_port())
        os.environ |= {"OPENAI_BASE_URL": provider.url, "OPENAI_API_KEY": "scripted", "EMBEDDING_PROVIDER": "openai",
                       "OPENAI_MODEL": scripted(1)}  # fmt: skip
        async with running(provider), running_stack(Path(folder) / "stack") as stack:
            headers = {"Authorization": f"Bearer {stack.secret_key}"}
            async with httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=120) as http:
                return await _figures(stack, http)


async def _figures(stack: RunningStack, http: httpx.AsyncClient) -> dict[str, Any]:
    before = len(await listed(http))
    spin, others, peak = spin_ms(), Foreign(), Peak()
    watching = asyncio.create_task(peak.watch())
    begin = time.perf_counter()
    ids = await send_all(http)
    sent = time.perf_counter() - begin
    await until_done(http, before)
    seconds = time.perf_counter() - begin
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    documents = [document for document in await listed(http) if document["id"] in set(ids)]
    points = await points_of(stack, ids)
    queues = (await http.get("/health/ready")).json()["queues"]
    wrong = [d["id"] for d in documents if points[d["id"]] != d["progress"]["total"] or d["version"] != 1]
    return {
        "documents": COUNT,
        "bytes_each": CHARACTERS,
        "ready": sum(document["status"] == "ready" for document in documents),
        "failed": [document["failure"] for document in documents if document["status"] == "failed"],
        "with_chunks_twice_or_missing": len(wrong),
        "given_up": queues["dead_letters"]["waiting"],
        "seconds_to_send": round(sent, 1),
        "seconds_to_all_ready": round(seconds, 1),
        "documents_per_second": round(COUNT / seconds, 1),
        "peak_memory_mib": round(peak.all / 2**20),
        "peak_memory_mib_of_parts": {name: round(held / 2**20) for name, held in peak.parts.items()},
        "spin_ms": [round(spin, 1), round(spin_ms(), 1)],
        "foreign_cpu_share": others.share(),
    }


def main() -> dict[str, Any]:
    """Return the figures."""
    return uvloop.run(measured())


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
