"""What an index lacks of a version that answers."""

from collections.abc import AsyncIterator, Collection, Sequence

from chatconnect.domain.identifiers import VersionId
from chatconnect.domain.knowledge import Chunk
from chatconnect.ports.knowledge import Documents

_BATCH = 64


def absent(chunks: int, there: Collection[int]) -> list[int]:
    """Return the positions, in order, of so many chunks that are not there."""
    return [position for position in range(chunks) if position not in there]


async def batches(documents: Documents, version_id: VersionId, positions: Sequence[int]) -> AsyncIterator[list[Chunk]]:
    """Yield the version's chunks at these positions, of which there are some, in order, and some at a time."""
    wanted, after = frozenset(positions), positions[0] - 1
    while after < positions[-1] and (
        chunks := await documents.chunks_of_version(version_id, after=after, limit=_BATCH)
    ):
        if found := [chunk for chunk in chunks if chunk.position in wanted]:
            yield found
        after = chunks[-1].position
