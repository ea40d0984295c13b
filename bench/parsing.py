"""PDFs of 200 pages to chunks: the product and LangChain with pypdf, in turns. Target: five times the speed.

There are files of two kinds: `plain` ones, whose lines are one piece of text each, which is the least work there is for
whoever reads them, and `typeset` ones as TeX writes them, whose words are placed one by one.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.ingestion import PAGES, pages
from bench.splitting import ROUNDS, compared
from chatconnect.adapters.parsers.pdf import parse_pdf
from chatconnect.adapters.tokens import BpeTokenCounter
from chatconnect.domain.chunking import split
from tests.files import make_pdf, make_typeset_pdf

_TARGET = 5


def main() -> dict[str, Any]:
    """Return the figures."""
    return {
        "pages": PAGES,
        "target": {"langchain_pypdf": _TARGET},
        "plain": _measured(make_pdf),
        "typeset": _measured(make_typeset_pdf),
    }


def _measured(make: Callable[[list[str]], bytes]) -> dict[str, Any]:
    count = BpeTokenCounter("cl100k_base")

    def ours(path: Path) -> list[str]:
        return [chunk.text for chunk in split(parse_pdf(path.read_bytes()), count)]

    with tempfile.TemporaryDirectory() as name:
        files = [Path(name) / f"{seed}.pdf" for seed in range(ROUNDS)]
        for seed, path in enumerate(files):
            path.write_bytes(make(pages(seed)))
        figures = compared(files, ours, ["langchain_pypdf"])
    for each in figures.values():
        each["pages_per_second"] = round(PAGES / each["seconds"], 1)
    return figures
