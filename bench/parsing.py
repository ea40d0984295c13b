"""A PDF of 200 pages to chunks: the product and LangChain with pypdf, in turns. Target: five times the speed."""

import tempfile
from pathlib import Path
from typing import Any

from bench.ingestion import PAGES, pdf_file
from bench.splitting import compared
from chatconnect.adapters.parsers.pdf import parse_pdf
from chatconnect.adapters.tokens import BpeTokenCounter
from chatconnect.domain.chunking import split

_TARGET = 5


def main() -> dict[str, Any]:
    """Return the figures."""
    count = BpeTokenCounter("cl100k_base")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "handbook.pdf"
        path.write_bytes(pdf_file())
        figures = compared(
            path,
            lambda: [chunk.text for chunk in split(parse_pdf(path.read_bytes()), count)],
            ["langchain_pypdf"],
        )
    for each in figures.values():
        each["pages_per_second"] = round(PAGES / each["seconds"], 1)
    return {"pages": PAGES, "target": {"langchain_pypdf": _TARGET}, **figures}
