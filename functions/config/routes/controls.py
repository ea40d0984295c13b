"""Control messages: what a company tells its models for all assistants, for an endpoint, or for one conversation."""

from uuid import UUID

from fastapi import APIRouter

from chatconnect.domain.identifiers import ConversationId
from chatconnect.http.authentication import Admin, Agent, Viewer
from chatconnect.http.controls import InstructionsBody, TenantControlsBody
from chatconnect.http.errors import responses
from functions.config.own_tenant import own_tenant
from functions.config.services import Conversations, Tenants

router = APIRouter(prefix="/v1", tags=["controls"])


@router.get("/tenants/{tenant_id}/control-messages", responses=responses(401, 403, 404))
async def show_control_messages(tenant_id: UUID, caller: Viewer, tenants: Tenants) -> TenantControlsBody:
    """Show the control messages of the tenant and of its endpoints."""
    return TenantControlsBody.of(await tenants.controls(own_tenant(tenant_id, caller)))


@router.put("/tenants/{tenant_id}/control-messages", responses=responses(401, 403, 404))
async def set_control_messages(
    tenant_id: UUID, body: TenantControlsBody, caller: Admin, tenants: Tenants
) -> TenantControlsBody:
    """Replace the control messages of the tenant and of its endpoints; they hold from the next question on."""
    controls = body.to_controls()
    await tenants.set_controls(own_tenant(tenant_id, caller), controls)
    return TenantControlsBody.of(controls)


@router.get("/conversations/{conversation_id}/instructions", responses=responses(401, 403, 404))
async def show_instructions(conversation_id: UUID, caller: Viewer, conversations: Conversations) -> InstructionsBody:
    """Show a conversation's own instructions."""
    controls = await conversations.controls(caller.tenant_id, ConversationId(conversation_id))
    return InstructionsBody.of(controls)


@router.put("/conversations/{conversation_id}/instructions", responses=responses(401, 403, 404))
async def set_instructions(
    conversation_id: UUID, body: InstructionsBody, caller: Agent, conversations: Conversations
) -> InstructionsBody:
    """Replace a conversation's own instructions; they hold from its next question on."""
    controls = body.to_controls()
    await conversations.set_controls(caller.tenant_id, ConversationId(conversation_id), controls)
    return InstructionsBody.of(controls)
