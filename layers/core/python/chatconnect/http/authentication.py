"""Who makes this request: dependencies that turn its headers into principals."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from chatconnect.domain.audit import ActorKind
from chatconnect.domain.errors import Forbidden, Unauthenticated
from chatconnect.domain.keys import KeyKind
from chatconnect.domain.principals import Asker, Reader, Server, Staff, TenantSide, Visitor
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import StaffRole
from chatconnect.http.scopes import SAFE_METHODS, scopes_for
from chatconnect.ports.audit import acts
from chatconnect.services.access import AccessService

_BEARER = HTTPBearer(auto_error=False, description="A chat token, an access token, or a secret key (sk_live_...)")


async def bearer(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Secret:
    """Return the bearer credential. Raises Unauthenticated."""
    if credentials is None or not credentials.credentials:
        raise Unauthenticated("a bearer token or key is needed")
    return Secret(credentials.credentials)


Bearer = Annotated[Secret, Depends(bearer)]


async def website(request: Request) -> str | None:
    """Return the website that a browser's request comes from.

    Browsers leave Origin out of same-origin reads; there Sec-Fetch-Site, which no page can set, says as much.
    """
    origin = request.headers.get("origin")
    if origin is None and request.headers.get("sec-fetch-site") == "same-origin":
        return f"{request.url.scheme}://{request.headers.get('host', '')}"
    return origin


Website = Annotated[str | None, Depends(website)]


async def current_asker(request: Request, credential: Bearer, origin: Website) -> Asker:
    """Return who asks the chat: the visitor of a chat token or the server of a secret key.

    A chat token works on the website that it was given to. Raises Unauthenticated, Forbidden.
    """
    if credential.reveal().startswith(KeyKind.SECRET.value):
        return await _server(request, credential)
    access: AccessService = request.app.state.services.access
    return _on_their_website(await access.asking_visitor(credential), request, origin)


async def current_visitor(request: Request, credential: Bearer, origin: Website) -> Visitor:
    """Return the visitor of a chat token, which works on the website that it was given to.

    Raises Unauthenticated, Forbidden.
    """
    access: AccessService = request.app.state.services.access
    return _on_their_website(await access.visitor(credential), request, origin)


async def current_tenant_side(request: Request, credential: Bearer) -> TenantSide:
    """Return the member of an access token or the server of a secret key. Raises Unauthenticated."""
    if credential.reveal().startswith(KeyKind.SECRET.value):
        return await _server(request, credential)
    return await current_staff(request, credential)


async def current_reader(request: Request, credential: Bearer, origin: Website) -> Reader:
    """Return whose conversations may be read: a visitor their own, staff and servers all of their tenant's."""
    if credential.reveal().startswith(KeyKind.SECRET.value):
        return Reader((await _server(request, credential)).tenant_id, None)
    try:
        visitor = await current_visitor(request, credential, origin)
    except Unauthenticated as error:
        if error.code != "token_invalid":
            raise
        staff = await current_staff(request, credential)
        return Reader(staff.tenant_id, None, staff.role)
    return Reader(visitor.tenant_id, visitor.visitor_id)


async def current_staff(request: Request, credential: Bearer) -> Staff:
    """Return the member of an access token. Raises Unauthenticated."""
    access: AccessService = request.app.state.services.access
    staff = await access.staff(credential)
    acts(ActorKind.MEMBER, staff.account_id)
    return staff


CurrentVisitor = Annotated[Visitor, Depends(current_visitor)]
CurrentAsker = Annotated[Asker, Depends(current_asker)]
CurrentReader = Annotated[Reader, Depends(current_reader)]
CurrentStaff = Annotated[Staff, Depends(current_staff)]


def needs(role: StaffRole) -> Callable[..., Awaitable[TenantSide]]:
    """Return a dependency that lets in members who cover `role`, and the tenant's servers up to admin."""

    async def allowed(caller: Annotated[TenantSide, Depends(current_tenant_side)]) -> TenantSide:
        own = caller.role if isinstance(caller, Staff) else StaffRole.ADMIN
        own.check_covers(role)
        return caller

    return allowed


Viewer = Annotated[TenantSide, Depends(needs(StaffRole.VIEWER))]
Agent = Annotated[TenantSide, Depends(needs(StaffRole.AGENT))]
Admin = Annotated[TenantSide, Depends(needs(StaffRole.ADMIN))]


async def _server(request: Request, key: Secret) -> Server:
    """Return the server of a secret key that may be used for this request. Raises Unauthenticated, Forbidden."""
    access: AccessService = request.app.state.services.access
    server = await access.server(key)
    acts(ActorKind.KEY, server.key_id)
    server.check_may(scopes_for(request.method, request.scope["path"]))
    return server


def _on_their_website(visitor: Visitor, request: Request, origin: str | None) -> Visitor:
    if origin is not None:
        visitor.check_website(origin)
    elif request.method not in SAFE_METHODS:
        raise Forbidden("this token works only from its website", code="origin_required")
    return visitor
