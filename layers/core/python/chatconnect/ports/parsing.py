"""Reading uploaded files."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from chatconnect.domain.chunking import ParsedDocument

OnPages = Callable[[int, int], None]
"""Told how many pages have been read, of how many; from any thread."""


def unwatched(done: int, total: int) -> None:
    """Nobody wants to know."""


class DocumentParser(Protocol):
    """Turns a file into text with pages, sections and headings."""

    async def parse(self, path: Path, filename: str, on_pages: OnPages = unwatched) -> ParsedDocument:
        """Return the text of the file at `path`, which its owner calls `filename`; it is not empty.

        `on_pages` is told now and then how far it is, of a file that has pages.

        Raises DocumentRejected, and nothing else, for whatever the file does: wrong type, damaged, encrypted,
        without text, too large, or built to use up memory or time.
        """
        ...
