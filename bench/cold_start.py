"""How long each function takes from the start of its process to its first answer, and how much of that is importing.

Buffered functions run under Lambda's own runtime client, the streaming chat as the server that its `run.sh` starts.
Bytecode is warm: the first round is not counted.
"""

import asyncio
import contextlib
import http.client
import json
import re
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote_plus

import httpx

from bench.machine import spin_ms
from local.configuration import ROOT
from local.demo import SAMPLES
from local.events import event_values, read_event
from local.function import LocalFunction, function_environment
from local.parent import die_with_parent
from local.services.process import HOST, free_port
from tests.stack import RunningStack, running_stack

ROUNDS = 5
FIRST_EVENTS = {
    "chat": "chat",
    "config": "config",
    "widget_config": "widget_config",
    "documents": "documents",
    "jobs": "jobs-reconcile",
    "realtime": "realtime-connect",
    "migrate": None,  # it needs an administrator's secret: only its initialisation is measured
}
UPLOAD = SAMPLES / "returns-policy.txt"
QUESTION = json.dumps({"message": "How long is the warranty on the frame?"})
_POLL_SECONDS = 0.002
_LIMIT_SECONDS = 60.0
_IMPORTED = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+([\w.]+)", re.MULTILINE)

Times = dict[str, list[float]]


@dataclass(frozen=True)
class Product:
    """A running stack, as far as functions need it."""

    settings: Mapping[str, str]
    values: Mapping[str, str]

    @classmethod
    def of(cls, stack: RunningStack) -> "Product":
        addresses = {"api_url": stack.api_url, "s3_endpoint": stack.services.aws.url, "bucket": stack.resources.bucket}
        return cls(stack.settings, event_values({**addresses, **asdict(stack.demo)}))

    def event(self, name: str) -> Any:
        """Return a function's first event; for documents it tells of a new upload each time."""
        sample = FIRST_EVENTS[name]
        values = {**self.values, "upload_key": self._new_upload()} if name == "documents" else self.values
        return read_event(ROOT / "events" / f"{sample}.json", values) if sample else {}

    def _new_upload(self) -> str:
        body = {"filename": UPLOAD.name, "content_type": "text/plain", "size": UPLOAD.stat().st_size}
        headers = {"Authorization": f"Bearer {self.values['secret_key']}"}
        promised = httpx.post(f"{self.values['api_url']}/v1/documents", headers=headers, json=body).raise_for_status()
        form = promised.json()["upload"]
        httpx.post(form["url"], data=form["fields"], files={"file": UPLOAD.read_bytes()}).raise_for_status()
        return quote_plus(form["fields"]["key"], safe="/")


def main() -> dict[str, Any]:
    """Return seconds (medians) and shares, by function."""
    return asyncio.run(measured())


async def measured() -> dict[str, Any]:
    """Bring the stack up and measure, the functions in turn in each round."""
    with TemporaryDirectory() as state:
        async with running_stack(Path(state)) as stack:
            product = Product.of(stack)
            await stack.worker.stop()  # uploads are for the measured functions alone
            times: dict[str, Times] = defaultdict(lambda: defaultdict(list))
            spins = []
            for counted in (False, *[True] * ROUNDS):
                spins.append(spin_ms())
                for name in FIRST_EVENTS:
                    keep(times[name], buffered_start(product, name), counted=counted)
                keep(times["chat (streaming server)"], streaming_start(product), counted=counted)
            figures = {name: medians(of) for name, of in times.items()}
            for name in FIRST_EVENTS:
                figures[name] |= imports(product, name, Path(state) / "imports.log")
    return {"rounds": ROUNDS, "spin_ms": [round(spin, 2) for spin in spins], "functions": figures}


def keep(times: Times, taken: Mapping[str, float], *, counted: bool) -> None:
    """Add one start's times to those of the others."""
    if counted:
        for what, seconds in taken.items():
            times[what].append(seconds)


def medians(times: Times) -> dict[str, Any]:
    return {f"{what}_seconds": round(median(taken), 3) for what, taken in times.items()}


def buffered_start(product: Product, name: str, **options: Any) -> dict[str, float]:
    """Start a function under the runtime client, let it answer one event, end it."""
    event = product.event(name)
    with LocalFunction(name, product.settings, **{"log": subprocess.DEVNULL, **options}) as function:
        outcome = function.invoke(event, timeout_seconds=_LIMIT_SECONDS)
        failed = outcome.error or (outcome.payload or {}).get("batchItemFailures")
        if function.api.initialised_at is None or (FIRST_EVENTS[name] and failed):
            raise RuntimeError(f"{name} failed: {failed}")
        taken = {"initialised": function.api.initialised_at - function.started_at}
        if FIRST_EVENTS[name]:
            taken["first_answer"] = outcome.at - function.started_at
    return taken


def streaming_start(product: Product) -> dict[str, float]:
    """Start the chat server as on AWS, ask for its health and for one streamed answer, end it."""
    port = free_port()
    begin = time.perf_counter()
    with server(product, port):
        while not is_healthy(port):
            if time.perf_counter() - begin > _LIMIT_SECONDS:
                raise RuntimeError("the chat server did not start")
            time.sleep(_POLL_SECONDS)
        healthy = time.perf_counter() - begin
        wait_for_first_token(port, product.values["secret_key"])
        return {"health": healthy, "first_token": time.perf_counter() - begin}


@contextlib.contextmanager
def server(product: Product, port: int) -> Iterator[None]:
    process = subprocess.Popen(
        ["sh", "functions/chat/run.sh"],
        cwd=ROOT,
        env={**function_environment("chat", product.settings), "PORT": str(port), "HOST": HOST},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def is_healthy(port: int) -> bool:
    with contextlib.closing(http.client.HTTPConnection(HOST, port)) as connection:
        try:
            connection.request("GET", "/health")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False


def wait_for_first_token(port: int, secret_key: str) -> None:
    headers = {"Authorization": f"Bearer {secret_key}", "Content-Type": "application/json"}
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=_LIMIT_SECONDS)) as connection:
        connection.request("POST", "/v1/chat/stream", QUESTION, headers)
        for line in connection.getresponse():
            if line.startswith(b"event: token"):
                return
    raise RuntimeError("the answer ended without a token")


def imports(product: Product, name: str, log: Path) -> dict[str, Any]:
    """Return importing's share of one start up to the first answer, and what cost most, by package in milliseconds.

    The interpreter's own account of it slows it down, so only the share is comparable with the other figures.
    """
    with log.open("wb") as output:
        taken = buffered_start(product, name, python=("-X", "importtime"), log=output)
    spent: Counter[str] = Counter()
    for microseconds, module in _IMPORTED.findall(log.read_text()):
        spent[module.partition(".")[0]] += int(microseconds)
    return {
        "import_share": round(spent.total() / 1e6 / max(taken.values()), 2),
        "heaviest_imports_ms": {package: round(spent_us / 1000) for package, spent_us in spent.most_common(6)},
    }
