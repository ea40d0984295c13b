"""A ZIP archive that is written part by part, and can be gone on with by another process.

What is needed for that, the entries so far and how long the archive is, is a JSON object. At any time there are in
memory one entry and what is not yet a whole part.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

PART_BYTES = 8 * 1024 * 1024  # S3 takes no part below 5 MiB but the last one
_FIELDS = ("CRC", "compress_size", "file_size", "header_offset", "flag_bits", "compress_type", "external_attr")


class ArchiveWriter:
    """Writes entries, and hands out the bytes that are not stored anywhere yet."""

    def __init__(self, entries: list[dict[str, Any]] | None = None, length: int = 0) -> None:
        self._tail = _Tail(length)
        self._zip = ZipFile(self._tail, "w", ZIP_DEFLATED)
        for entry in entries or ():
            self._zip.filelist.append(_info(entry))

    @property
    def pending(self) -> int:
        """How many bytes are to be stored."""
        return len(self._tail.pending)

    @property
    def length(self) -> int:
        """How long the archive is so far."""
        return self._tail.tell()

    def entries(self) -> list[dict[str, Any]]:
        """Return the entries so far, for a writer that goes on."""
        return [
            {"name": info.filename, **{name: getattr(info, name) for name in _FIELDS}} for info in self._zip.filelist
        ]

    async def add(self, name: str, content: bytes) -> None:
        """Add an entry; compressing it keeps nobody else waiting."""
        info = ZipInfo(name)  # all entries have the format's first day, so that the same data give the same archive
        info.compress_type, info.external_attr = ZIP_DEFLATED, 0o600 << 16
        await asyncio.to_thread(self._zip.writestr, info, content)

    async def end(self) -> None:
        """Write the directory; nothing can be added any more."""
        await asyncio.to_thread(self._zip.close)

    def take(self) -> bytes:
        """Return what is to be stored, which is forgotten here."""
        return self._tail.take()


class _Tail:
    """A stream that knows where it is but cannot go back."""

    def __init__(self, length: int) -> None:
        self._stored, self.pending = length, bytearray()

    def write(self, content: bytes) -> int:
        self.pending += content
        return len(content)

    def tell(self) -> int:
        return self._stored + len(self.pending)

    def flush(self) -> None:
        """Whoever takes the bytes stores them."""

    def close(self) -> None:
        """There is nothing to close."""

    def take(self) -> bytes:
        taken = bytes(self.pending)
        self._stored += len(taken)
        self.pending.clear()
        return taken


def _info(entry: Mapping[str, Any]) -> ZipInfo:
    info = ZipInfo(entry["name"])
    for name in _FIELDS:
        setattr(info, name, entry[name])
    return info
