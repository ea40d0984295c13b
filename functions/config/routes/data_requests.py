"""Exports and erasures of a visitor's or the whole company's data, with their receipts."""

import asyncio
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from chatconnect.domain.data_rights import DataRequest, RequestKind, RequestStatus
from chatconnect.domain.identifiers import DataRequestId, TenantId, VisitorId
from chatconnect.http.authentication import Admin
from chatconnect.http.errors import responses
from chatconnect.http.sessions import MemberOwner, current_operator
from functions.config.own_tenant import own_tenant
from functions.config.services import DataRights

router = APIRouter(prefix="/v1", tags=["data rights"])


class DataRequestBody(BaseModel):
    """A request and what became of it. Null visitor: it is about the whole company."""

    id: UUID
    kind: RequestKind
    visitor_id: UUID | None
    status: RequestStatus = Field(
        description="`waiting` erasures can be called off; `expired` exports have no archive any more"
    )
    requested_by: UUID | None = Field(description="A member; null for a secret key")
    requested_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None = Field(description="When the archive of an export is removed")
    due_at: datetime | None = Field(description="When a waiting erasure begins")
    download_url: str | None = Field(description="The archive, a ZIP of JSON Lines; good for 15 minutes, ask again")
    receipt: dict[str, Any] | None = Field(
        description="What was exported or erased, in figures. Of an erasure, `stores` has for Postgres, Qdrant, Redis "
        "and S3 how much was found, how much was erased, and how much a look through all of them found afterwards"
    )
    signature: str | None = Field(description="HMAC-SHA-256 of the receipt; see /v1/data-requests/verify")

    @classmethod
    def of(cls, request: DataRequest, link: str | None) -> "DataRequestBody":
        """Return the body that shows a request, with where its archive can be fetched."""
        return cls(
            id=request.id,
            kind=request.kind,
            visitor_id=request.visitor_id,
            status=request.status,
            requested_by=request.requested_by,
            requested_at=request.requested_at,
            finished_at=request.finished_at,
            expires_at=request.expires_at,
            due_at=request.next_at if request.status is RequestStatus.WAITING else None,
            download_url=link,
            receipt=dict(request.receipt) if request.receipt else None,
            signature=request.signature,
        )


class DataRequestList(BaseModel):
    """Requests, newest first."""

    requests: list[DataRequestBody]


class TenantErasure(BaseModel):
    """The company's name, typed, so that nobody does this by mistake."""

    name: str


class SignedReceipt(BaseModel):
    """A receipt as it was given."""

    receipt: dict[str, Any]
    signature: str


class Verdict(BaseModel):
    """Whether it is this server's signature, and nothing was changed."""

    valid: bool


@router.post("/visitors/{visitor_id}/export", status_code=202, responses=responses(401, 403, 404))
async def export_visitor(visitor_id: UUID, caller: Admin, data_rights: DataRights) -> DataRequestBody:
    """Have an archive made of all that there is of a visitor.

    A visitor with little to export is done in this answer; else ask for the request until its status is `done`.
    Whoever was recognised as another visitor is exported with them.
    """
    return await _shown(await data_rights.export_visitor(caller, VisitorId(visitor_id)), data_rights)


@router.post("/visitors/{visitor_id}/erase", status_code=202, responses=responses(401, 403, 404))
async def erase_visitor(visitor_id: UUID, caller: Admin, data_rights: DataRights) -> DataRequestBody:
    """Erase a visitor everywhere, at once and for good, and what is being answered to them is stopped.

    Archives in which they may be go, too, those of the whole company included. Totals of the company stay.
    """
    return await _shown(await data_rights.erase_visitor(caller, VisitorId(visitor_id)), data_rights)


@router.post("/tenants/{tenant_id}/export", status_code=202, responses=responses(401, 403, 404))
async def export_tenant(tenant_id: UUID, owner: MemberOwner, data_rights: DataRights) -> DataRequestBody:
    """Have an archive made of all that the company has, the files of its documents included, without any secret."""
    own_tenant(tenant_id, owner)
    return await _shown(await data_rights.export_tenant(owner), data_rights)


@router.post("/tenants/{tenant_id}/erase", status_code=202, responses=responses(401, 403, 404))
async def erase_tenant(
    tenant_id: UUID, body: TenantErasure, owner: MemberOwner, data_rights: DataRights
) -> DataRequestBody:
    """Have the company erased in 72 hours, with everything in it and the accounts of who is in no other company.

    Until then owners can call it off, and everything works as before. 400 `name_mismatch`.
    """
    own_tenant(tenant_id, owner)
    return await _shown(await data_rights.erase_tenant(owner, body.name), data_rights)


@router.get("/data-requests", responses=responses(401, 403, 404))
async def list_data_requests(
    caller: Admin,
    data_rights: DataRights,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[UUID | None, Query(description="The id of the last one of the page before")] = None,
) -> DataRequestList:
    """List exports and erasures, newest first; those of the whole company for owners alone."""
    place = DataRequestId(before) if before else None
    found = await data_rights.newest(caller, limit=limit, before=place)
    return DataRequestList(requests=await asyncio.gather(*(_shown(request, data_rights) for request in found)))


@router.post("/data-requests/verify", responses=responses(401, 403))
async def verify_receipt(body: SignedReceipt, _: Admin, data_rights: DataRights) -> Verdict:
    """Say whether a receipt is this server's and unchanged, for as long as the key that signed it is kept."""
    return Verdict(valid=await data_rights.is_good(body.receipt, body.signature))


@router.get("/data-requests/{request_id}", responses=responses(401, 403, 404))
async def show_data_request(request_id: UUID, caller: Admin, data_rights: DataRights) -> DataRequestBody:
    """Show a request, with a fresh address of its archive."""
    return await _shown(await data_rights.get(caller, DataRequestId(request_id)), data_rights)


@router.post("/data-requests/{request_id}/cancel", responses=responses(401, 403, 404, 409))
async def cancel_data_request(request_id: UUID, owner: MemberOwner, data_rights: DataRights) -> DataRequestBody:
    """Call off the erasure of the company. 409 `not_waiting` when it has begun."""
    return await _shown(await data_rights.cancel(owner, DataRequestId(request_id)), data_rights)


@router.get(
    "/operator/tenants/{tenant_id}/data-requests",
    responses=responses(401, 403),
    dependencies=[Depends(current_operator)],
)
async def list_receipts(tenant_id: UUID, data_rights: DataRights) -> DataRequestList:
    """List a company's requests, with the receipt of its own erasure when it is gone, and without archives."""
    found = await data_rights.of_tenant(TenantId(tenant_id))
    return DataRequestList(requests=[DataRequestBody.of(request, None) for request in found])


async def _shown(request: DataRequest, data_rights: DataRights) -> DataRequestBody:
    return DataRequestBody.of(request, await data_rights.link(request))
