"""Assistants with their versions in memory, for the tests of what uses them; they share what `MemoryTenants` keeps."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chatconnect.domain.assistant import Assistant
from chatconnect.domain.assistant_versions import AssistantVersion, Author, Save, VersionedAssistant
from chatconnect.domain.errors import Conflict, Invalid, NotFound
from chatconnect.domain.identifiers import AccountId, AssistantId, TenantId
from chatconnect.ports.assistants import NewVersion
from tests.fakes.tenants import StoredTenants


class MemoryAssistants:
    """One tenant's assistants."""

    def __init__(self, stored: StoredTenants, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def list_all(self) -> Sequence[VersionedAssistant]:
        own = [each for (tenant, _), each in self._stored.assistants.items() if tenant == self._tenant_id]
        return [
            self._with(each) for each in sorted(own, key=lambda each: (not each.is_default, each.created_at, each.id))
        ]

    async def count(self) -> int:
        return len(await self.list_all())

    async def get(self, assistant_id: AssistantId) -> VersionedAssistant:
        if (self._tenant_id, assistant_id) not in self._stored.assistants:
            raise NotFound("assistant", assistant_id)
        return self._with(self._stored.assistants[self._tenant_id, assistant_id])

    async def add(self, assistant: Assistant, *, author_id: AccountId | None, note: str) -> VersionedAssistant:
        self._stored.assistants[self._tenant_id, assistant.id] = assistant
        self._keep(assistant, note, assistant.created_at, author_id)
        return VersionedAssistant(assistant, 1, 1)

    async def saves(self, assistant_id: AssistantId, *, before: int | None, limit: int) -> Sequence[Save]:
        own = [save for key, save in self._stored.saves.items() if key[:2] == (self._tenant_id, assistant_id)]
        older = [save for save in own if before is None or save.number < before]
        return sorted(older, key=lambda save: save.number, reverse=True)[:limit]

    async def version(self, assistant_id: AssistantId, number: int) -> AssistantVersion:
        key = (self._tenant_id, assistant_id, number)
        if key not in self._stored.versions:
            raise NotFound("version", number)
        return AssistantVersion(self._stored.saves[key], self._stored.versions[key].config)

    async def save(
        self, assistant_id: AssistantId, version: NewVersion, *, publish: bool, expected: int | None = None
    ) -> VersionedAssistant:
        stored = await self.get(assistant_id)
        stored.check_unchanged(expected)
        saved = replace(
            stored.assistant,
            config=version.config,
            version=stored.latest_version + 1,
            updated_at=version.created_at,
        )
        self._keep(saved, version.note, version.created_at, version.author_id)
        if publish:
            self._stored.assistants[self._tenant_id, assistant_id] = saved
        else:
            touched = replace(stored.assistant, updated_at=version.created_at)
            self._stored.assistants[self._tenant_id, assistant_id] = touched
        return replace(
            stored,
            assistant=saved,
            latest_version=saved.version,
            published_version=saved.version if publish else stored.published_version,
        )

    async def publish(
        self, assistant_id: AssistantId, number: int, *, at: datetime, expected: int | None = None
    ) -> VersionedAssistant:
        config = (await self.version(assistant_id, number)).config
        stored = await self.get(assistant_id)
        stored.check_unchanged(expected)
        stored.check_can_publish(number)
        if number != stored.published_version:
            published = replace(stored.assistant, config=config, version=number, updated_at=at)
            self._stored.assistants[self._tenant_id, assistant_id] = published
        return await self.get(assistant_id)

    async def set_default(self, assistant_id: AssistantId) -> None:
        if (await self.get(assistant_id)).archived_at is not None:
            raise NotFound("assistant", assistant_id)
        for each in await self.list_all():
            changed = replace(each.assistant, is_default=each.assistant.id == assistant_id)
            self._stored.assistants[self._tenant_id, changed.id] = changed

    async def archive(self, assistant_id: AssistantId, at: datetime) -> None:
        await self._check_spare(assistant_id)
        self._stored.archived.setdefault((self._tenant_id, assistant_id), at)

    async def unarchive(self, assistant_id: AssistantId) -> None:
        await self.get(assistant_id)
        self._stored.archived.pop((self._tenant_id, assistant_id), None)

    async def delete(self, assistant_id: AssistantId) -> None:
        await self._check_spare(assistant_id)
        if any(key.assistant_id == assistant_id for key in self._stored.keys.values()):
            raise _in_use()
        del self._stored.assistants[self._tenant_id, assistant_id]
        self._stored.archived.pop((self._tenant_id, assistant_id), None)
        for number in [save.number for save in await self.saves(assistant_id, before=None, limit=1_000)]:
            del self._stored.versions[self._tenant_id, assistant_id, number]
            del self._stored.saves[self._tenant_id, assistant_id, number]

    async def _check_spare(self, assistant_id: AssistantId) -> None:
        if (await self.get(assistant_id)).assistant.is_default:
            raise Conflict("make another assistant the default first", code="default_assistant")
        if any(widget.assistant_id == assistant_id for widget in self._stored.widgets.values()):
            raise _in_use()

    def _with(self, assistant: Assistant) -> VersionedAssistant:
        key = (self._tenant_id, assistant.id)
        latest = max(number for *whose, number in self._stored.versions if tuple(whose) == key)
        return VersionedAssistant(assistant, assistant.version, latest, self._stored.archived.get(key))

    def _keep(self, assistant: Assistant, note: str, at: datetime, author_id: AccountId | None) -> None:
        key = (self._tenant_id, assistant.id, assistant.version)
        emails = {account.id: account.email for account in self._stored.accounts.values()}
        author = Author(author_id, emails.get(author_id, "")) if author_id is not None else None
        self._stored.versions[key] = assistant
        self._stored.saves[key] = Save(assistant.version, note, at, author)


class SomeAddresses:
    """Takes every address but those of hosts that it is told are private."""

    def __init__(self, *private: str) -> None:
        self._private = private

    async def check(self, url: str) -> None:
        if any(host in url for host in self._private):
            raise Invalid("the address is not public", code="address_not_public", details={"field": "base_url"})


def _in_use() -> Conflict:
    return Conflict("a widget, a key or a conversation still needs this assistant", code="assistant_in_use")
