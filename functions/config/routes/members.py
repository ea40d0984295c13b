"""A tenant's members and what they may. For people: no key of a server reaches these routes."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from chatconnect.domain.identifiers import MemberId
from chatconnect.domain.invitation import Colleague
from chatconnect.domain.tenant import StaffRole
from chatconnect.http.errors import responses
from chatconnect.http.sessions import MemberAdmin, MemberOfStaff, MemberOwner
from functions.config.services import Members

router = APIRouter(prefix="/v1/members", tags=["members"])


class RoleChange(BaseModel):
    """The role to have from the next request on."""

    role: StaffRole


class MemberBody(BaseModel):
    """A member as the others see them."""

    id: UUID
    account_id: UUID
    email: str
    role: str
    joined_at: datetime

    @classmethod
    def of(cls, colleague: Colleague) -> "MemberBody":
        """Return the body that shows a member."""
        member = colleague.member
        return cls(
            id=member.id,
            account_id=member.account_id,
            email=colleague.email,
            role=member.role.value,
            joined_at=colleague.joined_at,
        )


class MemberList(BaseModel):
    """All members, owners first."""

    members: list[MemberBody]


@router.get("", responses=responses(401, 403))
async def list_members(staff: MemberOfStaff, members: Members) -> MemberList:
    """List the tenant's members."""
    return MemberList(members=[MemberBody.of(each) for each in await members.all(staff.tenant_id)])


@router.put("/{member_id}", responses=responses(401, 403, 404, 409))
async def change_role(member_id: UUID, body: RoleChange, staff: MemberAdmin, members: Members) -> MemberBody:
    """Give a member another role, up to one's own; open invitations that they sent are revoked.

    409 `last_owner` when nobody would be left who owns the company.
    """
    return MemberBody.of(await members.change_role(staff, MemberId(member_id), body.role))


@router.delete("/{member_id}", status_code=204, responses=responses(401, 403, 404, 409))
async def remove_member(member_id: UUID, staff: MemberOfStaff, members: Members) -> None:
    """Take a member's place away, at once; everybody may give up their own. 409 `last_owner` for the last owner."""
    await members.remove(staff, MemberId(member_id))


@router.post("/{member_id}/transfer-ownership", status_code=204, responses=responses(401, 403, 404, 409))
async def transfer_ownership(member_id: UUID, staff: MemberOwner, members: Members) -> None:
    """Make another member an owner in one's own stead, and oneself an admin."""
    await members.hand_over(staff, MemberId(member_id))
