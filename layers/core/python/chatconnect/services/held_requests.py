"""What a run stores of a request that it has in its hands."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chatconnect.domain.data_rights import LEASE, DataRequest, RequestStatus
from chatconnect.ports.clock import Clock
from chatconnect.ports.data_rights import DataRequestsOf, Seal


class HeldRequests:
    """Stores how requests stand and returns them so. Raises Conflict when the run no longer has the request."""

    def __init__(self, *, requests_of: DataRequestsOf, seal: Seal, clock: Clock) -> None:
        self._requests_of, self._seal, self._clock = requests_of, seal, clock

    async def keep(self, request: DataRequest, **changes: Any) -> DataRequest:
        """Store changes of a request."""
        changed = replace(request, **changes)
        await self._requests_of(request.tenant_id).save(changed, request.next_at)
        return changed

    async def go_on(self, request: DataRequest, progress: Mapping[str, Any]) -> DataRequest:
        """Store how far the run has come, which has the request for another while."""
        return await self.keep(request, progress=progress, next_at=self._clock() + LEASE)

    async def hold(self, request: DataRequest) -> DataRequest:
        """Let the run have the request for another while, when half of the present one is over."""
        if request.next_at is None or request.next_at - self._clock() > LEASE / 2:
            return request
        return await self.go_on(request, request.progress)

    async def put_off(self, request: DataRequest) -> DataRequest:
        """Let the next run have it at once."""
        return await self.keep(request, next_at=self._clock())

    async def finish(self, request: DataRequest, receipt: Mapping[str, Any], **changes: Any) -> DataRequest:
        """Store that it is done, with its receipt, which is signed."""
        signature = await self._seal.sign(receipt)
        return await self.keep(request, status=RequestStatus.DONE, receipt=receipt, signature=signature, **changes)
