"""What the routes of widgets take and show."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, Field

from chatconnect.domain.identifiers import AssistantId
from chatconnect.domain.lead import FieldKind, LeadField, LeadForm
from chatconnect.domain.widget import Behaviour, Theme, Widget, WidgetConfig, WidgetVersion, Words
from chatconnect.services.widgets import WidgetWish


class ThemeBody(BaseModel):
    """Colours and place."""

    accent: str = "#2f6fed"
    mode: str = Field(default="auto", description="auto, light or dark")
    position: str = Field(default="right", description="left or right")
    avatar_url: str | None = Field(
        default=None,
        description="An https address on one of the allowed domains, or a PNG, JPEG or WebP of at most 16 kB as a data "
        "URL: `data:image/png;base64,...`",
    )
    on_accent: str | None = Field(
        default=None,
        description="The colour of what is written on the accent, with a contrast of at least 4.5; none: black or "
        "white, whichever reads better",
    )


class BehaviourBody(BaseModel):
    """What a widget does by itself, and what it shows."""

    open_after_seconds: int | None = Field(
        default=None, description="Opens by itself after so many seconds, once per tab; none: never"
    )
    feedback: bool = Field(default=True, description="Visitors can rate answers")
    sources: bool = Field(default=True, description="Answers show their sources")


class WordsBody(BaseModel):
    """What a widget says in one language; what is missing is said in the widget's own language."""

    texts: dict[str, str] = Field(default_factory=dict)
    suggested_questions: list[str] = Field(default_factory=list)


class LeadFieldBody(BaseModel):
    """A field of the form; its label is the text `lead_` and its name."""

    name: str = Field(examples=["email"])
    type: FieldKind = FieldKind.TEXT
    required: bool = False


class LeadFormBody(BaseModel):
    """A form in which visitors leave how to reach them."""

    fields: list[LeadFieldBody] = Field(description="1 to 8")
    required: bool = Field(default=False, description="Visitors fill it in before they can ask in the widget")
    consent: bool = Field(
        default=True, description="Visitors have to agree to the text `lead_consent`, which is kept with the lead"
    )

    def to_form(self) -> LeadForm:
        """Return the form that this asks for. Raises Invalid."""
        fields = tuple(LeadField(each.name, each.type, each.required) for each in self.fields)
        return LeadForm(fields, self.required, self.consent)

    @classmethod
    def of(cls, form: LeadForm) -> "LeadFormBody":
        """Return the body that shows a form."""
        fields = [LeadFieldBody(name=each.name, type=each.kind, required=each.required) for each in form.fields]
        return cls(fields=fields, required=form.required, consent=form.consent)


class WidgetConfiguration(BaseModel):
    """Texts in any language, theme, behaviour, the form, suggested questions, and the websites that may show it."""

    locale: str = Field(default="en", description="The language of `texts` and `suggested_questions`")
    texts: dict[str, str] = Field(default_factory=dict, description="Any of the widget's own strings, by name")
    suggested_questions: list[str] = Field(default_factory=list)
    translations: dict[str, WordsBody] = Field(
        default_factory=dict,
        description="Words by other languages; visitors get the one that their page or browser asks for",
        examples=[{"de": {"texts": {"greeting": "Guten Tag!"}, "suggested_questions": ["Was kostet es?"]}}],
    )
    theme: ThemeBody = ThemeBody()
    behaviour: BehaviourBody = BehaviourBody()
    lead_form: LeadFormBody | None = None
    allowed_domains: list[str] = Field(
        default_factory=list,
        description="`example.com`, `example.com:8443`, `*.example.com` (its subdomains, not itself); none: no "
        "website. Links in answers may lead there",
        examples=[["www.example.com", "*.example.com"]],
    )
    require_identity: bool = Field(
        default=False,
        description="Only visitors get in of whom the website's server says who they are: see /v1/identity-secrets",
    )

    def to_config(self) -> WidgetConfig:
        """Return the configuration that this asks for. Raises Invalid."""
        return WidgetConfig(
            locale=self.locale,
            texts=self.texts,
            theme=Theme(**self.theme.model_dump()),
            suggested_questions=tuple(self.suggested_questions),
            allowed_domains=tuple(self.allowed_domains),
            require_identity=self.require_identity,
            translations={
                tag: Words(words.texts, tuple(words.suggested_questions)) for tag, words in self.translations.items()
            },
            behaviour=Behaviour(**self.behaviour.model_dump()),
            lead_form=self.lead_form.to_form() if self.lead_form else None,
        )

    @classmethod
    def showing(cls, config: WidgetConfig, **more: Any) -> Self:
        """Return the body that shows a configuration and `more` beside it."""
        return cls(
            locale=config.locale,
            texts=dict(config.texts),
            suggested_questions=list(config.suggested_questions),
            translations={
                tag: WordsBody(texts=dict(words.texts), suggested_questions=list(words.suggested_questions))
                for tag, words in config.translations.items()
            },
            theme=ThemeBody(**asdict(config.theme)),
            behaviour=BehaviourBody(**asdict(config.behaviour)),
            lead_form=LeadFormBody.of(config.lead_form) if config.lead_form else None,
            allowed_domains=list(config.allowed_domains),
            require_identity=config.require_identity,
            **more,
        )


class WidgetSettings(WidgetConfiguration):
    """What staff set."""

    name: str | None = Field(default=None, description="For staff, 1 to 100 characters; none: as it is")
    assistant_id: UUID | None = Field(default=None, description="Who answers behind it; none: who does now")

    def to_wish(self) -> WidgetWish:
        """Return what this asks for. Raises Invalid."""
        assistant_id = AssistantId(self.assistant_id) if self.assistant_id is not None else None
        return WidgetWish(self.to_config(), self.name, assistant_id)


class NewWidget(WidgetSettings):
    """A widget to be made; without an `assistant_id` the tenant's default assistant answers behind it."""

    name: str = Field(description="For staff, 1 to 100 characters")


class WidgetBody(WidgetConfiguration):
    """A widget with its settings."""

    id: UUID
    name: str
    assistant_id: UUID
    version: int
    updated_at: datetime

    @classmethod
    def of(cls, widget: Widget) -> "WidgetBody":
        """Return the body that shows a widget."""
        return cls.showing(
            widget.config,
            id=widget.id,
            name=widget.name,
            assistant_id=widget.assistant_id,
            version=widget.version,
            updated_at=widget.updated_at,
        )


class WidgetList(BaseModel):
    """All widgets, newest first."""

    widgets: list[WidgetBody]


class WidgetVersionBody(BaseModel):
    """Settings that a widget has had; `author` is a member's address, null for a secret key."""

    number: int
    author: str | None
    created_at: datetime
    settings: WidgetConfiguration

    @classmethod
    def showing(cls, version: WidgetVersion) -> "WidgetVersionBody":
        """Return the body that shows a version."""
        return cls(
            number=version.number,
            author=version.author,
            created_at=version.created_at,
            settings=WidgetConfiguration.showing(version.config),
        )


class WidgetVersionList(BaseModel):
    """Versions, newest first."""

    versions: list[WidgetVersionBody]
