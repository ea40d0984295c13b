"""A tenant's widgets, as staff set them up."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chatconnect.domain.identifiers import WidgetId
from chatconnect.domain.widget import Theme, Widget, WidgetConfig
from chatconnect.http.authentication import Admin, Viewer
from chatconnect.http.errors import responses
from functions.config.services import Tenants

router = APIRouter(prefix="/v1/widgets", tags=["widgets"])


class ThemeBody(BaseModel):
    """Colours and place."""

    accent: str = "#2f6fed"
    mode: str = "auto"
    position: str = "right"
    avatar_url: str | None = None


class WidgetSettings(BaseModel):
    """What staff set: texts in any language, theme, suggested questions, and the websites that may show the widget."""

    locale: str = "en"
    texts: dict[str, str] = Field(default_factory=dict)
    theme: ThemeBody = ThemeBody()
    suggested_questions: list[str] = Field(default_factory=list)
    allowed_domains: list[str] = Field(default_factory=list)

    def to_config(self) -> WidgetConfig:
        """Return the configuration that this asks for. Raises Invalid."""
        return WidgetConfig(
            locale=self.locale,
            texts=self.texts,
            theme=Theme(**self.theme.model_dump()),
            suggested_questions=tuple(self.suggested_questions),
            allowed_domains=tuple(self.allowed_domains),
        )


class WidgetBody(WidgetSettings):
    """A widget with its settings."""

    id: UUID
    name: str
    assistant_id: UUID
    updated_at: datetime

    @classmethod
    def of(cls, widget: Widget) -> "WidgetBody":
        """Return the body that shows a widget."""
        config, theme = widget.config, widget.config.theme
        return cls(
            id=widget.id,
            name=widget.name,
            assistant_id=widget.assistant_id,
            updated_at=widget.updated_at,
            locale=config.locale,
            texts=dict(config.texts),
            theme=ThemeBody(accent=theme.accent, mode=theme.mode, position=theme.position, avatar_url=theme.avatar_url),
            suggested_questions=list(config.suggested_questions),
            allowed_domains=list(config.allowed_domains),
        )


class WidgetList(BaseModel):
    """All widgets, newest first."""

    widgets: list[WidgetBody]


@router.get("", responses=responses(401, 403))
async def list_widgets(caller: Viewer, tenants: Tenants) -> WidgetList:
    """List the tenant's widgets."""
    return WidgetList(widgets=[WidgetBody.of(widget) for widget in await tenants.widgets(caller.tenant_id)])


@router.put("/{widget_id}", responses=responses(401, 403, 404))
async def configure_widget(widget_id: UUID, body: WidgetSettings, caller: Admin, tenants: Tenants) -> WidgetBody:
    """Replace a widget's settings."""
    changed = await tenants.configure_widget(caller.tenant_id, WidgetId(widget_id), body.to_config())
    return WidgetBody.of(changed)
