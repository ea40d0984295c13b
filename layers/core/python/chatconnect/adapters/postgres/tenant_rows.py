"""What the statements about a tenant return and take, and the entities made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatconnect.adapters.postgres.configurations import assistant_config, widget_config
from chatconnect.adapters.postgres.usage import CapRow
from chatconnect.domain.assistant import Assistant
from chatconnect.domain.identifiers import AssistantId, KeyId, TenantId, WidgetId
from chatconnect.domain.keys import ApiKey, KeyKind
from chatconnect.domain.secret import Secret
from chatconnect.domain.tenant import Plan
from chatconnect.domain.widget import Widget


@dataclass(frozen=True, slots=True)
class TenantRow:
    """A row of tenants."""

    id: UUID
    name: str
    plan: str
    created_at: datetime
    controls: Mapping[str, Any]


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
    own_caps: Sequence[Mapping[str, Any]]

    def to_plan(self) -> Plan:
        """Return the value."""
        return Plan(**{**vars(self), "own_caps": tuple(CapRow(**cap).to_cap() for cap in self.own_caps)})


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A row of api_keys, without the hash."""

    id: UUID
    kind: str
    name: str
    hint: str
    assistant_id: UUID | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def to_key(self, tenant_id: TenantId) -> ApiKey:
        """Return the entity."""
        return ApiKey(
            KeyId(self.id),
            tenant_id,
            KeyKind[self.kind.upper()],
            self.name,
            self.hint,
            self.created_at,
            AssistantId(self.assistant_id) if self.assistant_id else None,
            self.expires_at,
            self.revoked_at,
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


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """What a publication settled."""

    version: int
    created_at: datetime
    is_default: bool


@dataclass(frozen=True, slots=True)
class WidgetRow:
    """A row of widgets."""

    id: UUID
    assistant_id: UUID
    name: str
    config: Mapping[str, Any]
    updated_at: datetime

    def to_widget(self, tenant_id: TenantId) -> Widget:
        """Return the entity."""
        return Widget(
            WidgetId(self.id),
            tenant_id,
            AssistantId(self.assistant_id),
            self.name,
            widget_config(self.config),
            self.updated_at,
        )


def key_parameters(key: ApiKey, key_hash: bytes) -> dict[str, object]:
    """Return the parameters of INSERT_KEY but for the tenant."""
    return {
        "id": key.id,
        "kind": key.kind.name.lower(),
        "hash": key_hash,
        "name": key.name,
        "hint": key.hint,
        "assistant": key.assistant_id,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }
