"""Uploads whose messages failed too often and are parked: their documents say so."""

from chatconnect.domain.errors import Invalid
from chatconnect.domain.knowledge import GIVEN_UP, Failure, ObjectKey
from chatconnect.ports.knowledge import DocumentsOf, ParkedUploads
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
            try:
                place = ObjectKey.parse(key)
            except Invalid:
                continue
            documents = self._documents_of(place.tenant_id)
            version = await documents.give_up(place.version_id, sequencer, FAILED_TOO_OFTEN)
            if version is not None:
                await self._feed.tell(version)
                count += 1
        return count
