"""Where assistants are kept with all their versions, for those who set them up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chatconnect.domain.assistant import Assistant, AssistantConfig
from chatconnect.domain.assistant_versions import AssistantVersion, Save, VersionedAssistant
from chatconnect.domain.identifiers import AccountId, AssistantId, TenantId


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A save. `author_id` None: a tenant's own server."""

    config: AssistantConfig
    note: str
    created_at: datetime
    author_id: AccountId | None = None


class Assistants(Protocol):
    """One tenant's assistants. `expected` is the newest version that a change began with; None: whichever it is."""

    async def list_all(self) -> Sequence[VersionedAssistant]:
        """Return all as they are published, archived ones included: the default first, then the oldest."""
        ...

    async def count(self) -> int:
        """Return how many assistants, archived ones included, there are, without opening any secret."""
        ...

    async def get(self, assistant_id: AssistantId) -> VersionedAssistant:
        """Return one as it is published, archived or not. Raises NotFound."""
        ...

    async def add(self, assistant: Assistant, *, author_id: AccountId | None, note: str) -> VersionedAssistant:
        """Store a new one, which is not the default; its version 1 is published."""
        ...

    async def saves(self, assistant_id: AssistantId, *, before: int | None, limit: int) -> Sequence[Save]:
        """Return the newest versions, those below `before`, newest first; none of an unknown assistant."""
        ...

    async def version(self, assistant_id: AssistantId, number: int) -> AssistantVersion:
        """Return a version. Raises NotFound."""
        ...

    async def save(
        self, assistant_id: AssistantId, version: NewVersion, *, publish: bool, expected: int | None = None
    ) -> VersionedAssistant:
        """Store a version with the next number, perhaps published in the same moment; return the assistant with it.

        Raises NotFound, Conflict with code "version_conflict".
        """
        ...

    async def publish(
        self, assistant_id: AssistantId, number: int, *, at: datetime, expected: int | None = None
    ) -> VersionedAssistant:
        """Publish a version that is stored, and return the assistant with it; nothing changes if it is published.

        Raises NotFound, Conflict with code "version_conflict" or "older_version".
        """
        ...

    async def set_default(self, assistant_id: AssistantId) -> None:
        """Make it the tenant's default in place of the present one. Raises NotFound, also when it is archived."""
        ...

    async def archive(self, assistant_id: AssistantId, at: datetime) -> None:
        """Keep it from answering; the first moment stands.

        Raises NotFound, Conflict with code "default_assistant", or "assistant_in_use" while a widget shows it.
        """
        ...

    async def unarchive(self, assistant_id: AssistantId) -> None:
        """Let it answer again. Raises NotFound."""
        ...

    async def delete(self, assistant_id: AssistantId) -> None:
        """Remove it with its versions.

        Raises NotFound, Conflict with code "default_assistant", or "assistant_in_use" when a widget, a key, a
        conversation or anything else names it.
        """
        ...


AssistantsOf = Callable[[TenantId], Assistants]
