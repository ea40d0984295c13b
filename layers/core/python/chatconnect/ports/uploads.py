"""Where uploaded files lie, and where the news of them waits."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chatconnect.domain.identifiers import TenantId
from chatconnect.domain.knowledge import Version


class Continuations(Protocol):
    """Where it waits for another call of the function what did not fit into this one."""

    async def put(self, key: str, sequencer: str) -> None:
        """Announce an upload again, as the bucket did. Raises Unavailable."""
        ...


class ParkedUploads(Protocol):
    """Where the messages lie that failed too often."""

    async def look(self, *, most: int) -> Sequence[tuple[str, str]]:
        """Return key and sequencer of the uploads that they tell of, about `most`. They stay. Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class UploadForm:
    """A presigned POST: send `fields` and then the file as multipart/form-data to `url`."""

    url: str
    fields: dict[str, str]


class Uploads(Protocol):
    """The bucket that files are uploaded to."""

    async def form(self, version: Version, *, largest: int) -> UploadForm:
        """Return a form that takes this version's file only: its key, its type, at most `largest` bytes."""
        ...

    async def exists(self, key: str) -> bool:
        """Say whether the object is there. Raises Unavailable."""
        ...

    async def size_of(self, key: str) -> int:
        """Return the object's size in bytes. Raises NotFound, Unavailable."""
        ...

    async def fetch(self, key: str, to: Path) -> None:
        """Write the object to a file. Raises NotFound, Unavailable."""
        ...

    async def download_url(self, version: Version, *, seconds: int) -> str:
        """Return an address that gives this version's file, to be saved under its name, for so long.

        Whether there is such a file is not asked. Raises Unavailable.
        """
        ...

    async def copy(self, key: str, to: str) -> None:
        """Copy an object, also onto itself; the bucket announces it like an upload. Raises NotFound, Unavailable."""
        ...

    async def delete(self, key: str) -> None:
        """Remove the object with all its versions; none is no error. Raises Unavailable."""
        ...

    def keys(self, tenant_id: TenantId) -> AsyncIterator[str]:
        """Yield the keys of the tenant's objects, also of those of which only former versions are left."""
        ...
