"""Reading uploaded files."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from chatconnect.domain.chunking import ParsedDocument
from chatconnect.domain.knowledge import Progress

OnProgress = Callable[[Progress], None]
"""Told how much of a file has been read; from any thread."""


def unwatched(_: Progress) -> None:
    """Nobody wants to know."""


class DocumentParser(Protocol):
    """Turns a file into text with pages, sections and headings."""

    async def parse(self, path: Path, filename: str, on_progress: OnProgress = unwatched) -> ParsedDocument:
        """Return the text of the file at `path`, which its owner calls `filename`; it is not empty.

        `on_progress` is told again and again how far it is, in pages or in percent, of a file that is not read at once.

        Raises DocumentRejected, and nothing else, for whatever the file does: wrong type, damaged, encrypted,
        without text, too large, or built to use up memory or time.
        """
        ...
