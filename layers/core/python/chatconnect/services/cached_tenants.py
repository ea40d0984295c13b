"""What every turn needs to know of its tenant, without asking the database every time (C4)."""

from datetime import timedelta
from functools import partial
from typing import Protocol

from chatconnect.domain.assistant import Assistant
from chatconnect.domain.identifiers import AssistantId, TenantId
from chatconnect.domain.tenant import Plan, Tenant
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epoch
from chatconnect.ports.tenants import Tenants, TenantsOf
from chatconnect.services.epoch_cache import EpochCache

LIFETIME = timedelta(hours=1)


class TenantReads(Protocol):
    """What of `Tenants` a turn reads."""

    async def get(self) -> Tenant:
        """Return the tenant. Raises NotFound."""
        ...

    async def plan(self) -> Plan:
        """Return the tenant's plan. Raises NotFound."""
        ...

    async def assistant(self, assistant_id: AssistantId) -> Assistant:
        """Return the assistant with its published configuration. Raises NotFound."""
        ...

    async def default_assistant(self) -> Assistant:
        """Return the tenant's default assistant. Raises NotFound."""
        ...


class CachedTenants:
    """Keeps what is read of tenants in this process, for at most an hour and while their configuration is unchanged.

    Whatever changes it says so by `Epochs.changed`. A change that goes past the services (to a plan's row, say, which
    many tenants share) is seen when the hour is over.
    """

    def __init__(self, tenants_of: TenantsOf, *, clock: Clock) -> None:
        self._tenants_of, self._kept = tenants_of, _Kept(clock)

    def at(self, tenant_id: TenantId, epoch: Epoch | None) -> TenantReads:
        """Return a tenant as it is in an epoch that was read for this request; None: as the database has it now."""
        return _TenantAt(self._tenants_of(tenant_id), tenant_id, self._kept, epoch)

    def drafts_of(self, tenant_id: TenantId, epoch: Epoch | None) -> TenantReads:
        """Return the same with the newest versions of its assistants, which are read anew each time."""
        return _Drafts(self._tenants_of(tenant_id), tenant_id, self._kept, epoch)


class _Kept:
    """What is kept of all tenants; the default assistant under no id."""

    def __init__(self, clock: Clock) -> None:
        self.tenants: EpochCache[Tenant] = EpochCache(Area.CONFIGURATION, clock=clock, lifetime=LIFETIME)
        self.plans: EpochCache[Plan] = EpochCache(Area.CONFIGURATION, clock=clock, lifetime=LIFETIME)
        self.assistants: EpochCache[Assistant] = EpochCache(Area.CONFIGURATION, clock=clock, lifetime=LIFETIME)


class _TenantAt:
    """One tenant in one epoch."""

    def __init__(self, tenants: Tenants, tenant_id: TenantId, kept: _Kept, epoch: Epoch | None) -> None:
        self._tenants, self._tenant_id, self._kept, self._epoch = tenants, tenant_id, kept, epoch

    async def get(self) -> Tenant:
        return await self._kept.tenants.get(self._tenant_id, self._epoch, self._tenants.get)

    async def plan(self) -> Plan:
        return await self._kept.plans.get(self._tenant_id, self._epoch, self._tenants.plan)

    async def assistant(self, assistant_id: AssistantId) -> Assistant:
        key, read = (self._tenant_id, assistant_id), partial(self._tenants.assistant, assistant_id)
        return await self._kept.assistants.get(key, self._epoch, read)

    async def default_assistant(self) -> Assistant:
        return await self._kept.assistants.get((self._tenant_id, None), self._epoch, self._tenants.default_assistant)


class _Drafts(_TenantAt):
    """One tenant in one epoch, but for its assistants."""

    async def assistant(self, assistant_id: AssistantId) -> Assistant:
        return await self._tenants.newest(assistant_id)

    async def default_assistant(self) -> Assistant:
        return await self.assistant((await super().default_assistant()).id)
