"""What ingestion takes: a 10 MB text and a 200-page PDF, from the queue's message to the published document.

The document function's real handler runs in a process of its own, as on AWS one upload per call, against the embedded
stack; embeddings come from the scripted provider, which costs nearly nothing, or from the local model, which is
measured on a smaller text. Memory is what the function's processes hold together at their peak, sampled every 20 ms,
with pages that they share counted once (PSS).
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvloop

from bench.machine import Foreign, Tree, spin_ms
from bench.provider import ScriptedProvider, scripted
from bench.texts import prose
from local.demo import upload
from local.services import free_port, running
from tests.files import make_pdf
from tests.stack import RunningStack, running_stack

MEGABYTE = 1_000_000
PAGES = 200
LINES_PER_PAGE = 45
LOCAL_SAMPLE = 300_000  # characters: the local model computes a few dozen chunks per second
MEMORY_TARGET_MIB = 512
_SAMPLE_SECONDS = 0.02
_LAST_POLL_SECONDS = 3.0  # the emulator still answers the stopped worker's last long poll


def text_file(characters: int) -> bytes:
    """Return a text file of that many bytes."""
    return prose(characters).encode()


def pdf_file(seed: int = 7) -> bytes:
    """Return a PDF of 200 pages full of text."""
    return make_pdf(pages(seed))


def pages(seed: int) -> list[str]:
    """Return 200 pages full of text."""
    words = iter(prose(PAGES * LINES_PER_PAGE * 110, seed).replace("\n", " ").split(" "))
    return ["\n".join(" ".join(_take(words, 14)) for _ in range(LINES_PER_PAGE)) for _ in range(PAGES)]


def _take(words: Any, count: int) -> list[str]:
    return [next(words, "") for _ in range(count)]


@asynccontextmanager
async def _stack(embedding: str) -> AsyncIterator[tuple[RunningStack, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        provider = ScriptedProvider(state / "provider", free_port())
        os.environ |= {"OPENAI_BASE_URL": provider.url, "OPENAI_API_KEY": "scripted", "EMBEDDING_PROVIDER": embedding,
                       "OPENAI_MODEL": scripted(1)}  # fmt: skip
        async with running(provider), running_stack(state / "stack") as stack:
            await stack.worker.stop()  # the messages are this benchmark's own
            await asyncio.sleep(_LAST_POLL_SECONDS)
            yield stack, state


async def ingested(stack: RunningStack, path: Path) -> dict[str, Any]:
    """Upload a file and let the function take its message; return its figures."""
    headers = {"Authorization": f"Bearer {stack.secret_key}"}
    async with httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=60) as http:
        document_id = await upload(http, path)
        spin, others = spin_ms(), Foreign()
        begin = time.perf_counter()
        function = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.one_message"),
            env={**os.environ, **stack.settings},
            stdout=asyncio.subprocess.PIPE,
        )
        peak, idle = await _peak_memory(function)
        output, _ = await function.communicate()
        seconds = time.perf_counter() - begin
        document = (await http.get(f"/v1/documents/{document_id}")).json()
    if document["status"] != "ready":
        raise RuntimeError(f"{path.name}: {document}")
    report = json.loads(output.splitlines()[-1])
    steps: Mapping[str, float] = report["steps"]
    return {
        "bytes": path.stat().st_size,
        "chunks": document["progress"]["total"],
        "seconds": round(report["seconds"], 2),
        "process_seconds": round(seconds, 2),
        "mb_per_second": round(path.stat().st_size / MEGABYTE / report["seconds"], 2),
        "share_of_time": {step: round(spent / report["seconds"], 3) for step, spent in steps.items()},
        "cpu_seconds": report["cpu_seconds"],
        "peak_memory_mib": round(peak / 2**20),
        "memory_before_mib": round(idle / 2**20),
        "spin_ms": [round(spin, 1), round(spin_ms(), 1)],
        "foreign_cpu_share": others.share(),
    }


async def _peak_memory(function: asyncio.subprocess.Process) -> tuple[int, int]:
    """Return the most that the function's processes held together, and what they held when it had just begun."""
    tree, peak, first = Tree(psutil.Process(function.pid)), 0, 0
    while function.returncode is None:
        try:
            held = tree.pss()
        except psutil.Error:
            held = 0  # it ended while being looked at
        peak, first = max(peak, held), first or held
        try:
            await asyncio.wait_for(function.wait(), _SAMPLE_SECONDS)
        except TimeoutError:
            continue
    return peak, first


async def measured() -> dict[str, Any]:
    """Ingest everything once with each way of embedding."""
    answer: dict[str, Any] = {"target": {"peak_memory_mib": MEMORY_TARGET_MIB}}
    for embedding, characters in (("openai", 10 * MEGABYTE), ("local", LOCAL_SAMPLE)):
        async with _stack(embedding) as (stack, folder):
            (folder / "handbook.txt").write_bytes(text_file(characters))
            (folder / "handbook.pdf").write_bytes(pdf_file())
            text = await ingested(stack, folder / "handbook.txt")
            figures = {"text": text}
            if embedding == "local":
                seconds = 10 * MEGABYTE / characters * text["seconds"]
                figures["text_of_10_mb_extrapolated"] = {"seconds": round(seconds), "from_bytes": characters}
            pdf = await ingested(stack, folder / "handbook.pdf")
            figures["pdf"] = {"pages": PAGES, "pages_per_second": round(PAGES / pdf["seconds"], 1), **pdf}
        answer[f"embedding_{embedding}"] = figures
    return answer


def main() -> dict[str, Any]:
    """Return the figures."""
    return uvloop.run(measured())


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
