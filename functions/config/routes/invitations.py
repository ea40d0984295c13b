"""Inviting people into a tenant, and accepting: the token of an invitation is in its mail alone."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chatconnect.domain.identifiers import InvitationId
from chatconnect.domain.invitation import Invitation
from chatconnect.domain.tenant import StaffRole
from chatconnect.http.errors import responses
from chatconnect.http.sessions import CallingClient, Cookie, MemberAdmin
from chatconnect.services.members import Offer
from functions.config.routes.auth_bodies import Password, SessionBody, Token
from functions.config.routes.secret_fields import revealed
from functions.config.services import Invitations, Sessions

router = APIRouter(prefix="/v1", tags=["members"])


class NewInvitation(BaseModel):
    """Whom to invite, and as what: up to one's own role."""

    email: str
    role: StaffRole


class InvitationBody(BaseModel):
    """An invitation that is neither accepted nor revoked; past `expires_at` it has to be sent again."""

    id: UUID
    email: str
    role: str
    invited_by: UUID | None
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, invitation: Invitation) -> "InvitationBody":
        """Return the body that shows an invitation."""
        return cls(
            id=invitation.id,
            email=invitation.email,
            role=invitation.role.value,
            invited_by=invitation.invited_by,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
        )


class InvitationList(BaseModel):
    """Open invitations, newest first."""

    invitations: list[InvitationBody]


class Invited(BaseModel):
    """The token from the mail's link, after `#invitation=`."""

    token: Token


class Acceptance(Invited):
    """The token, and the password that the address's account has or that its new one is to have."""

    password: Password


class OfferBody(BaseModel):
    """What the invitation is to."""

    company: str
    email: str
    role: str
    has_account: bool = Field(description="Whether the address has an account, whose password is needed")

    @classmethod
    def of(cls, offer: Offer) -> "OfferBody":
        """Return the body that shows an offer."""
        return cls(company=offer.company, email=offer.email, role=offer.role.value, has_account=offer.known)


@router.get("/invitations", responses=responses(401, 403))
async def list_invitations(staff: MemberAdmin, invitations: Invitations) -> InvitationList:
    """List the invitations that nobody has answered."""
    found = await invitations.open_ones(staff.tenant_id)
    return InvitationList(invitations=[InvitationBody.of(each) for each in found])


@router.post("/invitations", status_code=201, responses=responses(401, 403, 409, 429))
async def invite(body: NewInvitation, staff: MemberAdmin, invitations: Invitations) -> InvitationBody:
    """Invite somebody by mail, for seven days. 409 `already_member`, `already_invited`, `too_many_members`."""
    return InvitationBody.of(await invitations.invite(staff, body.email, body.role))


@router.post("/invitations/{invitation_id}/resend", responses=responses(401, 403, 404, 409, 429))
async def resend_invitation(invitation_id: UUID, staff: MemberAdmin, invitations: Invitations) -> InvitationBody:
    """Send the mail again with a new link, for another seven days; the earlier link ends."""
    return InvitationBody.of(await invitations.send_again(staff, InvitationId(invitation_id)))


@router.delete("/invitations/{invitation_id}", status_code=204, responses=responses(401, 403, 404, 409))
async def revoke_invitation(invitation_id: UUID, staff: MemberAdmin, invitations: Invitations) -> None:
    """End an invitation. 409 `invitation_closed` when it was accepted or revoked before."""
    await invitations.revoke(staff, InvitationId(invitation_id))


@router.post("/auth/invitations/look", responses=responses(401))
async def look_at_invitation(body: Invited, invitations: Invitations) -> OfferBody:
    """Say what an invitation is to. 401 `invitation_invalid`."""
    return OfferBody.of(await invitations.look(revealed(body.token)))


@router.post("/auth/invitations/accept", responses=responses(401, 409, 429))
async def accept_invitation(
    body: Acceptance, invitations: Invitations, sessions: Sessions, client: CallingClient, cookie: Cookie
) -> SessionBody:
    """Join, and log in. 401 `invitation_invalid`, `wrong_credentials` for an account's wrong password.

    409 `too_many_members` when the company's plan has no room.
    """
    token, password = revealed(body.token), revealed(body.password)
    staff = await invitations.accept(token, password, client)
    return SessionBody.of(await sessions.open(staff, client), cookie)
