"""A PDF of 200 pages to chunks: the product and LangChain with pypdf, in turns. Target: five times the speed."""

import tempfile
from pathlib import Path
from typing import Any

from bench.ingestion import PAGES, pdf_file
from bench.splitting import ROUNDS, compared
from chatconnect.adapters.parsers.pdf import parse_pdf
from chatconnect.adapters.tokens import BpeTokenCounter
from chatconnect.domain.chunking import split

_TARGET = 5


def main() -> dict[str, Any]:
    """Return the figures."""
    count = BpeTokenCounter("cl100k_base")

    def ours(path: Path) -> list[str]:
        return [chunk.text for chunk in split(parse_pdf(path.read_bytes()), count)]

    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / f"{seed}.pdf" for seed in range(ROUNDS)]
        for seed, path in enumerate(files):
            path.write_bytes(pdf_file(seed))
        figures = compared(files, ours, ["langchain_pypdf"])
    for each in figures.values():
        each["pages_per_second"] = round(PAGES / each["seconds"], 1)
    return {"pages": PAGES, "target": {"langchain_pypdf": _TARGET}, **figures}
