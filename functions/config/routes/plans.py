"""What companies can pay for, and how much of its plan a company uses."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chatconnect.domain.tenant import Feature, Plan
from chatconnect.http.authentication import Viewer
from chatconnect.http.errors import responses
from chatconnect.services.usage import Standing
from functions.config.own_tenant import own_tenant
from functions.config.routes.usage import CapStateBody, CapStates
from functions.config.services import Usage

router = APIRouter(prefix="/v1", tags=["plans"])


class PlanBody(BaseModel):
    """A plan. Null means unlimited; money in millionths of a US dollar; periods are those of UTC."""

    name: str
    price: str = Field(description="For people")
    provider: str
    model: str = Field(description="What new assistants use, and what answers in place of a model that is not included")
    models: list[str] = Field(description="What may be asked at the providers; dated releases of them, too")
    features: list[Feature]
    requests_per_minute: int = Field(description="Of each visitor and each secret key")
    messages_per_minute: int | None
    messages_per_hour: int | None
    messages_per_day: int | None
    tokens_per_day: int | None
    tokens_per_month: int | None
    microusd_per_day: int | None
    microusd_per_month: int | None
    documents: int | None
    storage_bytes: int | None = Field(description="Of the files of documents, in all their versions that are kept")
    members: int | None

    @classmethod
    def of(cls, plan: Plan) -> "PlanBody":
        """Return the body that shows a plan."""
        return cls(
            name=plan.name,
            price=plan.price,
            provider=plan.provider,
            model=plan.model,
            models=sorted(plan.models or ()),
            features=sorted(plan.features),
            requests_per_minute=plan.requests_per_minute,
            messages_per_minute=plan.messages_per_minute,
            messages_per_hour=plan.messages_per_hour,
            messages_per_day=plan.messages_per_day,
            tokens_per_day=plan.tokens_per_day,
            tokens_per_month=plan.tokens_per_month,
            microusd_per_day=plan.microusd_per_day,
            microusd_per_month=plan.microusd_per_month,
            documents=plan.documents,
            storage_bytes=plan.storage_bytes,
            members=plan.members,
        )


class PlanList(BaseModel):
    """All plans, the smallest first."""

    plans: list[PlanBody]

    @classmethod
    def of(cls, plans: Sequence[Plan]) -> "PlanList":
        """Return the body that shows plans."""
        return cls(plans=[PlanBody.of(plan) for plan in plans])


class UsedBody(BaseModel):
    """What of its plan a company uses now; of what it may ask per period, its caps tell."""

    documents: int
    storage_bytes: int
    members: int
    caps: list[CapStateBody]


class TenantBody(BaseModel):
    """A company with its plan and what of it is used."""

    id: UUID
    name: str
    created_at: datetime
    plan: PlanBody
    used: UsedBody

    @classmethod
    def of(cls, standing: Standing) -> "TenantBody":
        """Return the body that shows a company."""
        tenant, holdings = standing.tenant, standing.holdings
        used = UsedBody(
            documents=holdings.documents,
            storage_bytes=holdings.storage_bytes,
            members=holdings.members,
            caps=CapStates.of(standing.caps).caps,
        )
        return cls(
            id=tenant.id, name=tenant.name, created_at=tenant.created_at, plan=PlanBody.of(standing.plan), used=used
        )


@router.get("/plans", responses=responses(401, 403))
async def list_plans(_: Viewer, usage: Usage) -> PlanList:
    """List what companies can pay for; the platform's operators put a company on another plan."""
    return PlanList.of(await usage.plans())


@router.get("/tenants/{tenant_id}", responses=responses(401, 403, 404))
async def show_company(tenant_id: UUID, caller: Viewer, usage: Usage) -> TenantBody:
    """Show the company with its plan, and how much of that is used."""
    return TenantBody.of(await usage.standing(own_tenant(tenant_id, caller)))
