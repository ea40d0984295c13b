"""What the people who run the platform do with tenants and accounts; never by a tenant's own roles."""

from collections.abc import Sequence

from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import AccountId, TenantId
from chatconnect.domain.tenant import Account, Tenant, checked_email
from chatconnect.ports.accounts import Accounts
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.operators import OperatedTenants
from chatconnect.services.changes import changing


class OperatorService:
    """Looks after all tenants. What it changes holds in every process from the next request on."""

    def __init__(self, *, tenants: OperatedTenants, accounts: Accounts, epochs: Epochs) -> None:
        self._tenants, self._accounts, self._epochs = tenants, accounts, epochs

    async def page(self, after: TenantId | None, limit: int) -> Sequence[Tenant]:
        """Return tenants in the order they were opened, those after the one given."""
        return await self._tenants.page(after, limit)

    async def tenant(self, tenant_id: TenantId) -> Tenant:
        """Return one tenant. Raises NotFound."""
        return await self._tenants.get(tenant_id)

    async def set_plan(self, tenant_id: TenantId, plan: str) -> Tenant:
        """Give a tenant another plan. Raises NotFound, Invalid with code "unknown_plan"."""
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await self._tenants.set_plan(tenant_id, plan)
        return await self._tenants.get(tenant_id)

    async def suspend(self, tenant_id: TenantId) -> Tenant:
        """Let nobody in any more: no member, no server, no visitor. Raises NotFound."""
        return await self._set_suspended(tenant_id, suspended=True)

    async def resume(self, tenant_id: TenantId) -> Tenant:
        """Let everybody in again. Raises NotFound."""
        return await self._set_suspended(tenant_id, suspended=False)

    async def account(self, email: str) -> Account:
        """Return the account with an address. Raises NotFound, Invalid."""
        account = await self._accounts.find_by_email(checked_email(email))
        if account is None:
            raise NotFound("account")
        return account

    async def set_disabled(self, account_id: AccountId, *, disabled: bool) -> Account:
        """Keep somebody out, at once and of all tenants, or let them in again.

        Raises NotFound, Conflict for an operator, who is made and unmade in the database alone.
        """
        if (await self._accounts.get(account_id)).is_operator:
            raise Conflict("operators are not kept out like this", code="operator_account")
        await self._accounts.set_disabled(account_id, disabled=disabled)
        return await self._accounts.get(account_id)

    async def _set_suspended(self, tenant_id: TenantId, *, suspended: bool) -> Tenant:
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await self._tenants.set_suspended(tenant_id, suspended=suspended)
        return await self._tenants.get(tenant_id)
