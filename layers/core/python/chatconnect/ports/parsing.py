"""Reading uploaded files."""

from pathlib import Path
from typing import Protocol

from chatconnect.domain.chunking import ParsedDocument


class DocumentParser(Protocol):
    """Turns a file into text with pages, sections and headings."""

    async def parse(self, path: Path, filename: str) -> ParsedDocument:
        """Return the text of the file at `path`, which its owner calls `filename`; it is not empty.

        Raises DocumentRejected, and nothing else, for whatever the file does: wrong type, damaged, encrypted,
        without text, too large, or built to use up memory or time.
        """
        ...
