"""Registering a company, logging in, staying logged in and logging out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr

from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.identifiers import SessionId, TenantId
from chatconnect.domain.principals import SignedIn, Staff
from chatconnect.domain.secret import Secret
from chatconnect.domain.session import Session
from chatconnect.http.errors import responses
from chatconnect.http.sessions import CallingClient, Cookie, CurrentPerson, RefreshCookie
from chatconnect.services.sessions import Grant, Place
from functions.config.services import Sessions, Tenants

router = APIRouter(prefix="/v1/auth", tags=["accounts"])

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


@router.post("/register", status_code=201, responses=responses(409, 429))
async def register(
    body: Registration, tenants: Tenants, sessions: Sessions, client: CallingClient, cookie: Cookie
) -> RegisteredBody:
    """Open a tenant with a working assistant and widget.

    409 `email_taken` says that an address has an account: its owner logs in instead. That cannot be hidden while a
    registration opens a tenant at once; from one network address 20 an hour are let through (429 `too_many_attempts`).
    """
    await sessions.count_registration(client)
    opened = await tenants.register(
        company=body.company, email=body.email, password=_revealed(body.password), allowed_domains=body.allowed_domains
    )
    session = SessionBody.of(await sessions.open(opened.owner, client), cookie)
    return RegisteredBody(
        **session.model_dump(),
        tenant_id=opened.tenant.id,
        assistant_id=opened.assistant.id,
        widget_id=opened.widget.id,
        widget_key=opened.widget_key.reveal(),
        secret_key=opened.secret_key.reveal(),
    )


@router.post("/login", responses=responses(401, 403, 429))
async def log_in(body: Credentials, sessions: Sessions, client: CallingClient, cookie: Cookie) -> SessionBody:
    """Exchange an address and a password for a session.

    401 `wrong_credentials` is the same for an address without an account. An account takes 10 wrong passwords in a
    quarter of an hour, a network address 100; then 429 `too_many_attempts`. 403 `not_a_member` for a company that one
    does not belong to.
    """
    tenant_id = TenantId(body.tenant_id) if body.tenant_id else None
    return SessionBody.of(
        await sessions.log_in(body.email, _revealed(body.password), client, tenant_id=tenant_id), cookie
    )


@router.post("/refresh", responses=responses(401))
async def refresh(
    sessions: Sessions, client: CallingClient, cookie: Cookie, body: RefreshRequest | None = None
) -> SessionBody:
    """Exchange the refresh token for the next one and a new access token.

    Each is used once. Who comes twice with the same one within 10 seconds (two tabs, a lost answer) gets the same
    answer; later than that it was copied, and ends its session: 401 `session_ended`.
    """
    return SessionBody.of(await sessions.refresh(_token(body, cookie), client), cookie)


@router.post("/logout", status_code=204, responses=responses())
async def log_out(sessions: Sessions, cookie: Cookie, body: RefreshRequest | None = None) -> None:
    """End the session of a refresh token, whatever is left of it; its access tokens end with it."""
    cookie.remove()
    try:
        token = _token(body, cookie)
    except Unauthenticated:
        return
    await sessions.log_out(token)


@router.post("/logout-everywhere", status_code=204, responses=responses(401))
async def log_out_everywhere(person: CurrentPerson, sessions: Sessions, body: EndAll | None = None) -> None:
    """End all of the person's sessions, or all others; their access tokens end with them."""
    await sessions.end_all(person, keep_current=body is not None and body.keep_current)


@router.get("/me", responses=responses(401))
async def me(person: CurrentPerson) -> MeBody:
    """Say who the token belongs to."""
    return MeBody.of_person(person)


@router.get("/sessions", responses=responses(401))
async def list_sessions(person: CurrentPerson, sessions: Sessions) -> DeviceList:
    """List the person's open sessions."""
    return DeviceList(sessions=[DeviceBody.of(each, person.session_id) for each in await sessions.all(person)])


@router.delete("/sessions/{session_id}", status_code=204, responses=responses(401, 404))
async def end_session(session_id: UUID, person: CurrentPerson, sessions: Sessions) -> None:
    """End one of the person's sessions, with its access tokens."""
    await sessions.end(person, SessionId(session_id))


@router.get("/tenants", responses=responses(401))
async def list_tenants(person: CurrentPerson, sessions: Sessions) -> PlaceList:
    """List the companies that the person is a member of."""
    places = await sessions.places(person)
    return PlaceList(tenants=[PlaceBody.of(each, person.staff.tenant_id) for each in places])


@router.post("/switch", responses=responses(401, 404))
async def switch(body: Switch, person: CurrentPerson, sessions: Sessions, cookie: Cookie) -> SessionBody:
    """Go on in another of the person's companies: an access token for it; the refresh token stays as it is."""
    return SessionBody.of(await sessions.switch(person, TenantId(body.tenant_id)), cookie)


def _revealed(password: SecretStr) -> Secret:
    return Secret(password.get_secret_value())


def _token(body: RefreshRequest | None, cookie: RefreshCookie) -> Secret:
    """Return the refresh token that the program sent, in its own way. Raises Unauthenticated."""
    given = body.refresh_token if body is not None else None
    token = cookie.read() or (Secret(given.get_secret_value()) if given is not None else None)
    if token is None:
        raise Unauthenticated("a refresh token is needed", code="session_ended")
    return token
