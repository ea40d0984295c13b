"""What a widget is given and what it sends before the chat."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from chatconnect.domain.identity import LONGEST_ID, LONGEST_TOKEN, Proof, SignedId
from chatconnect.domain.lead import FieldKind, LeadForm
from chatconnect.services.visits import WidgetVisit


class ShownTheme(BaseModel):
    """Colours and place."""

    accent: str
    mode: str
    position: str
    avatar_url: str | None
    on_accent: str | None


class ShownBehaviour(BaseModel):
    """What the widget does by itself: opens after some seconds, once per tab; null: never."""

    open_after_seconds: int | None


class ShownLeadField(BaseModel):
    """A field of the form; its label is the text `lead_` and its name."""

    name: str
    type: FieldKind
    required: bool


class ShownLeadForm(BaseModel):
    """The form in which visitors leave how to reach them; they send it to POST /v1/leads."""

    fields: list[ShownLeadField]
    required: bool
    consent: bool

    @classmethod
    def of(cls, form: LeadForm) -> "ShownLeadForm":
        """Return the body that shows a form."""
        fields = [ShownLeadField(name=each.name, type=each.kind, required=each.required) for each in form.fields]
        return cls(fields=fields, required=form.required, consent=form.consent)


class WidgetConfigBody(BaseModel):
    """How the widget looks and what it says, in the language `locale`; a text that is not given is the widget's own."""

    widget_id: UUID
    assistant_id: UUID
    company: str
    locale: str
    texts: dict[str, str]
    theme: ShownTheme
    suggested_questions: list[str]
    features: dict[str, bool]
    behaviour: ShownBehaviour
    lead_form: ShownLeadForm | None

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
            theme=ShownTheme(**asdict(theme)),
            suggested_questions=list(words.suggested_questions),
            features={"feedback": behaviour.feedback, "sources": behaviour.sources},
            behaviour=ShownBehaviour(open_after_seconds=behaviour.open_after_seconds),
            lead_form=ShownLeadForm.of(form) if form else None,
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
