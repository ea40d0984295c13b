"""What a widget asks for before the chat: its configuration, and a token for its visitor."""

import hashlib
from dataclasses import asdict
from typing import Annotated, cast
from uuid import UUID

import orjson
from fastapi import Depends, Header, Query, Request, Response
from mangum import Mangum
from pydantic import BaseModel, Field

from chatconnect.domain.identity import LONGEST_ID, LONGEST_TOKEN, Proof, SignedId
from chatconnect.domain.lead import FieldKind, LeadForm
from chatconnect.domain.secret import Secret
from chatconnect.http.application import create_app
from chatconnect.http.authentication import Website
from chatconnect.http.errors import responses
from chatconnect.services.visits import VisitService, WidgetVisit
from chatconnect.settings import settings
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


class ThemeBody(BaseModel):
    """Colours and place."""

    accent: str
    mode: str
    position: str
    avatar_url: str | None
    on_accent: str | None


class BehaviourBody(BaseModel):
    """What the widget does by itself: opens after some seconds, once per tab; null: never."""

    open_after_seconds: int | None


class LeadFieldBody(BaseModel):
    """A field of the form; its label is the text `lead_` and its name."""

    name: str
    type: FieldKind
    required: bool


class LeadFormBody(BaseModel):
    """The form in which visitors leave how to reach them; they send it to POST /v1/leads."""

    fields: list[LeadFieldBody]
    required: bool
    consent: bool

    @classmethod
    def of(cls, form: LeadForm) -> "LeadFormBody":
        """Return the body that shows a form."""
        fields = [LeadFieldBody(name=each.name, type=each.kind, required=each.required) for each in form.fields]
        return cls(fields=fields, required=form.required, consent=form.consent)


class WidgetConfigBody(BaseModel):
    """How the widget looks and what it says, in the language `locale`; a text that is not given is the widget's own."""

    widget_id: UUID
    assistant_id: UUID
    company: str
    locale: str
    texts: dict[str, str]
    theme: ThemeBody
    suggested_questions: list[str]
    features: dict[str, bool]
    behaviour: BehaviourBody
    lead_form: LeadFormBody | None

    @classmethod
    def of(cls, visit: WidgetVisit, wanted: str | None) -> "WidgetConfigBody":
        """Return the body that configures the visited widget, in the wanted language where there is it."""
        widget, config = visit.widget, visit.widget.config
        theme, behaviour, form = config.theme, config.behaviour, config.lead_form
        locale, words = config.in_language(wanted)
        return cls(
            widget_id=widget.id,
            assistant_id=widget.assistant_id,
            company=visit.tenant.name,
            locale=locale,
            texts=dict(words.texts),
            theme=ThemeBody(**asdict(theme)),
            suggested_questions=list(words.suggested_questions),
            features={"feedback": behaviour.feedback, "sources": behaviour.sources},
            behaviour=BehaviourBody(open_after_seconds=behaviour.open_after_seconds),
            lead_form=LeadFormBody.of(form) if form else None,
        )


class SignedIdBody(BaseModel):
    """The plain form of an identity: an id and its HMAC-SHA-256 with an identity secret. It proves the id alone."""

    user_id: str = Field(min_length=1, max_length=LONGEST_ID)
    user_hash: str = Field(pattern="^[0-9a-fA-F]{64}$", description="In hexadecimal digits")


class TokenRequest(BaseModel):
    """A returning visitor names the id that they were given before; one who is logged in on the website, who they are.

    A JWT is signed with an identity secret (HS256), ends (`exp`), and states `sub` or `user_id`, and, if wished,
    `email` and `name`.
    """

    visitor_id: UUID | None = None
    identity: Annotated[str, Field(max_length=LONGEST_TOKEN)] | SignedIdBody | None = Field(
        default=None, description="A JWT, or the plain form"
    )

    @property
    def proof(self) -> Proof | None:
        """The identity as the service takes it."""
        given = self.identity
        return SignedId(given.user_id, given.user_hash) if isinstance(given, SignedIdBody) else given


class TokenBody(BaseModel):
    """A chat token, valid for `expires_in` seconds, and the visitor that it stands for."""

    token: str
    expires_in: int
    visitor_id: UUID
    returning: bool = Field(description="Whether the conversations of the visitor_id in the request are this visitor's")


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
