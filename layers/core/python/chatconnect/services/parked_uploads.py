"""Uploads whose messages failed too often and are parked: their documents say so."""

from contextlib import suppress

from chatconnect.domain.errors import Invalid
from chatconnect.domain.knowledge import GIVEN_UP, Failure, ObjectKey
from chatconnect.ports.knowledge import DocumentsOf
from chatconnect.ports.uploads import ParkedUploads
from chatconnect.services.document_feed import DocumentFeed

FAILED_TOO_OFTEN = Failure(GIVEN_UP, "This file could not be processed, in several tries. Please upload it again.")
_MOST = 1_000  # at a time


class ParkedUploadService:
    """Marks what is parked as failed, also when the last try ended too soon to do so itself."""

    def __init__(self, *, parked: ParkedUploads, documents_of: DocumentsOf, feed: DocumentFeed) -> None:
        self._parked, self._documents_of, self._feed = parked, documents_of, feed

    async def give_up(self) -> int:
        """Mark the versions failed that parked messages tell of; return how many were not yet. Raises Unavailable."""
        count = 0
        for key, sequencer in await self._parked.look(most=_MOST):
            with suppress(Invalid):
                count += await give_up(key, sequencer, documents_of=self._documents_of, feed=self._feed)
        return count


async def give_up(key: str, sequencer: str, *, documents_of: DocumentsOf, feed: DocumentFeed) -> bool:
    """Mark the version of an upload failed, and tell it; False when it is done or a later upload was taken.

    Raises Invalid when the key is none of an upload, Unavailable.
    """
    place = ObjectKey.parse(key)
    version = await documents_of(place.tenant_id).give_up(place.version_id, sequencer, FAILED_TOO_OFTEN)
    if version is not None:
        await feed.tell(version)
    return version is not None
