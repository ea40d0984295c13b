"""Sessions over HTTP: who is signed in, whose program asks, and where its refresh token travels.

A program that says `X-Session: cookie` (the dashboard does) is given its refresh token in a cookie that no script can
read and that goes to `/v1/auth` of this very site alone; every other program gets it in the answer and sends it in the
body. The header is also what keeps other websites out: a browser lets none of them send it here, for it is not among
the headers that our CORS answer allows, and the cookie counts for nothing without it. SameSite=Strict says the same.
"""

from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Annotated, Literal

from fastapi import Depends, Header, Request, Response

from chatconnect.domain.audit import ActorKind
from chatconnect.domain.principals import SignedIn, Staff
from chatconnect.domain.secret import Secret
from chatconnect.domain.session import IDLE
from chatconnect.domain.tenant import StaffRole
from chatconnect.http.authentication import Bearer, CurrentStaff
from chatconnect.ports.audit import acts
from chatconnect.services.access import AccessService
from chatconnect.services.attempts import Client

COOKIE = "chatconnect_refresh"
_PATH = "/v1/auth"

SessionHeader = Annotated[
    Literal["cookie"] | None,
    Header(alias="X-Session", description="`cookie`: the refresh token travels in an HttpOnly cookie, not in bodies"),
]


async def current_person(request: Request, credential: Bearer) -> SignedIn:
    """Return the person of an access token in their session, in a suspended tenant too. Raises Unauthenticated."""
    access: AccessService = request.app.state.services.access
    person = await access.signed_in(credential)
    acts(ActorKind.MEMBER, person.staff.account_id)
    return person


async def current_operator(person: Annotated[SignedIn, Depends(current_person)]) -> SignedIn:
    """Return somebody who runs the platform. Raises Unauthenticated, Forbidden with code "operator_required"."""
    person.check_operator()
    acts(ActorKind.OPERATOR, person.staff.account_id)
    return person


async def calling_client(request: Request) -> Client:
    """Return whose program asks. On AWS the address is API Gateway's word and not a header's."""
    return Client(_foreign(request.client.host if request.client else ""), request.headers.get("user-agent", ""))


def needs_member(role: StaffRole) -> Callable[..., Awaitable[Staff]]:
    """Return a dependency that lets in members who cover `role`; a server's key is no member."""

    async def allowed(staff: CurrentStaff) -> Staff:
        staff.check_may(role)
        return staff

    return allowed


class RefreshCookie:
    """The refresh token's cookie, of one request and its answer."""

    def __init__(self, request: Request, response: Response, *, wanted: bool) -> None:
        self._request, self._response, self._wanted = request, response, wanted

    def read(self) -> Secret | None:
        """Return the token of a program that uses the cookie; of any other, none."""
        text = self._request.cookies.get(COOKIE) if self._wanted else None
        return Secret(text) if text else None

    def give(self, token: Secret | None) -> str | None:
        """Put the token where its program wants it: into the cookie, or else return its text for the answer."""
        if token is None or not self._wanted:
            return token.reveal() if token else None
        self._response.set_cookie(
            COOKIE,
            token.reveal(),
            max_age=int(IDLE.total_seconds()),
            path=_PATH,
            secure=self._request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return None

    def remove(self) -> None:
        """Let the browser forget the cookie."""
        if self._wanted:
            self._response.delete_cookie(COOKIE, path=_PATH, httponly=True, samesite="strict")


async def refresh_cookie(request: Request, response: Response, x_session: SessionHeader = None) -> RefreshCookie:
    """Return the cookie of a request."""
    return RefreshCookie(request, response, wanted=x_session == "cookie")


CurrentPerson = Annotated[SignedIn, Depends(current_person)]
CallingClient = Annotated[Client, Depends(calling_client)]
Cookie = Annotated[RefreshCookie, Depends(refresh_cookie)]
MemberOfStaff = Annotated[Staff, Depends(needs_member(StaffRole.VIEWER))]
MemberAdmin = Annotated[Staff, Depends(needs_member(StaffRole.ADMIN))]
MemberOwner = Annotated[Staff, Depends(needs_member(StaffRole.OWNER))]


def _foreign(address: str) -> str | None:
    """Return the address unless it is this computer's own, which is no address of the internet."""
    try:
        return None if ip_address(address).is_loopback else address
    except ValueError:
        return address or None
