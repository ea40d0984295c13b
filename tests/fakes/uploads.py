"""A bucket in memory, and a parser that takes what lies in it for plain text."""

from collections.abc import AsyncIterator
from pathlib import Path

from chatconnect.domain.chunking import ParsedDocument, Section
from chatconnect.domain.errors import DocumentRejected, NotFound
from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.knowledge import Progress, Version
from chatconnect.ports.parsing import OnProgress, unwatched
from chatconnect.ports.uploads import UploadForm


class MemoryUploads:
    """Objects by key. `sizes` says what is claimed of one that is too large to be made."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.sizes: dict[str, int] = {}

    async def form(self, version: Version, *, largest: int) -> UploadForm:
        return UploadForm("https://bucket.example", {"key": version.object_key, "largest": str(largest)})

    async def exists(self, key: str) -> bool:
        return key in self.objects

    async def size_of(self, key: str) -> int:
        return self.sizes.get(key, len(self._get(key)))

    async def fetch(self, key: str, to: Path) -> None:
        to.write_bytes(self._get(key))

    async def download_url(self, version: Version, *, seconds: int) -> str:
        return f"https://bucket.example/{version.object_key}?expires={seconds}"

    async def copy(self, key: str, to: str) -> None:
        self.objects[to] = self._get(key)

    async def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    async def keys(self, tenant_id: TenantId) -> AsyncIterator[str]:
        for key in sorted(self.objects):
            if key.startswith(f"{tenant_id}/"):
                yield key

    def _get(self, key: str) -> bytes:
        if key not in self.objects:
            raise NotFound("object", key)
        return self.objects[key]


class MemoryContinuations:
    """Uploads that were announced again, by key and sequencer."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, str]] = []

    async def put(self, key: str, sequencer: str) -> None:
        self.waiting.append((key, sequencer))


class PlainParser:
    """Each paragraph is a section on a page of its own; a file that begins with "!" is rejected as damaged."""

    async def parse(self, path: Path, filename: str, on_progress: OnProgress = unwatched) -> ParsedDocument:
        text = path.read_text()
        if text.startswith("!"):
            raise DocumentRejected("damaged", f"{filename} is damaged.")
        sections, start = [], 0
        paragraphs = text.split("\n\n")
        for page, paragraph in enumerate(paragraphs, start=1):
            on_progress(Progress(page, len(paragraphs), "pages"))
            sections.append(Section(paragraph, start, page))
            start += len(paragraph) + 2
        return ParsedDocument(text, tuple(sections), "text/plain", len(sections))
