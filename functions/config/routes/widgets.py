"""A tenant's widgets, as staff set them up."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from chatconnect.domain.identifiers import WidgetId
from chatconnect.http.authentication import Admin, Viewer
from chatconnect.http.errors import responses
from functions.config.routes.widget_bodies import (
    NewWidget,
    WidgetBody,
    WidgetList,
    WidgetSettings,
    WidgetVersionBody,
    WidgetVersionList,
)
from functions.config.services import Widgets

router = APIRouter(prefix="/v1/widgets", tags=["widgets"])


@router.get("", responses=responses(401, 403))
async def list_widgets(caller: Viewer, widgets: Widgets) -> WidgetList:
    """List the tenant's widgets."""
    return WidgetList(widgets=[WidgetBody.of(widget) for widget in await widgets.all(caller.tenant_id)])


@router.post("", status_code=201, responses=responses(401, 403, 404, 409))
async def add_widget(body: NewWidget, caller: Admin, widgets: Widgets) -> WidgetBody:
    """Make a widget. A publishable key that names it (POST /v1/keys with `widget_id`) puts it on a website.

    409 `too_many_widgets` beyond a hundred.
    """
    return WidgetBody.of(await widgets.add(caller, body.to_wish()))


@router.put("/{widget_id}", responses=responses(401, 403, 404))
async def configure_widget(widget_id: UUID, body: WidgetSettings, caller: Admin, widgets: Widgets) -> WidgetBody:
    """Replace a widget's settings. What they were is kept as a version, with who wrote it.

    400 `low_contrast`, `avatar_host`, `invalid_picture`, `invalid_domain`.
    """
    return WidgetBody.of(await widgets.configure(caller, WidgetId(widget_id), body.to_wish()))


@router.delete("/{widget_id}", status_code=204, responses=responses(401, 403, 404))
async def delete_widget(widget_id: UUID, caller: Admin, widgets: Widgets) -> None:
    """Delete a widget. Keys that name it end with it; what visitors left in its form stays."""
    await widgets.delete(caller.tenant_id, WidgetId(widget_id))


@router.get("/{widget_id}/versions", responses=responses(401, 403, 404))
async def list_widget_versions(
    widget_id: UUID,
    caller: Viewer,
    widgets: Widgets,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    below: Annotated[int | None, Query(ge=1, lt=2**31, description="The last number of the page before")] = None,
) -> WidgetVersionList:
    """List the settings that a widget has had, the current ones first."""
    found = await widgets.versions(caller.tenant_id, WidgetId(widget_id), limit=limit, below=below)
    return WidgetVersionList(versions=[WidgetVersionBody.showing(version) for version in found])


@router.post("/{widget_id}/versions/{number}/restore", responses=responses(401, 403, 404))
async def restore_widget(
    widget_id: UUID, number: Annotated[int, Path(ge=1, lt=2**31)], caller: Admin, widgets: Widgets
) -> WidgetBody:
    """Give a widget the settings of an earlier version, as a new version."""
    return WidgetBody.of(await widgets.restore(caller, WidgetId(widget_id), number))
