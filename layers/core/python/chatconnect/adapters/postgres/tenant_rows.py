"""What the statements about a tenant return and take, and the entities made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatconnect.adapters.postgres.configurations import assistant_config, tenant_controls
from chatconnect.adapters.postgres.usage import CapRow
from chatconnect.domain.assistant import Assistant
from chatconnect.domain.identifiers import AssistantId, TenantId
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import Feature, Plan, Tenant


@dataclass(frozen=True, slots=True)
class TenantRow:
    """A row of tenants."""

    id: UUID
    name: str
    plan: str
    created_at: datetime
    controls: Mapping[str, Any]
    suspended_at: datetime | None
    websites: Sequence[str] = ()

    def to_tenant(self) -> Tenant:
        """Return the entity."""
        controls = tenant_controls(self.controls)
        return Tenant(
            TenantId(self.id), self.name, self.plan, self.created_at, controls, self.suspended_at, tuple(self.websites)
        )


@dataclass(frozen=True, kw_only=True)
class PlanRow:
    """A row of plans with the caps that the tenant has set itself."""

    name: str
    requests_per_minute: int
    provider: str
    model: str
    messages_per_minute: int | None
    messages_per_hour: int | None
    messages_per_day: int | None
    tokens_per_day: int | None
    tokens_per_month: int | None
    microusd_per_day: int | None
    microusd_per_month: int | None
    allowed_models: Sequence[str]
    features: Sequence[str]
    documents: int | None
    storage_bytes: int | None
    members: int | None
    price: str
    own_caps: Sequence[Mapping[str, Any]] = ()
    suspended: bool = False

    def to_plan(self) -> Plan:
        """Return the value."""
        values = {name: value for name, value in vars(self).items() if name != "allowed_models"}
        return Plan(
            **values
            | {
                "own_caps": tuple(CapRow(**cap).to_cap() for cap in self.own_caps),
                "models": frozenset(self.allowed_models),
                "features": frozenset(Feature(name) for name in self.features),
            }
        )


@dataclass(frozen=True, slots=True)
class AssistantRow:
    """An assistant with its published version; the access token is sealed."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    is_default: bool
    version: int
    config: Mapping[str, Any]
    access_token: bytes | None

    def to_assistant(self, tenant_id: TenantId, access_token: Secret | None) -> Assistant:
        """Return the entity, with the token opened."""
        return Assistant(
            AssistantId(self.id),
            tenant_id,
            assistant_config(self.config, access_token),
            self.version,
            self.is_default,
            self.created_at,
            self.updated_at,
        )
