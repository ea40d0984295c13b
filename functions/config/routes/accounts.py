"""Registering a company, and logging in."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr

from chatconnect.domain.principals import Staff
from chatconnect.domain.secret import Secret
from chatconnect.http.authentication import CurrentStaff
from chatconnect.http.errors import responses
from chatconnect.services.access import Session
from functions.config.services import Access, Tenants

router = APIRouter(prefix="/v1/auth", tags=["accounts"])

Password = Annotated[SecretStr, Field(max_length=1_000)]


class Registration(BaseModel):
    """A new company and its owner."""

    company: str
    email: str
    password: Password
    allowed_domains: list[str] = Field(default_factory=list, description="Websites that may show the widget")


class Credentials(BaseModel):
    """What somebody logs in with."""

    email: str
    password: Password


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


class SessionBody(BaseModel):
    """An access token, valid for `expires_in` seconds, sent as `Authorization: Bearer`."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - OAuth's word for the kind
    expires_in: int
    member: StaffBody

    @classmethod
    def of(cls, session: Session) -> "SessionBody":
        """Return the body that hands out a session."""
        return cls(access_token=session.access_token, expires_in=session.expires_in, member=StaffBody.of(session.staff))


class RegisteredBody(SessionBody):
    """A new tenant: a session for its owner, and its first keys, which are shown only here."""

    tenant_id: UUID
    assistant_id: UUID
    widget_id: UUID
    widget_key: str
    secret_key: str


@router.post("/register", status_code=201, responses=responses(409))
async def register(body: Registration, tenants: Tenants, access: Access) -> RegisteredBody:
    """Open a tenant with a working assistant and widget."""
    opened = await tenants.register(
        company=body.company,
        email=body.email,
        password=Secret(body.password.get_secret_value()),
        allowed_domains=body.allowed_domains,
    )
    session = SessionBody.of(await access.open_session(opened.owner))
    return RegisteredBody(
        **session.model_dump(),
        tenant_id=opened.tenant.id,
        assistant_id=opened.assistant.id,
        widget_id=opened.widget.id,
        widget_key=opened.widget_key.reveal(),
        secret_key=opened.secret_key.reveal(),
    )


@router.post("/login", responses=responses(401))
async def log_in(body: Credentials, access: Access) -> SessionBody:
    """Exchange an address and a password for an access token."""
    return SessionBody.of(await access.log_in(body.email, Secret(body.password.get_secret_value())))


@router.get("/me", responses=responses(401))
async def me(staff: CurrentStaff) -> StaffBody:
    """Say who the token belongs to."""
    return StaffBody.of(staff)
