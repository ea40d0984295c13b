"""The versions of a tenant's assistants: drafts, publications, the way back, and whether a model answers."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from chatconnect.domain.identifiers import AssistantId
from chatconnect.http.authentication import Admin, Viewer
from chatconnect.http.errors import responses
from functions.config.routes.assistant_bodies import AssistantBody, ConfigurationBody
from functions.config.routes.assistant_version_bodies import (
    MAX_NUMBER,
    ChangeList,
    PublicationBody,
    RollbackBody,
    SaveBody,
    SaveList,
    TrialBody,
    TrialRequest,
    VersionBody,
)
from functions.config.routes.assistants import Expected, edit_by, shown
from functions.config.services import Assistants, ModelTrials

router = APIRouter(prefix="/v1/assistants", tags=["assistants"])

Number = Annotated[int, Path(ge=1, le=MAX_NUMBER)]


@router.get("/{assistant_id}/versions", responses=responses(401, 403, 404))
async def list_versions(
    assistant_id: UUID,
    caller: Viewer,
    assistants: Assistants,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: Annotated[int | None, Query(ge=1, le=MAX_NUMBER, description="Only versions below this one")] = None,
) -> SaveList:
    """List who saved which version, when and why, newest first."""
    assistant, saves = await assistants.saves(caller.tenant_id, AssistantId(assistant_id), before=before, limit=limit)
    oldest = saves[-1].number if saves else 1
    return SaveList(
        published_version=assistant.published_version,
        latest_version=assistant.latest_version,
        versions=[SaveBody.of(save) for save in saves],
        next_before=oldest if oldest > 1 else None,
    )


@router.post("/{assistant_id}/versions", status_code=201, responses=responses(401, 403, 404, 409))
async def save_draft(
    assistant_id: UUID,
    body: ConfigurationBody,
    caller: Admin,
    assistants: Assistants,
    expected: Expected,
    response: Response,
) -> AssistantBody:
    """Save a configuration as the next version, which visitors do not meet before it is published.

    Without an access token that of the newest version stays.
    """
    edit = edit_by(caller, body.note, expected)
    saved = await assistants.save_draft(caller.tenant_id, AssistantId(assistant_id), body.to_config, edit)
    return shown(saved, response)


@router.get("/{assistant_id}/versions/{number}", responses=responses(401, 403, 404))
async def get_version(assistant_id: UUID, number: Number, caller: Viewer, assistants: Assistants) -> VersionBody:
    """Show a version with its configuration."""
    return VersionBody.of(await assistants.version(caller.tenant_id, AssistantId(assistant_id), number))


@router.get("/{assistant_id}/versions/{number}/changes", responses=responses(401, 403, 404))
async def get_changes(
    assistant_id: UUID,
    number: Number,
    caller: Viewer,
    assistants: Assistants,
    since: Annotated[
        int | None, Query(ge=1, le=MAX_NUMBER, description="The version to compare with; the one before it by itself")
    ] = None,
) -> ChangeList:
    """Show what a version changed, field by field."""
    other = since or max(1, number - 1)
    found = await assistants.changes(caller.tenant_id, AssistantId(assistant_id), number, other)
    return ChangeList.of(number, other, found)


@router.post("/{assistant_id}/publish", responses=responses(401, 403, 404, 409))
async def publish_version(
    assistant_id: UUID,
    body: PublicationBody,
    caller: Admin,
    assistants: Assistants,
    expected: Expected,
    response: Response,
) -> AssistantBody:
    """Publish a draft: answers under way keep their version, the next question meets this one, in every process.

    409 `older_version`: a newer one is published, and only a roll back brings this one's configuration back.
    """
    published = await assistants.publish(caller.tenant_id, AssistantId(assistant_id), body.version, expected=expected)
    return shown(published, response)


@router.post("/{assistant_id}/rollback", responses=responses(401, 403, 404, 409))
async def roll_back(
    assistant_id: UUID,
    body: RollbackBody,
    caller: Admin,
    assistants: Assistants,
    expected: Expected,
    response: Response,
) -> AssistantBody:
    """Publish a new version that equals an old one, but for the access token.

    The token stays the published version's where it goes to the same provider and address, and is none otherwise: one
    that was replaced or removed does not come back by itself.
    """
    edit = edit_by(caller, body.note or f"Rolled back to version {body.version}", expected)
    back = await assistants.roll_back(caller.tenant_id, AssistantId(assistant_id), body.version, edit)
    return shown(back, response)


@router.post("/{assistant_id}/test", responses=responses(401, 403, 404))
async def test_model(assistant_id: UUID, body: TrialRequest, caller: Admin, trials: ModelTrials) -> TrialBody:
    """Ask the model of a version something small, at its address and with its token, and say whether it answers.

    What the provider says is not passed on.
    """
    return TrialBody.of(await trials.test(caller.tenant_id, AssistantId(assistant_id), body.version))
