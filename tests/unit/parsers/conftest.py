from collections.abc import Awaitable
from pathlib import Path
from typing import Protocol

import pytest

from chatconnect.adapters.parsers.sandbox import SandboxedParser
from chatconnect.domain.chunking import ParsedDocument


class Read(Protocol):
    def __call__(
        self, data: bytes, filename: str, parser: SandboxedParser | None = None
    ) -> Awaitable[ParsedDocument]: ...


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Parses bytes as if they had been uploaded under a name."""

    async def read(data: bytes, filename: str, parser: SandboxedParser | None = None) -> ParsedDocument:
        path = tmp_path / "upload"
        path.write_bytes(data)
        return await (parser or SandboxedParser()).parse(path, filename)

    return read


def outline(document: ParsedDocument) -> list[tuple[tuple[str, ...], str]]:
    """The headings and the text of each section."""
    return [(section.headings, section.text) for section in document.sections]
