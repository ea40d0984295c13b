"""What a widget asks for before the chat: its configuration, and a token for its visitor."""

import hashlib
from typing import Annotated, cast
from uuid import UUID

import orjson
from fastapi import Depends, Header, Request, Response
from mangum import Mangum
from pydantic import BaseModel

from chatconnect.domain.secret import Secret
from chatconnect.http.application import create_app
from chatconnect.http.authentication import Website
from chatconnect.http.errors import responses
from chatconnect.services.access import AccessService, WidgetVisit
from chatconnect.settings import settings
from functions.widget_config.wiring import WidgetServices

_FRESH_SECONDS = 60

services = WidgetServices(settings())
app = create_app("ChatConnect widget", environment=settings().environment, on_shutdown=services.aclose)
app.state.services = services


class ThemeBody(BaseModel):
    """Colours and place."""

    accent: str
    mode: str
    position: str
    avatar_url: str | None


class WidgetConfigBody(BaseModel):
    """How the widget looks and what it says; a text that is not given is the widget's own."""

    widget_id: UUID
    assistant_id: UUID
    company: str
    locale: str
    texts: dict[str, str]
    theme: ThemeBody
    suggested_questions: list[str]
    features: dict[str, bool]

    @classmethod
    def of(cls, visit: WidgetVisit) -> "WidgetConfigBody":
        """Return the body that configures the visited widget."""
        widget, config = visit.widget, visit.widget.config
        theme = config.theme
        return cls(
            widget_id=widget.id,
            assistant_id=widget.assistant_id,
            company=visit.tenant.name,
            locale=config.locale,
            texts=dict(config.texts),
            theme=ThemeBody(accent=theme.accent, mode=theme.mode, position=theme.position, avatar_url=theme.avatar_url),
            suggested_questions=list(config.suggested_questions),
            features={"feedback": True},
        )


class TokenRequest(BaseModel):
    """A returning visitor names the id that they were given before."""

    visitor_id: UUID | None = None


class TokenBody(BaseModel):
    """A chat token, valid for `expires_in` seconds, and the visitor that it stands for."""

    token: str
    expires_in: int
    visitor_id: UUID


def _access(request: Request) -> AccessService:
    return cast("WidgetServices", request.app.state.services).access


Access = Annotated[AccessService, Depends(_access)]


@app.get("/v1/widgets/{key}/config", tags=["widget"], response_model=WidgetConfigBody,
         responses=responses(401, 403) | {304: {"description": "Nothing changed"}})  # fmt: skip
async def widget_config(
    key: str, origin: Website, access: Access, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """Give a widget its configuration; with the ETag of the last one, 304 when nothing changed."""
    visit = await access.visit(Secret(key), origin)
    body = orjson.dumps(WidgetConfigBody.of(visit).model_dump(mode="json"))
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": f"private, max-age={_FRESH_SECONDS}", "Vary": "Origin"}
    if if_none_match is not None and etag in (tag.strip().removeprefix("W/") for tag in if_none_match.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


@app.post("/v1/widgets/{key}/token", tags=["widget"], responses=responses(401, 403))
async def chat_token(key: str, origin: Website, access: Access, body: TokenRequest | None = None) -> TokenBody:
    """Exchange a publishable key for a visitor's chat token, on an allowed website.

    A visitor whom the tenant has blocked gets none: 403 `visitor_blocked`.
    """
    given = await access.chat_token(Secret(key), origin, body.visitor_id if body else None)
    return TokenBody(token=given.token, expires_in=given.expires_in, visitor_id=given.visitor_id)


handler = Mangum(app, lifespan="off")
