"""The child process that reads one file: `python -m chatconnect.adapters.parsers.worker LIMITS PATH NAME`.

It limits itself before it opens the file and writes one frame to its standard output: the lengths of a JSON
header and of a text as two 8-byte numbers, then both. JSON and not pickle: what comes out of a parser that a
file may have taken over must not be able to run in the parent. Before the frame it says how much it has read of how
much: one of UNITS and two 4-byte numbers, together as long as the frame's start, which never begins like that.
"""

import json
import os
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

from chatconnect.adapters.parsers.detect import Kind, detect
from chatconnect.domain.chunking import ParsedDocument
from chatconnect.domain.errors import DocumentRejected

FRAME_START = 16
_PAGES, _PERCENT = b"\xffpages\xff\xff", b"\xffshare\xff\xff"
UNITS = {_PAGES: "pages", _PERCENT: "percent"}
_PAUSE_SECONDS = 0.25
MEMORY = "The document needs too much memory to read. Please split it, or print it to a new PDF."


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may use: bytes of address space and seconds of processor time."""

    memory_bytes: int
    cpu_seconds: int

    def to_argument(self) -> str:
        """Return the limits as one command line argument."""
        return json.dumps(asdict(self))


def main(arguments: list[str]) -> None:
    """Read the file that the arguments name and write the frame; nothing is written when the process dies."""
    limits, path, filename = arguments
    _restrict(Limits(**json.loads(limits)))
    try:
        document = _parse(Path(path), filename)
        header, text = json.dumps(_header(document)).encode(), document.text.encode()
    except DocumentRejected as rejected:
        header, text = _rejection(rejected.code, rejected.message), b""
    except MemoryError:
        header, text = _rejection("parser_memory", MEMORY), b""
    except RecursionError:
        header, text = _rejection("too_complex", "The document is nested too deeply. Please simplify it."), b""
    _write(header, text)


def _report(kind: type[BaseException], _: BaseException, trace: TracebackType | None) -> None:
    """Say of a fault what it is and where, not its message, which may hold the document's text."""
    import traceback

    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(trace)[-3:]]
    sys.stderr.write(f"parser fault: {kind.__name__} {' '.join(places)}\n")


def _restrict(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _parse(path: Path, filename: str) -> ParsedDocument:
    """Parse the file, importing only what its kind needs."""
    data = path.read_bytes()
    kind = detect(data, filename)
    if kind is Kind.PDF:
        from chatconnect.adapters.parsers.pdf import parse_pdf

        return parse_pdf(data, _Count(_PAGES).tell)
    if kind is Kind.TEXT:
        from chatconnect.adapters.parsers.text import parse_text

        return parse_text(data)  # takes a fraction of a second, whatever the file
    if kind is Kind.DOCX:
        from chatconnect.adapters.parsers.docx import parse_docx as parse
    elif kind is Kind.CSV:
        from chatconnect.adapters.parsers.csv import parse_csv as parse
    elif kind is Kind.HTML:
        from chatconnect.adapters.parsers.html import parse_html as parse
    else:
        from chatconnect.adapters.parsers.markdown import parse_markdown as parse
    return parse(data, _Count(_PERCENT).tell)


class _Count:
    """Tells the parent how much has been read, not too often."""

    def __init__(self, unit: bytes) -> None:
        self._unit = unit
        self._told_at = 0.0

    def tell(self, done: int, total: int) -> None:
        if (now := time.monotonic()) - self._told_at >= _PAUSE_SECONDS:
            self._told_at = now
            if self._unit == _PERCENT:
                done, total = 100 * done // max(1, total), 100
            os.write(sys.stdout.fileno(), self._unit + done.to_bytes(4, "big") + total.to_bytes(4, "big"))


def _rejection(code: str, message: str) -> bytes:
    return json.dumps({"rejected": [code, message]}).encode()


def _header(document: ParsedDocument) -> dict[str, object]:
    """Return all but the text; sections by their place in it."""
    return {
        "media_type": document.media_type,
        "pages": document.pages,
        "sections": [[part.start, len(part.text), part.page, part.headings, part.rows] for part in document.sections],
    }


def _write(header: bytes, text: bytes) -> None:
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as out:
        out.write(len(header).to_bytes(8, "big") + len(text).to_bytes(8, "big"))
        out.write(header)
        out.write(text)


if __name__ == "__main__":
    sys.excepthook = _report
    main(sys.argv[1:])
