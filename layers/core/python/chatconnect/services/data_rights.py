"""What people may ask of their data: exports and erasures, of one visitor or of a whole tenant.

What is small is done while the caller waits; everything else, and whatever was interrupted, by a job. Each request is
in the hands of one run at a time, for as long as that run shows a sign of life.
"""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from chatconnect.domain.data_rights import (
    LEASE,
    LINK_SECONDS,
    WAITING_PERIOD,
    DataRequest,
    RequestKind,
    RequestStatus,
)
from chatconnect.domain.errors import Caught, Conflict, Invalid, NotFound, Unavailable
from chatconnect.domain.identifiers import DataRequestId, TenantId, VisitorId, new_id
from chatconnect.domain.principals import Staff, TenantSide
from chatconnect.domain.tenant import StaffRole
from chatconnect.ports.clock import Clock
from chatconnect.ports.data_rights import Archives, DataRequestsOf, DueRequests, RecordsOf, Seal
from chatconnect.ports.faults import OnFault
from chatconnect.ports.operators import OperatedTenants
from chatconnect.services.erasing import ErasureService
from chatconnect.services.exporting import ExportService

AT_ONCE_SECONDS = 5.0
RUN_SECONDS = 300.0


class DataRightsService:
    """Takes requests, shows them, and goes on with those that are due."""

    def __init__(
        self,
        *,
        requests_of: DataRequestsOf,
        records_of: RecordsOf,
        due: DueRequests,
        tenants: OperatedTenants,
        exports: ExportService,
        erasures: ErasureService,
        archives: Archives,
        seal: Seal,
        clock: Clock,
        on_fault: OnFault,
    ) -> None:
        self._requests_of, self._records_of, self._due, self._tenants = requests_of, records_of, due, tenants
        self._exports, self._erasures, self._archives, self._seal = exports, erasures, archives, seal
        self._clock, self._on_fault = clock, on_fault

    async def export_visitor(self, caller: TenantSide, visitor_id: VisitorId) -> DataRequest:
        """Have an archive made of all that there is of a visitor. Raises NotFound, Unavailable."""
        return await self._of_visitor(caller, RequestKind.EXPORT, visitor_id)

    async def erase_visitor(self, caller: TenantSide, visitor_id: VisitorId) -> DataRequest:
        """Have a visitor erased everywhere. Raises NotFound, Unavailable."""
        return await self._of_visitor(caller, RequestKind.ERASE, visitor_id)

    async def export_tenant(self, owner: Staff) -> DataRequest:
        """Have an archive made of all that the tenant has; a job makes it. Raises Forbidden, Unavailable."""
        owner.check_may(StaffRole.OWNER)
        return await self._added(owner, RequestKind.EXPORT, None)

    async def erase_tenant(self, owner: Staff, name: str) -> DataRequest:
        """Have the tenant erased when the waiting period is over.

        Raises Forbidden, Invalid with code "name_mismatch" when that is not the tenant's name, Unavailable.
        """
        owner.check_may(StaffRole.OWNER)
        if name.strip() != (await self._tenants.get(owner.tenant_id)).name:
            raise Invalid("this is not the company's name", code="name_mismatch", details={"field": "name"})
        return await self._added(owner, RequestKind.ERASE, None)

    async def cancel(self, owner: Staff, request_id: DataRequestId) -> DataRequest:
        """Call off an erasure that waits. Raises Forbidden, NotFound, Conflict with code "not_waiting"."""
        owner.check_may(StaffRole.OWNER)
        requests = self._requests_of(owner.tenant_id)
        if not await requests.cancel(request_id, self._clock()):
            await requests.get(request_id)
            raise Conflict("only an erasure that waits can be called off", code="not_waiting")
        return await requests.get(request_id)

    async def get(self, caller: TenantSide, request_id: DataRequestId) -> DataRequest:
        """Return a request; those of the whole tenant exist for owners alone. Raises NotFound, Unavailable."""
        request = await self._requests_of(caller.tenant_id).get(request_id)
        if request.visitor_id is None and not _is_owner(caller):
            raise NotFound("data request", request_id)
        return request

    async def newest(
        self, caller: TenantSide, *, limit: int = 20, before: DataRequestId | None = None
    ) -> Sequence[DataRequest]:
        """Return requests, newest first; `before` is the id of one. Raises Unavailable."""
        requests = self._requests_of(caller.tenant_id)
        return await requests.newest(tenant_wide=_is_owner(caller), limit=limit, before=before)

    async def of_tenant(self, tenant_id: TenantId) -> Sequence[DataRequest]:
        """Return the newest requests of a tenant, which may be erased by now, for who runs the platform."""
        return await self._requests_of(tenant_id).newest(tenant_wide=True, limit=100, before=None)

    async def link(self, request: DataRequest) -> str | None:
        """Return where the archive of an export can be fetched for a quarter of an hour; None when there is none."""
        if request.kind is not RequestKind.EXPORT or request.status is not RequestStatus.DONE:
            return None
        whose = f"visitor-{request.visitor_id}" if request.visitor_id else "company"
        return await self._archives.link(request.archive_key, name=f"{whose}.zip", seconds=LINK_SECONDS)

    async def is_good(self, receipt: Mapping[str, Any], signature: str) -> bool:
        """Say whether a receipt is ours and unchanged. Raises Unavailable."""
        return await self._seal.is_good(receipt, signature)

    async def run_due(self, seconds: float = RUN_SECONDS) -> dict[str, int]:
        """Go on with the requests that are due, for so long. Raises Unavailable when nobody can say which.

        Returns how many were "done" (or looked at again), are "left" for the next run, and failed ("failed").
        """
        ends_at = time.monotonic() + seconds
        figures = {"done": 0, "left": 0, "failed": 0}
        for tenant_id in await self._due.tenants(self._clock()):
            while time.monotonic() < ends_at and (request := await self._claimed(tenant_id)):
                # Others wait too, and this one is due again when its lease is over.
                with Caught(partial(self._on_fault, f"{request.kind} put off")) as caught:
                    request = await self._advance(request, ends_at)
                outcome = "left" if request.status is RequestStatus.OPEN else "done"
                figures["failed" if caught.fault else outcome] += 1
        return figures

    async def _of_visitor(self, caller: TenantSide, kind: RequestKind, visitor_id: VisitorId) -> DataRequest:
        person, *_ = await self._records_of(caller.tenant_id).people(visitor_id)
        added = await self._added(caller, kind, person)
        claimed = await self._claimed(caller.tenant_id, added.id)
        if claimed is None:
            return added
        try:
            return await self._advance(claimed, time.monotonic() + AT_ONCE_SECONDS)
        except (Conflict, Unavailable) as error:  # the job goes on
            self._on_fault(f"{kind} put off", error)
            return await self._requests_of(caller.tenant_id).get(added.id)

    async def _added(self, caller: TenantSide, kind: RequestKind, visitor_id: VisitorId | None) -> DataRequest:
        now = self._clock()
        waits = kind is RequestKind.ERASE and visitor_id is None
        request = DataRequest(
            id=DataRequestId(new_id()),
            tenant_id=caller.tenant_id,
            kind=kind,
            visitor_id=visitor_id,
            requested_by=caller.member_id if isinstance(caller, Staff) else None,
            requested_at=now,
            status=RequestStatus.WAITING if waits else RequestStatus.OPEN,
            next_at=now + WAITING_PERIOD if waits else now,
        )
        return await self._requests_of(caller.tenant_id).add(request)

    async def _claimed(self, tenant_id: TenantId, only: DataRequestId | None = None) -> DataRequest | None:
        now = self._clock()
        return await self._requests_of(tenant_id).claim(now, now + LEASE, only)

    async def _advance(self, request: DataRequest, ends_at: float) -> DataRequest:
        if request.kind is RequestKind.ERASE:
            if request.status is RequestStatus.DONE:
                return await self._erasures.look_again(request, ends_at)
            return await self._erasures.advance(request, ends_at)
        if request.status is RequestStatus.DONE:
            return await self._exports.remove(request)
        try:
            return await self._exports.advance(request, ends_at)
        except NotFound:  # the visitor was erased meanwhile
            return await self._exports.remove(request)


def _is_owner(caller: TenantSide) -> bool:
    return isinstance(caller, Staff) and caller.role is StaffRole.OWNER
