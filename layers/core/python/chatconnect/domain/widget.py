"""A widget: how an assistant appears on a website."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import AssistantId, TenantId, WidgetId
from chatconnect.domain.origins import checked_domain

_AVATAR = re.compile(r"https://[!-~]{1,1000}")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
MAX_TEXT = 500
MAX_SUGGESTIONS = 6


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours and place. `mode` is "auto", "light" or "dark", `position` "left" or "right"."""

    accent: str = "#2f6fed"
    mode: str = "auto"
    position: str = "right"
    avatar_url: str | None = None

    def __post_init__(self) -> None:
        if not _COLOUR.fullmatch(self.accent):
            raise Invalid("a colour is written like #2f6fed", details={"field": "theme.accent"})
        if self.mode not in ("auto", "light", "dark"):
            raise Invalid("the mode is auto, light or dark", details={"field": "theme.mode"})
        if self.position not in ("left", "right"):
            raise Invalid("the position is left or right", details={"field": "theme.position"})
        if self.avatar_url is not None and not _AVATAR.fullmatch(self.avatar_url):
            raise Invalid("the avatar is an https address", details={"field": "theme.avatar_url"})


@dataclass(frozen=True, slots=True)
class WidgetConfig:
    """What the owner sets. `texts` replaces any of the widget's own strings by name, in any language."""

    locale: str = "en"
    texts: Mapping[str, str] = field(default_factory=dict)
    theme: Theme = Theme()
    suggested_questions: tuple[str, ...] = ()
    allowed_domains: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", self.locale):
            raise Invalid("the locale is a language tag like en or pt-BR", details={"field": "locale"})
        for name, text in self.texts.items():
            if not re.fullmatch(r"[a-z_]{1,40}", name) or len(text) > MAX_TEXT or "\0" in text:
                raise Invalid(f"a text has at most {MAX_TEXT} characters", details={"field": f"texts.{name[:40]}"})
        if len(self.suggested_questions) > MAX_SUGGESTIONS:
            raise Invalid(f"at most {MAX_SUGGESTIONS} questions", details={"field": "suggested_questions"})
        if any(not 1 <= len(question) <= 200 or "\0" in question for question in self.suggested_questions):
            raise Invalid("a question has 1 to 200 characters", details={"field": "suggested_questions"})
        object.__setattr__(self, "allowed_domains", tuple(checked_domain(d) for d in self.allowed_domains))


@dataclass(frozen=True, slots=True)
class Widget:
    """A widget of a tenant, showing one assistant."""

    id: WidgetId
    tenant_id: TenantId
    assistant_id: AssistantId
    name: str
    config: WidgetConfig
    updated_at: datetime
