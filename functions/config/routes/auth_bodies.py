"""What the routes of sessions take and show."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from chatconnect.domain.identifiers import SessionId, TenantId
from chatconnect.domain.principals import SignedIn, Staff
from chatconnect.domain.session import Session
from chatconnect.http.sessions import RefreshCookie
from chatconnect.services.sessions import Grant, Place

Password = Annotated[SecretStr, Field(max_length=1_000)]
Token = Annotated[SecretStr, Field(max_length=500)]


class Registration(BaseModel):
    """A new company and its owner. A password has 10 to 128 characters and is none of those that are tried first."""

    company: str
    email: str
    password: Password
    allowed_domains: list[str] = Field(default_factory=list, description="Websites that may show the widget")


class Credentials(BaseModel):
    """What somebody logs in with. A person may be a member of several companies: see `GET /v1/auth/tenants`."""

    email: str
    password: Password
    tenant_id: UUID | None = Field(default=None, description="The company to work in; left out, the oldest membership")


class RefreshRequest(BaseModel):
    """The refresh token; none from a program that keeps it in the cookie (`X-Session: cookie`)."""

    refresh_token: Token | None = None


class EndAll(BaseModel):
    """Which sessions to end."""

    keep_current: bool = Field(default=False, description="Whether the session that asks goes on")


class Switch(BaseModel):
    """The company to go on in."""

    tenant_id: UUID


class StaffBody(BaseModel):
    """A member: who, where, and with what role."""

    tenant_id: UUID
    account_id: UUID
    member_id: UUID
    role: str

    @classmethod
    def of(cls, staff: Staff) -> "StaffBody":
        """Return the body that shows a member."""
        return cls(
            tenant_id=staff.tenant_id, account_id=staff.account_id, member_id=staff.member_id, role=staff.role.value
        )


class MeBody(StaffBody):
    """The person behind a token, in their session."""

    email: str
    session_id: UUID
    is_operator: bool

    @classmethod
    def of_person(cls, person: SignedIn) -> "MeBody":
        """Return the body that shows a person."""
        staff = StaffBody.of(person.staff).model_dump()
        return cls(**staff, email=person.email, session_id=person.session_id, is_operator=person.is_operator)


class SessionBody(BaseModel):
    """An access token, valid for `expires_in` seconds, sent as `Authorization: Bearer`.

    `refresh_token` gets the next one at `/v1/auth/refresh`, once, within 14 days; null when it is in the cookie, and
    when the present one goes on.
    """

    access_token: str
    token_type: Literal["bearer"] = Field(default="bearer")
    expires_in: int
    refresh_token: str | None
    session_id: UUID
    member: StaffBody

    @classmethod
    def of(cls, grant: Grant, cookie: RefreshCookie) -> "SessionBody":
        """Return the body that hands out a session; what the program keeps in the cookie goes there."""
        return cls(
            access_token=grant.access_token,
            expires_in=grant.expires_in,
            refresh_token=cookie.give(grant.refresh_token),
            session_id=grant.session_id,
            member=StaffBody.of(grant.staff),
        )


class RegisteredBody(SessionBody):
    """A new tenant: a session for its owner, and its first keys, which are shown only here."""

    tenant_id: UUID
    assistant_id: UUID
    widget_id: UUID
    widget_key: str
    secret_key: str


class DeviceBody(BaseModel):
    """A session: a log-in on one device, which is what its program calls itself."""

    id: UUID
    device: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool

    @classmethod
    def of(cls, session: Session, current: SessionId) -> "DeviceBody":
        """Return the body that shows a session."""
        return cls(
            id=session.id,
            device=session.device,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
            current=session.id == current,
        )


class DeviceList(BaseModel):
    """A person's open sessions, the one used last first."""

    sessions: list[DeviceBody]


class PlaceBody(BaseModel):
    """A company that the person is a member of."""

    tenant_id: UUID
    name: str
    role: str
    suspended: bool
    current: bool

    @classmethod
    def of(cls, place: Place, current: TenantId) -> "PlaceBody":
        """Return the body that shows a membership."""
        tenant = place.tenant
        return cls(
            tenant_id=tenant.id,
            name=tenant.name,
            role=place.member.role.value,
            suspended=tenant.suspended_at is not None,
            current=tenant.id == current,
        )


class PlaceList(BaseModel):
    """A person's companies, oldest membership first."""

    tenants: list[PlaceBody]
