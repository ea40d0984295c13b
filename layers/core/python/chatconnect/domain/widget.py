"""A widget: how an assistant appears on a website."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from chatconnect.domain.errors import Forbidden, Invalid
from chatconnect.domain.identifiers import AccountId, AssistantId, TenantId, WidgetId
from chatconnect.domain.lead import LeadForm
from chatconnect.domain.origins import check_origin, checked_domain

MAX_TEXT = 500
MAX_SUGGESTIONS = 6
MAX_LANGUAGES = 40
MAX_DOMAINS = 100
MAX_AVATAR_BYTES = 16 * 1024
LONGEST_WAIT = 3_600  # seconds
LEAST_CONTRAST = 4.5
"""Of text on its ground, as WCAG 2 asks for at level AA."""

_AVATAR = re.compile(r"https://[!-~]{1,1000}")
_PICTURE = re.compile(r"data:image/(?P<kind>png|jpeg|webp);base64,(?P<content>[A-Za-z0-9+/]+={0,2})")
_BEGINNINGS = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff", "webp": b"RIFF"}
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours and place. `mode` is "auto", "light" or "dark", `position` "left" or "right".

    `on_accent` is the colour of what is written on the accent; None: black or white, whichever reads better.
    `avatar_url` is an https address, or a small picture itself as a data URL.
    """

    accent: str = "#2f6fed"
    mode: str = "auto"
    position: str = "right"
    avatar_url: str | None = None
    on_accent: str | None = None

    def __post_init__(self) -> None:
        if not _COLOUR.fullmatch(self.accent):
            raise Invalid("a colour is written like #2f6fed", details={"field": "theme.accent"})
        if self.mode not in ("auto", "light", "dark"):
            raise Invalid("the mode is auto, light or dark", details={"field": "theme.mode"})
        if self.position not in ("left", "right"):
            raise Invalid("the position is left or right", details={"field": "theme.position"})
        if self.avatar_url is not None:
            _check_avatar(self.avatar_url)
        if self.on_accent is not None:
            _check_on_accent(self.on_accent, self.accent)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a widget does: opens by itself after some seconds (None: never), asks for feedback, shows the sources."""

    open_after_seconds: int | None = None
    feedback: bool = True
    sources: bool = True

    def __post_init__(self) -> None:
        if self.open_after_seconds is not None and not 0 <= self.open_after_seconds <= LONGEST_WAIT:
            raise Invalid(
                f"a widget opens by itself within {LONGEST_WAIT:,} seconds",
                details={"field": "behaviour.open_after_seconds"},
            )


@dataclass(frozen=True, slots=True)
class Words:
    """What a widget says in one language: its own strings by name, and suggested questions."""

    texts: Mapping[str, str] = field(default_factory=dict)
    suggested_questions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, text in self.texts.items():
            if not re.fullmatch(r"[a-z_]{1,40}", name) or len(text) > MAX_TEXT or "\0" in text:
                raise Invalid(f"a text has at most {MAX_TEXT} characters", details={"field": f"texts.{name[:40]}"})
        if len(self.suggested_questions) > MAX_SUGGESTIONS:
            raise Invalid(f"at most {MAX_SUGGESTIONS} questions", details={"field": "suggested_questions"})
        if any(not 1 <= len(question) <= 200 or "\0" in question for question in self.suggested_questions):
            raise Invalid("a question has 1 to 200 characters", details={"field": "suggested_questions"})

    def over(self, other: "Words") -> "Words":
        """Return these words, and the other's where there are none of these."""
        return Words({**other.texts, **self.texts}, self.suggested_questions or other.suggested_questions)


@dataclass(frozen=True, slots=True)
class WidgetConfig:
    """What the owner sets. `texts` replaces any of the widget's own strings by name, in the language of `locale`.

    `translations` holds words by other language tags; what is missing there is said in the language of `locale`.
    With `require_identity` only visitors get in of whom the owner's server says who they are.
    """

    locale: str = "en"
    texts: Mapping[str, str] = field(default_factory=dict)
    theme: Theme = Theme()
    suggested_questions: tuple[str, ...] = ()
    allowed_domains: tuple[str, ...] = ()
    require_identity: bool = False
    translations: Mapping[str, Words] = field(default_factory=dict)
    behaviour: Behaviour = Behaviour()
    lead_form: LeadForm | None = None

    def __post_init__(self) -> None:
        for locale in (self.locale, *self.translations):
            if not _LOCALE.fullmatch(locale):
                raise Invalid("the locale is a language tag like en or pt-BR", details={"field": "locale"})
        if len(self.translations) > MAX_LANGUAGES:
            raise Invalid(f"at most {MAX_LANGUAGES} languages", details={"field": "translations"})
        Words(self.texts, self.suggested_questions)
        if len(self.allowed_domains) > MAX_DOMAINS:
            raise Invalid(f"at most {MAX_DOMAINS} domains", details={"field": "allowed_domains"})
        object.__setattr__(self, "allowed_domains", tuple(checked_domain(d) for d in self.allowed_domains))

    def check_avatar_host(self) -> None:
        """Raise Invalid with code "avatar_host" for an avatar from anywhere but the widget's own websites."""
        url = self.theme.avatar_url
        if url is None or url.startswith("data:"):
            return
        try:
            check_origin(f"https://{urlsplit(url).netloc}", self.allowed_domains)
        except (Forbidden, ValueError):
            raise Invalid(
                "the avatar is on none of the allowed domains",
                code="avatar_host",
                details={"field": "theme.avatar_url"},
            ) from None

    def in_language(self, wanted: str | None) -> tuple[str, Words]:
        """Return the tag and the words of the language that fits best: "de-AT" is served by "de" where there is it.

        The language of `locale` serves whoever wants none of the others.
        """
        own = Words(self.texts, self.suggested_questions)
        by_tag = {tag.casefold(): tag for tag in (*self.translations, self.locale)}
        parts = (wanted or "").casefold().split("-")
        for length in range(len(parts), 0, -1):
            tag = by_tag.get("-".join(parts[:length]))
            if tag is not None and tag != self.locale:
                return tag, self.translations[tag].over(own)
            if tag is not None:
                break
        return self.locale, own


@dataclass(frozen=True, slots=True)
class Widget:
    """A widget of a tenant, showing one assistant."""

    id: WidgetId
    tenant_id: TenantId
    assistant_id: AssistantId
    name: str
    config: WidgetConfig
    updated_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class WidgetVersion:
    """A state that a widget has been in; `author_id` and `author` are None when a server wrote it."""

    number: int
    config: WidgetConfig
    created_at: datetime
    author_id: AccountId | None = None
    author: str | None = None


def contrast(one: str, other: str) -> float:
    """Return how well one colour reads on the other, from 1 to 21 (WCAG 2)."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    values = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _check_on_accent(colour: str, accent: str) -> None:
    if not _COLOUR.fullmatch(colour):
        raise Invalid("a colour is written like #2f6fed", details={"field": "theme.on_accent"})
    if contrast(colour, accent) < LEAST_CONTRAST:
        raise Invalid(
            f"the contrast of the two colours is {contrast(colour, accent):.1f}, below {LEAST_CONTRAST}",
            code="low_contrast",
            details={"field": "theme.on_accent"},
        )


def _check_avatar(url: str) -> None:
    if not url.startswith("data:"):
        if not _AVATAR.fullmatch(url):
            raise Invalid("the avatar is an https address, or a picture", details={"field": "theme.avatar_url"})
        return
    picture = _PICTURE.fullmatch(url) if len(url) <= 2 * MAX_AVATAR_BYTES else None
    try:
        content = base64.b64decode(picture["content"], validate=True) if picture else b""
    except binascii.Error:
        content = b""
    if picture is None or len(content) > MAX_AVATAR_BYTES or not content.startswith(_BEGINNINGS[picture["kind"]]):
        raise Invalid(
            f"a picture is PNG, JPEG or WebP of at most {MAX_AVATAR_BYTES // 1024} kB",
            code="invalid_picture",
            details={"field": "theme.avatar_url"},
        )
