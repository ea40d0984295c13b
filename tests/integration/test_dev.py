"""`make dev` as a developer lives with it: started, started twice, stopped, started again."""

import asyncio
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from local.services import free_port

pytestmark = pytest.mark.timeout(400)  # the whole product is started four times
READY_SECONDS = 90
PORTS = ("API_PORT", "POSTGRES_PORT", "REDIS_PORT", "QDRANT_PORT", "AWS_PORT")


@pytest.fixture
def environment(tmp_path: Path) -> Mapping[str, str]:
    """A place and ports of its own."""
    return {**os.environ, "LOCAL_STATE": str(tmp_path), **{name: str(free_port()) for name in PORTS}}


async def started(environment: Mapping[str, str]) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "local.dev",
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def addresses(environment: Mapping[str, str]) -> dict[str, Any]:
    path = Path(environment["LOCAL_STATE"]) / "dev.json"
    async with asyncio.timeout(READY_SECONDS):
        while not path.exists():
            await asyncio.sleep(0.1)
    found: dict[str, Any] = json.loads(path.read_text())
    return found


async def interrupted(dev: Process) -> str:
    dev.send_signal(signal.SIGINT)
    async with asyncio.timeout(30):
        said, _ = await dev.communicate()
    return said.decode()


async def ended(dev: Process) -> str:
    async with asyncio.timeout(READY_SECONDS):
        said, _ = await dev.communicate()
    return said.decode()


def left_of(children: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Those of the processes that live on."""
    _, alive = psutil.wait_procs(children, timeout=15)
    return alive


async def test_dev_from_the_first_start_over_a_crash_to_a_reset(environment: Mapping[str, str]) -> None:
    dev = await started(environment)
    first = await addresses(environment)
    async with httpx.AsyncClient(timeout=30) as http:
        ready = await http.get(f"{first['api_url']}/health/ready")
        pages = [await http.get(url) for url in (first["demo_url"], first["dashboard_url"])]
        script = await http.get(f"{first['api_url']}/widget.js")
    second = await started(environment)
    refusal = await ended(second)
    assert ready.json()["status"] == "ok"
    assert {response.status_code for response in (*pages, script)} == {200}
    assert second.returncode == 1
    assert "already running" in refusal

    children = psutil.Process(dev.pid).children(recursive=True)
    dev.kill()
    await dev.wait()
    assert not left_of(children)
    (Path(environment["LOCAL_STATE"]) / "dev.json").unlink()

    again = await started(environment)
    found = await addresses(environment)
    question = {"message": "How long is the warranty on the frame?"}
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {found['secret_key']}"}, timeout=30) as http:
        answer = await http.post(f"{found['api_url']}/v1/chat", json=question)
    children = psutil.Process(again.pid).children(recursive=True)
    said = await interrupted(again)
    assert found["widget_key"] == first["widget_key"]
    assert "ten years" in answer.json()["text"]
    assert again.returncode == 0
    assert "nothing is left running" in said
    assert not left_of(children)

    clean = await started({**environment, "RESET": "1"})
    anew = await addresses(environment)
    await interrupted(clean)
    assert anew["tenant_id"] != first["tenant_id"]


async def test_a_taken_port_is_named_with_its_variable(environment: Mapping[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        dev = await started({**environment, "QDRANT_PORT": str(port)})
        said = await ended(dev)

    assert dev.returncode == 1
    assert f"port {port} for qdrant is taken; set QDRANT_PORT" in " ".join(said.split())
