"""Registering a company, logging in, staying logged in and logging out."""

from uuid import UUID

from fastapi import APIRouter

from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.identifiers import SessionId, TenantId
from chatconnect.domain.secret import Secret
from chatconnect.http.errors import responses
from chatconnect.http.sessions import CallingClient, Cookie, CurrentPerson, RefreshCookie
from functions.config.routes.auth_bodies import (
    Credentials,
    DeviceBody,
    DeviceList,
    EndAll,
    MeBody,
    PlaceBody,
    PlaceList,
    RefreshRequest,
    RegisteredBody,
    Registration,
    SessionBody,
    Switch,
)
from functions.config.routes.secret_fields import revealed
from functions.config.services import Sessions, Tenants

router = APIRouter(prefix="/v1/auth", tags=["accounts"])


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
        company=body.company, email=body.email, password=revealed(body.password), allowed_domains=body.allowed_domains
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
        await sessions.log_in(body.email, revealed(body.password), client, tenant_id=tenant_id), cookie
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


def _token(body: RefreshRequest | None, cookie: RefreshCookie) -> Secret:
    """Return the refresh token that the program sent, in its own way. Raises Unauthenticated."""
    given = body.refresh_token if body is not None else None
    token = cookie.read() or (revealed(given) if given is not None else None)
    if token is None:
        raise Unauthenticated("a refresh token is needed", code="session_ended")
    return token
