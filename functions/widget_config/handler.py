"""What a widget asks for before the chat: its configuration, and a token for its visitor."""

import hashlib
from typing import Annotated, cast

import orjson
from fastapi import Depends, Header, Query, Request, Response
from mangum import Mangum

from chatconnect.domain.secret import Secret
from chatconnect.http.application import create_app
from chatconnect.http.authentication import Website
from chatconnect.http.errors import responses
from chatconnect.services.visits import VisitService
from chatconnect.settings import settings
from functions.widget_config.bodies import TokenBody, TokenRequest, WidgetConfigBody
from functions.widget_config.wiring import WidgetServices

_FRESH_SECONDS = 60

services = WidgetServices(settings())


async def check_website(origin: str, path: str) -> None:
    """Raise what a visit raises, when the widget that a path names is not for this website."""
    await services.visits.visit(Secret(path.split("/")[3]), origin)


app = create_app(
    "ChatConnect widget",
    environment=settings().environment,
    on_shutdown=services.aclose,
    check_website=check_website,
)
app.state.services = services


async def _visits(request: Request) -> VisitService:
    return cast("WidgetServices", request.app.state.services).visits


Visits = Annotated[VisitService, Depends(_visits)]


@app.get("/v1/widgets/{key}/config", tags=["widget"], response_model=WidgetConfigBody,
         responses=responses(401, 403, 404) | {304: {"description": "Nothing changed"}})  # fmt: skip
async def widget_config(
    key: str,
    origin: Website,
    visits: Visits,
    locale: Annotated[
        str | None, Query(max_length=40, description="The visitor's language", examples=["de-AT"])
    ] = None,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """Give a widget its configuration; with the ETag of the last one, 304 when nothing changed.

    It speaks the visitor's language where the widget has it, "de" for "de-AT" too, and its own for all others.
    """
    visit = await visits.visit(Secret(key), origin)
    body = orjson.dumps(WidgetConfigBody.of(visit, locale).model_dump(mode="json"))
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": f"private, max-age={_FRESH_SECONDS}", "Vary": "Origin"}
    if if_none_match is not None and etag in (tag.strip().removeprefix("W/") for tag in if_none_match.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@app.post("/v1/widgets/{key}/token", tags=["widget"], responses=responses(401, 403, 404))
async def chat_token(key: str, origin: Website, visits: Visits, body: TokenRequest | None = None) -> TokenBody:
    """Exchange a publishable key for a visitor's chat token, on an allowed website.

    With a signed identity the token is for the one visitor with that id, on whatever device: an anonymous visitor keeps
    their conversations when they say who they are. 401 `identity_invalid`, `identity_expired`. Without one, whoever
    comes with the id of a visitor who is known by identity is somebody new, and where the widget requires an identity,
    nobody: 403 `identity_required`. A visitor whom the tenant has blocked gets no token: 403 `visitor_blocked`.
    """
    asked = body or TokenRequest()
    given = await visits.chat_token(Secret(key), origin, asked.visitor_id, asked.proof)
    return TokenBody(
        token=given.token, expires_in=given.expires_in, visitor_id=given.visitor_id, returning=given.returning
    )


handler = Mangum(app, lifespan="off")
