"""How long a tenant keeps what."""

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chatconnect.domain.data_rights import MAX_DAYS, Retention
from chatconnect.http.authentication import Admin, Viewer
from chatconnect.http.errors import responses
from functions.config.own_tenant import own_tenant
from functions.config.services import Retentions

router = APIRouter(prefix="/v1/tenants", tags=["data rights"])


class RetentionBody(BaseModel):
    """Periods in days, 1 to 3,650; null: for ever."""

    conversation_days: int | None = Field(
        description="Since a conversation's last message; then it goes, and visitors who have none left", examples=[365]
    )
    audit_days: int | None = Field(description="Since a line of the audit log was written", examples=[MAX_DAYS])

    @classmethod
    def of(cls, retention: Retention) -> "RetentionBody":
        """Return the body that shows periods."""
        return cls(conversation_days=retention.conversation_days, audit_days=retention.audit_days)


@router.get("/{tenant_id}/retention", responses=responses(401, 403, 404))
async def show_retention(tenant_id: UUID, caller: Viewer, retentions: Retentions) -> RetentionBody:
    """Show how long the tenant keeps what."""
    return RetentionBody.of(await retentions.get(own_tenant(tenant_id, caller)))


@router.put("/{tenant_id}/retention", responses=responses(401, 403, 404))
async def set_retention(tenant_id: UUID, body: RetentionBody, caller: Admin, retentions: Retentions) -> RetentionBody:
    """Keep data for other periods; a job removes what is older once a day. What is gone cannot be brought back."""
    wanted = Retention(body.conversation_days, body.audit_days)
    return RetentionBody.of(await retentions.set(own_tenant(tenant_id, caller), wanted))
