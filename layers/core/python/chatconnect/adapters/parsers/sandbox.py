"""Runs the parsers in a child process, so that no file can take the function's memory, time or life."""

import asyncio
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path, PurePath
from typing import Any

from chatconnect.adapters.parsers.sections import MAX_CHARACTERS
from chatconnect.adapters.parsers.worker import FRAME_START, MEMORY, UNITS, Limits
from chatconnect.domain.chunking import ParsedDocument, Section
from chatconnect.domain.errors import DocumentRejected
from chatconnect.domain.knowledge import Progress
from chatconnect.ports.parsing import OnProgress, unwatched

MEBIBYTE = 1024 * 1024
# A character takes at most four bytes; the header of a text of that length stays far below this.
_MAX_TEXT_BYTES = 4 * MAX_CHARACTERS
_MAX_HEADER_BYTES = 32 * MEBIBYTE
_MAX_SUFFIX = 16
_MOST_COUNTED = 1_000_000

_TIME = "The document takes too long to read. Please split it, or print it to a new PDF."
_BROKEN = "The document cannot be read; it seems to be damaged. Please export it again."
# How a process ends that may not have the memory it asks for, besides saying so: PDFium aborts, Linux kills.
_MEMORY_SIGNALS = frozenset({signal.SIGABRT, signal.SIGTRAP, signal.SIGILL, signal.SIGKILL})


class SandboxedParser:
    """Reads a file in a child process with limits on memory, processor time and wall-clock time.

    One child per call; calls may overlap. The child is not given the environment, where credentials are.
    """

    def __init__(
        self,
        *,
        memory_bytes: int = 256 * MEBIBYTE,
        timeout_seconds: float = 60,
        max_file_bytes: int = 10 * MEBIBYTE,
    ) -> None:
        self._limits = Limits(memory_bytes, math.ceil(timeout_seconds))
        self._timeout_seconds = timeout_seconds
        self._max_file_bytes = max_file_bytes

    async def parse(self, path: Path, filename: str, on_progress: OnProgress = unwatched) -> ParsedDocument:
        """Return the document's text and sections; raises DocumentRejected whatever the file does."""
        self._check_size(path)
        child = self._started(path, filename)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await asyncio.to_thread(_result, child, on_progress)
        except TimeoutError as error:
            raise DocumentRejected("parser_timeout", _TIME) from error
        finally:
            child.kill()

    def _check_size(self, path: Path) -> None:
        size = path.stat().st_size
        if size > self._max_file_bytes:
            limit = self._max_file_bytes // MEBIBYTE
            raise DocumentRejected("too_large", f"The file is larger than {limit} MB. Please split it.")
        if not size:
            raise DocumentRejected("empty", "The file is empty.")

    def _started(self, path: Path, filename: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "chatconnect.adapters.parsers.worker"]
        # Of the name only its ending matters, and a process list is no place for the rest.
        suffix = PurePath(filename.strip()).suffix.encode("ascii", "ignore").decode()[:_MAX_SUFFIX].replace("\0", "")
        return subprocess.Popen(
            [*command, self._limits.to_argument(), os.fspath(path), f"file{suffix}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=_environment(),
        )


def _environment() -> dict[str, str]:
    """Return what the interpreter needs to start, and nothing else."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONHOME") if name in os.environ}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1"}


def _result(child: subprocess.Popen[bytes], on_progress: OnProgress) -> ParsedDocument:
    """Wait for the child's frame and its end; runs in a thread, which ends at the latest when the child is killed."""
    with child:  # closes the pipe and waits
        try:
            frame = _frame(child, on_progress)
        except DocumentRejected:
            child.kill()
            raise
    if frame is None:
        raise _death(child.returncode)
    try:
        return _document(*frame)
    except (ValueError, TypeError, LookupError) as error:
        raise DocumentRejected("damaged", _BROKEN) from error


def _frame(child: subprocess.Popen[bytes], on_progress: OnProgress) -> tuple[bytes, bytes] | None:
    """Return header and text, or None when the child died first; raises DocumentRejected for absurd lengths.

    Before them the child says how much it has read.
    """
    pipe = child.stdout
    if pipe is None:
        return None
    while unit := UNITS.get((start := pipe.read(FRAME_START))[:8]):
        done, total = int.from_bytes(start[8:12], "big"), int.from_bytes(start[12:], "big")
        if not done <= total <= _MOST_COUNTED:
            raise DocumentRejected("damaged", _BROKEN)
        on_progress(Progress(done, total, unit))
    header_length, text_length = int.from_bytes(start[:8], "big"), int.from_bytes(start[8:], "big")
    if header_length > _MAX_HEADER_BYTES or text_length > _MAX_TEXT_BYTES:
        raise DocumentRejected("damaged", _BROKEN)
    header, text = pipe.read(header_length), pipe.read(text_length)
    if not header or len(header) < header_length or len(text) < text_length:
        return None
    return header, text


def _document(header_json: bytes, text_bytes: bytes) -> ParsedDocument:
    """Return what the frame says; raises DocumentRejected when it says so."""
    header: dict[str, Any] = json.loads(header_json)
    if "rejected" in header:
        raise DocumentRejected(*header["rejected"])
    text = text_bytes.decode()
    sections = tuple(
        Section(text[start : start + length], start, page, tuple(headings), bool(rows))
        for start, length, page, headings, rows in header["sections"]
    )
    return ParsedDocument(text, sections, header["media_type"], header["pages"])


def _death(returncode: int) -> DocumentRejected:
    """Say why a child ended that did not say so itself."""
    if returncode == -signal.SIGXCPU:
        return DocumentRejected("parser_timeout", _TIME)
    if -returncode in _MEMORY_SIGNALS:
        return DocumentRejected("parser_memory", MEMORY)
    return DocumentRejected("damaged", _BROKEN)
