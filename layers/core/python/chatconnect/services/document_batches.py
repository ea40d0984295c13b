"""Many documents at once: delete them, or process them again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from chatconnect.domain.errors import ChatConnectError, NotFound, Unavailable
from chatconnect.domain.identifiers import DocumentId, TenantId
from chatconnect.services.documents import DocumentService

MAX_DOCUMENTS = 500
# Requests to the stores at a time, and for how long deleted documents are purged; what is left is the reconcile job's.
_AT_ONCE = 8
_PURGE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document: done, or why not."""

    document_id: DocumentId
    error: ChatConnectError | None = None


class DocumentBatchService:
    """Does to each of several documents what DocumentService does to one. One that fails keeps no other from it."""

    def __init__(self, documents: DocumentService) -> None:
        self._documents = documents

    async def delete(self, tenant_id: TenantId, document_ids: Sequence[DocumentId]) -> list[Outcome]:
        """Delete documents: all stop answering together, at once, then their points and files go."""
        versions = await self._documents.hide(tenant_id, document_ids)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def purge_one(document_id: DocumentId) -> None:
            async with gate:
                await self._documents.purge(tenant_id, versions[document_id])

        with suppress(TimeoutError):
            async with asyncio.timeout(_PURGE_SECONDS):
                await asyncio.gather(*map(purge_one, versions))
        return [
            Outcome(each, None if each in versions else NotFound("document", each)) for each in _each_once(document_ids)
        ]

    async def reprocess(self, tenant_id: TenantId, document_ids: Sequence[DocumentId]) -> list[Outcome]:
        """Read documents again, each as a new version. When a store is away, the rest are not tried."""
        gate, away = asyncio.Semaphore(_AT_ONCE), list[Unavailable]()

        async def reprocess_one(document_id: DocumentId) -> Outcome:
            async with gate:
                if away:
                    return Outcome(document_id, away[0])
                return await _outcome(document_id, lambda: self._documents.reprocess(tenant_id, document_id), away)

        return await asyncio.gather(*map(reprocess_one, _each_once(document_ids)))


async def _outcome(
    document_id: DocumentId, action: Callable[[], Awaitable[object]], away: list[Unavailable]
) -> Outcome:
    try:
        await action()
    except ChatConnectError as error:
        if isinstance(error, Unavailable):
            away.append(error)
        return Outcome(document_id, error)
    return Outcome(document_id)


def _each_once(document_ids: Sequence[DocumentId]) -> list[DocumentId]:
    return list(dict.fromkeys(document_ids))
