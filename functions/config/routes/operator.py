"""What those who run the platform do with tenants and accounts. A tenant's roles, its owners' too, open none of it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from chatconnect.domain.identifiers import AccountId, TenantId
from chatconnect.domain.tenant import Account, Tenant
from chatconnect.http.errors import responses
from chatconnect.http.sessions import current_operator
from functions.config.services import Operators

router = APIRouter(prefix="/v1/operator", tags=["operator"], dependencies=[Depends(current_operator)])


class PlanChange(BaseModel):
    """The plan to have from the next request on."""

    plan: str


class TenantBody(BaseModel):
    """A tenant from outside: nothing of what it contains."""

    id: UUID
    name: str
    plan: str
    created_at: datetime
    suspended_at: datetime | None

    @classmethod
    def of(cls, tenant: Tenant) -> "TenantBody":
        """Return the body that shows a tenant."""
        return cls(
            id=tenant.id,
            name=tenant.name,
            plan=tenant.plan,
            created_at=tenant.created_at,
            suspended_at=tenant.suspended_at,
        )


class TenantList(BaseModel):
    """Tenants in the order they were opened; ask again with `after` set to `next_after`, null at the end."""

    tenants: list[TenantBody]
    next_after: UUID | None


class AccountBody(BaseModel):
    """A person's account."""

    id: UUID
    email: str
    is_operator: bool
    disabled_at: datetime | None

    @classmethod
    def of(cls, account: Account) -> "AccountBody":
        """Return the body that shows an account."""
        return cls(id=account.id, email=account.email, is_operator=account.is_operator, disabled_at=account.disabled_at)


@router.get("/tenants", responses=responses(401, 403))
async def list_tenants(
    operators: Operators, after: UUID | None = None, limit: Annotated[int, Query(ge=1, le=100)] = 50
) -> TenantList:
    """List all tenants, page by page."""
    found = await operators.page(TenantId(after) if after else None, limit)
    return TenantList(
        tenants=[TenantBody.of(each) for each in found], next_after=found[-1].id if len(found) == limit else None
    )


@router.get("/tenants/{tenant_id}", responses=responses(401, 403, 404))
async def show_tenant(tenant_id: UUID, operators: Operators) -> TenantBody:
    """Show a tenant."""
    return TenantBody.of(await operators.tenant(TenantId(tenant_id)))


@router.put("/tenants/{tenant_id}/plan", responses=responses(401, 403, 404))
async def set_plan(tenant_id: UUID, body: PlanChange, operators: Operators) -> TenantBody:
    """Give a tenant another plan. 400 `unknown_plan`."""
    return TenantBody.of(await operators.set_plan(TenantId(tenant_id), body.plan))


@router.post("/tenants/{tenant_id}/suspend", responses=responses(401, 403, 404))
async def suspend_tenant(tenant_id: UUID, operators: Operators) -> TenantBody:
    """Let nobody of the tenant in: members, servers and visitors who ask get 403 `tenant_suspended`."""
    return TenantBody.of(await operators.suspend(TenantId(tenant_id)))


@router.post("/tenants/{tenant_id}/resume", responses=responses(401, 403, 404))
async def resume_tenant(tenant_id: UUID, operators: Operators) -> TenantBody:
    """End a suspension."""
    return TenantBody.of(await operators.resume(TenantId(tenant_id)))


@router.get("/accounts", responses=responses(401, 403, 404))
async def find_account(email: str, operators: Operators) -> AccountBody:
    """Find a person's account by its address."""
    return AccountBody.of(await operators.account(email))


@router.post("/accounts/{account_id}/disable", responses=responses(401, 403, 404, 409))
async def disable_account(account_id: UUID, operators: Operators) -> AccountBody:
    """Keep a person out of all tenants, at once. 409 `operator_account` for one who runs the platform."""
    return AccountBody.of(await operators.set_disabled(AccountId(account_id), disabled=True))


@router.post("/accounts/{account_id}/enable", responses=responses(401, 403, 404, 409))
async def enable_account(account_id: UUID, operators: Operators) -> AccountBody:
    """Let a person in again; they log in anew."""
    return AccountBody.of(await operators.set_disabled(AccountId(account_id), disabled=False))
