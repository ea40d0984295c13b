"""The child process: what it may not know, how it ends, and what it costs to start."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from chatconnect.adapters.parsers import sandbox
from chatconnect.adapters.parsers.sandbox import SandboxedParser
from chatconnect.adapters.parsers.worker import UNITS
from chatconnect.domain.errors import DocumentRejected
from chatconnect.domain.knowledge import Progress
from tests import files
from tests.waiting import until

RunInstead = Callable[[str], None]


@pytest.fixture
def run_instead(monkeypatch: pytest.MonkeyPatch) -> RunInstead:
    """Makes the child run other code, as a parser that a file has taken over would."""
    popen = subprocess.Popen

    def run_instead(code: str) -> None:
        def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
            return popen([command[0], "-c", code], **options)

        monkeypatch.setattr(subprocess, "Popen", start)

    return run_instead


@pytest.fixture
def text_file(tmp_path: Path) -> Path:
    path = tmp_path / "upload"
    path.write_text("Some text.")
    return path


def frame(header: bytes, text: bytes = b"") -> str:
    """Code that sends this frame."""
    data = len(header).to_bytes(8, "big") + len(text).to_bytes(8, "big") + header + text
    return f"import sys; sys.stdout.buffer.write({data!r})"


def pages(done: int, total: int) -> str:
    """Code that writes how many pages it has read, and nothing else."""
    data = next(iter(UNITS)) + done.to_bytes(4, "big") + total.to_bytes(4, "big")
    return f"import sys; sys.stdout.buffer.write({data!r})"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "damaged"),
        ("import os; os._exit(3)", "damaged"),
        ("import os; os.abort()", "parser_memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "parser_memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "parser_timeout"),
        ("print('garbage that is no frame at all')", "damaged"),
        (pages(8, 7), "damaged"),
        (pages(7, 4_000_000_000), "damaged"),
        (pages(1, 7), "damaged"),
        (frame(b"not json"), "damaged"),
        (frame(b"[1]"), "damaged"),
        (frame(b'{"sections": [[0]], "media_type": "text/plain", "pages": null}'), "damaged"),
        (frame(b'{"sections": [], "media_type": "text/plain", "pages": null}', b"\xff"), "damaged"),
    ],
)
async def test_whatever_the_child_does_the_document_is_rejected(
    text_file: Path, run_instead: RunInstead, code: str, expected: str
) -> None:
    run_instead(code)

    with pytest.raises(DocumentRejected) as caught:
        await SandboxedParser().parse(text_file, "a.txt")

    assert caught.value.code == expected


async def test_a_child_that_never_stops_sending_is_cut_off(text_file: Path, run_instead: RunInstead) -> None:
    run_instead("import sys\nwhile True: sys.stdout.buffer.write(bytes([255]) * 65536)")

    with pytest.raises(DocumentRejected, match="damaged"):
        await SandboxedParser(timeout_seconds=20).parse(text_file, "a.txt")


async def test_the_child_inherits_no_secrets(
    text_file: Path, run_instead: RunInstead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    run_instead("import os, sys; sys.exit(9 if 'AWS_SECRET_ACCESS_KEY' in os.environ else os.abort())")

    with pytest.raises(DocumentRejected) as caught:
        await SandboxedParser().parse(text_file, "a.txt")

    assert caught.value.code == "parser_memory"  # the child aborted: it did not find the secret


@pytest.mark.parametrize("filename", ["a.\0txt", "a.\ud800", "-c", "x" * 300_000 + ".txt", "", "../../etc/a.txt"])
async def test_no_file_name_does_harm(text_file: Path, filename: str) -> None:
    assert (await SandboxedParser().parse(text_file, filename)).text == "Some text."


async def test_a_cancelled_call_leaves_no_child_behind(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(files.make_pdf(["A line of text\n" * 60] * 1500))
    call = asyncio.create_task(SandboxedParser().parse(path, "a.pdf"))
    [child] = await until(_workers)

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    psutil.wait_procs([child], timeout=30)
    assert not child.is_running()


def _workers() -> list[psutil.Process]:
    """The parsers that this process has started."""
    found = []
    for process in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if "parsers.worker" in " ".join(process.cmdline()):
                found.append(process)
    return found


def test_the_parent_imports_no_parser() -> None:
    code = "import sys, chatconnect.adapters.parsers.sandbox; print(*sys.modules)"

    modules = _python(code).split()

    assert not {"pypdfium2", "docx", "charset_normalizer", "splintr", "multiprocessing"} & set(modules)


def test_the_worker_starts_with_little() -> None:
    modules = _python("import sys, chatconnect.adapters.parsers.worker; print(*sys.modules)").split()

    assert not {"pypdfium2", "docx", "charset_normalizer", "asyncio", "pyexpat", "csv", "html.parser"} & set(modules)


def test_the_signals_that_mean_memory_are_no_crashes() -> None:
    assert sandbox._death(-signal.SIGKILL).code == "parser_memory"
    assert sandbox._death(-signal.SIGBUS).code == "damaged"


def _python(code: str) -> str:
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout


async def test_how_many_pages_have_been_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "file.pdf"
    path.write_bytes(files.make_pdf([f"Page {number} of the handbook." for number in range(1, 8)]))
    told: list[Progress] = []

    await SandboxedParser().parse(path, "file.pdf", told.append)

    assert told[0] == Progress(0, 7, "pages")
    assert told == sorted(told, key=lambda progress: progress.done)


@pytest.mark.parametrize(
    ("filename", "data"),
    [
        ("prices.csv", b"Plan,Price\nTeam,99"),
        ("prices.docx", files.make_docx(["The team plan costs 99 euros."])),
        ("prices.html", b"<html><p>The team plan costs 99 euros."),
        ("prices.md", b"# Prices\n\nThe team plan costs 99 euros."),
    ],
)
async def test_of_a_file_without_pages_it_is_told_how_many_percent_have_been_read(
    tmp_path: Path, filename: str, data: bytes
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(data)
    told: list[Progress] = []

    await SandboxedParser().parse(path, filename, told.append)

    assert told[0] == Progress(0, 100, "percent")
