"""What the statements about assistants and their versions return, and the entities made of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chatconnect.adapters.postgres.configurations import assistant_config
from chatconnect.domain.assistant import Assistant, AssistantConfig
from chatconnect.domain.assistant_versions import Author, Save, VersionedAssistant
from chatconnect.domain.identifiers import AccountId, AssistantId, TenantId
from chatconnect.domain.secret import Secret


@dataclass(frozen=True, kw_only=True)
class StateRow:
    """An assistant without a configuration."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    latest_version: int
    published_version: int
    is_default: bool

    def with_version(self, tenant_id: TenantId, number: int, config: AssistantConfig) -> VersionedAssistant:
        """Return the entity with the configuration of one of its versions."""
        assistant = Assistant(
            AssistantId(self.id), tenant_id, config, number, self.is_default, self.created_at, self.updated_at
        )
        return VersionedAssistant(assistant, self.published_version, self.latest_version, self.archived_at)


@dataclass(frozen=True, kw_only=True)
class PublishedRow(StateRow):
    """An assistant with its published version; the access token is sealed."""

    version: int
    config: Mapping[str, Any]
    access_token: bytes | None


@dataclass(frozen=True, kw_only=True)
class SaveRow:
    """A version without its configuration."""

    number: int
    note: str
    created_at: datetime
    author_id: UUID | None
    author_email: str | None

    def to_save(self) -> Save:
        """Return the value."""
        author = None
        if self.author_id is not None:
            author = Author(AccountId(self.author_id), self.author_email or "")
        return Save(self.number, self.note, self.created_at, author)


@dataclass(frozen=True, kw_only=True)
class VersionRow(SaveRow):
    """A version; the access token is sealed."""

    config: Mapping[str, Any]
    access_token: bytes | None

    def to_config(self, access_token: Secret | None) -> AssistantConfig:
        """Return the configuration, with the token opened."""
        return assistant_config(self.config, access_token)
