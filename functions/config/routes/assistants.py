"""A tenant's assistants."""

import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response

from chatconnect.domain.assistant_versions import VersionedAssistant
from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import AssistantId
from chatconnect.domain.principals import Staff, TenantSide
from chatconnect.http.authentication import Admin, Viewer
from chatconnect.http.errors import responses
from chatconnect.services.assistants import Edit
from functions.config.routes.assistant_bodies import AssistantBody, AssistantList, ConfigurationBody, RenameBody
from functions.config.services import Assistants

router = APIRouter(prefix="/v1/assistants", tags=["assistants"])

_ETAG = re.compile(r'(?:W/)?"?([0-9]{1,9})"?')


async def expected_version(
    if_match: Annotated[
        str | None,
        Header(
            description="The ETag of the state that the change began with: when somebody has saved since, nothing "
            "changes and the answer is 409 `version_conflict`",
            examples=['"7"'],
        ),
    ] = None,
) -> int | None:
    """Return the newest version that a change began with. Raises Invalid."""
    if if_match is None or if_match.strip() == "*":
        return None
    if (found := _ETAG.fullmatch(if_match.strip())) is None:
        raise Invalid("If-Match holds the ETag of an assistant", details={"field": "If-Match"})
    return int(found[1])


Expected = Annotated[int | None, Depends(expected_version)]


def edit_by(caller: TenantSide, note: str, expected: int | None) -> Edit:
    """Return who saves and why; a server has no author."""
    return Edit(caller.account_id if isinstance(caller, Staff) else None, note, expected)


def shown(assistant: VersionedAssistant, response: Response) -> AssistantBody:
    """Return the body that shows an assistant, with the ETag beside it."""
    response.headers["ETag"] = f'"{assistant.latest_version}"'
    return AssistantBody.of(assistant)


@router.get("", responses=responses(401, 403))
async def list_assistants(
    caller: Viewer,
    assistants: Assistants,
    archived: Annotated[bool, Query(description="The archived ones instead")] = False,
) -> AssistantList:
    """List the tenant's assistants."""
    found = await assistants.assistants(caller.tenant_id, archived=archived)
    return AssistantList(assistants=[AssistantBody.of(each) for each in found])


@router.post("", status_code=201, responses=responses(401, 403, 404, 409))
async def add_assistant(
    body: ConfigurationBody, caller: Admin, assistants: Assistants, response: Response
) -> AssistantBody:
    """Make another assistant; its version 1 is published, and answers whoever names it (a widget, a key).

    403 `model_not_in_plan`, `feature_not_in_plan` (a tool) for what the plan lacks; 409 `too_many_assistants`; 404: its
    knowledge source.
    """
    edit = edit_by(caller, body.note, None)
    return shown(await assistants.create(caller.tenant_id, body.to_new_config(), edit), response)


@router.get("/{assistant_id}", responses=responses(401, 403, 404))
async def get_assistant(
    assistant_id: UUID, caller: Viewer, assistants: Assistants, response: Response
) -> AssistantBody:
    """Show one assistant as it is published."""
    return shown(await assistants.assistant(caller.tenant_id, AssistantId(assistant_id)), response)


@router.put("/{assistant_id}", responses=responses(401, 403, 404, 409))
async def save_and_publish_assistant(
    assistant_id: UUID,
    body: ConfigurationBody,
    caller: Admin,
    assistants: Assistants,
    expected: Expected,
    response: Response,
) -> AssistantBody:
    """Save a configuration as the next version and publish it: the next question meets it, in every process.

    Without an access token that of the published version stays. 403 `model_not_in_plan`, `feature_not_in_plan`.
    """
    edit = edit_by(caller, body.note, expected)
    saved = await assistants.save_and_publish(caller.tenant_id, AssistantId(assistant_id), body.to_config, edit)
    return shown(saved, response)


@router.patch("/{assistant_id}", responses=responses(401, 403, 404, 409))
async def rename_assistant(
    assistant_id: UUID,
    body: RenameBody,
    caller: Admin,
    assistants: Assistants,
    expected: Expected,
    response: Response,
) -> AssistantBody:
    """Publish the published configuration under another name, as the next version; 409 `draft_exists`."""
    edit = edit_by(caller, body.note, expected)
    renamed = await assistants.rename(caller.tenant_id, AssistantId(assistant_id), body.name, edit)
    return shown(renamed, response)


@router.post("/{assistant_id}/default", responses=responses(401, 403, 404))
async def make_default(assistant_id: UUID, caller: Admin, assistants: Assistants, response: Response) -> AssistantBody:
    """Make it the one that answers where no assistant is named. There is exactly one such at any moment."""
    return shown(await assistants.make_default(caller.tenant_id, AssistantId(assistant_id)), response)


@router.post("/{assistant_id}/archive", responses=responses(401, 403, 404, 409))
async def archive_assistant(
    assistant_id: UUID, caller: Admin, assistants: Assistants, response: Response
) -> AssistantBody:
    """Keep it from answering; its conversations stay readable, and it can be taken back.

    409 `default_assistant`, or `assistant_in_use` while a widget shows it.
    """
    return shown(await assistants.archive(caller.tenant_id, AssistantId(assistant_id)), response)


@router.post("/{assistant_id}/unarchive", responses=responses(401, 403, 404))
async def unarchive_assistant(
    assistant_id: UUID, caller: Admin, assistants: Assistants, response: Response
) -> AssistantBody:
    """Let an archived assistant answer again."""
    return shown(await assistants.unarchive(caller.tenant_id, AssistantId(assistant_id)), response)


@router.delete("/{assistant_id}", status_code=204, responses=responses(401, 403, 404, 409))
async def delete_assistant(assistant_id: UUID, caller: Admin, assistants: Assistants) -> None:
    """Remove an assistant that nobody has talked to, with its versions.

    409 `default_assistant`, or `assistant_in_use` when a widget, a key or a conversation names it: then archive it.
    """
    await assistants.delete(caller.tenant_id, AssistantId(assistant_id))
