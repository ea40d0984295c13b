"""A tenant's assistants, as staff set them up: every save is a version, one of them is published."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from chatconnect.domain.addresses import check_https
from chatconnect.domain.assistant import Assistant, AssistantConfig
from chatconnect.domain.assistant_versions import (
    MAX_ASSISTANTS,
    AssistantVersion,
    Change,
    Save,
    VersionedAssistant,
    changes,
    checked_note,
)
from chatconnect.domain.errors import Conflict
from chatconnect.domain.identifiers import AccountId, AssistantId, TenantId, new_id
from chatconnect.ports.addresses import PublicAddresses
from chatconnect.ports.assistants import AssistantsOf, NewVersion
from chatconnect.ports.clock import Clock
from chatconnect.ports.epochs import Area, Epochs
from chatconnect.ports.knowledge_sources import KnowledgeSourcesOf
from chatconnect.ports.tenants import TenantsOf
from chatconnect.services.changes import changing
from chatconnect.services.plan_rules import check_in_plan

ATTEMPTS = 10

Alter = Callable[[AssistantConfig], AssistantConfig]
Make = Callable[[VersionedAssistant], Awaitable[AssistantConfig]]


@dataclass(frozen=True, slots=True)
class Edit:
    """Who saves, and why. `expected` is the newest version that they began with; None: whichever it is."""

    author_id: AccountId | None = None
    note: str = ""
    expected: int | None = None


class AssistantService:
    """Keeps assistants and their versions. `allow_http`: plain http addresses of models are taken, too.

    What saves raises NotFound (the assistant, its knowledge source), Invalid, Forbidden with code "model_not_in_plan"
    or "feature_not_in_plan", and Conflict with code "version_conflict" when somebody saved since the version that the
    edit began with.
    """

    def __init__(
        self,
        *,
        assistants_of: AssistantsOf,
        tenants_of: TenantsOf,
        sources_of: KnowledgeSourcesOf,
        addresses: PublicAddresses,
        epochs: Epochs,
        clock: Clock,
        allow_http: bool = False,
    ) -> None:
        self._assistants_of, self._tenants_of = assistants_of, tenants_of
        self._sources_of, self._addresses = sources_of, addresses
        self._epochs, self._clock, self._allow_http = epochs, clock, allow_http

    async def assistants(self, tenant_id: TenantId, *, archived: bool = False) -> Sequence[VersionedAssistant]:
        """Return the assistants that answer as they are published, the default first; or the archived ones."""
        every = await self._assistants_of(tenant_id).list_all()
        return [each for each in every if (each.archived_at is not None) == archived]

    async def assistant(self, tenant_id: TenantId, assistant_id: AssistantId) -> VersionedAssistant:
        """Return one as it is published. Raises NotFound."""
        return await self._assistants_of(tenant_id).get(assistant_id)

    async def create(self, tenant_id: TenantId, config: AssistantConfig, edit: Edit) -> VersionedAssistant:
        """Store a new assistant, whose version 1 is published. Raises Conflict with code "too_many_assistants", too."""
        assistants, note = self._assistants_of(tenant_id), checked_note(edit.note)
        if await assistants.count() >= MAX_ASSISTANTS:
            raise Conflict(f"a company has at most {MAX_ASSISTANTS} assistants", code="too_many_assistants")
        await self._check(tenant_id, config)
        now = self._clock()
        assistant = Assistant(AssistantId(new_id()), tenant_id, config, 1, False, now, now)
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            return await assistants.add(assistant, author_id=edit.author_id, note=note)

    async def save_and_publish(
        self, tenant_id: TenantId, assistant_id: AssistantId, alter: Alter, edit: Edit
    ) -> VersionedAssistant:
        """Publish what `alter` makes of the published configuration, as the next version."""

        async def altered(stored: VersionedAssistant) -> AssistantConfig:
            return alter(stored.assistant.config)

        return await self._saved(tenant_id, assistant_id, altered, edit, publish=True)

    async def save_draft(
        self, tenant_id: TenantId, assistant_id: AssistantId, alter: Alter, edit: Edit
    ) -> VersionedAssistant:
        """Store what `alter` makes of the newest version as the next one, which visitors do not meet yet."""

        async def altered(stored: VersionedAssistant) -> AssistantConfig:
            newest = await self._assistants_of(tenant_id).version(assistant_id, stored.latest_version)
            return alter(newest.config)

        return await self._saved(tenant_id, assistant_id, altered, edit, publish=False)

    async def rename(self, tenant_id: TenantId, assistant_id: AssistantId, name: str, edit: Edit) -> VersionedAssistant:
        """Publish the published configuration under another name.

        Raises Conflict with code "draft_exists", too: the draft would be left behind.
        """

        async def renamed(stored: VersionedAssistant) -> AssistantConfig:
            if stored.has_draft:
                message = "there is a draft; publish it first, or change the name there"
                raise Conflict(message, code="draft_exists", details={"latest_version": stored.latest_version})
            return stored.assistant.config.with_name(name)

        return await self._saved(tenant_id, assistant_id, renamed, edit, publish=True)

    async def roll_back(
        self, tenant_id: TenantId, assistant_id: AssistantId, number: int, edit: Edit
    ) -> VersionedAssistant:
        """Publish a new version that equals an old one, but for the access token.

        That stays the published version's, where it goes to the same provider and address, and is none otherwise: a
        token that was replaced or deleted never comes back by itself. Raises NotFound, for the version too.
        """

        async def as_it_was(stored: VersionedAssistant) -> AssistantConfig:
            old = await self._assistants_of(tenant_id).version(assistant_id, number)
            return old.config.with_token_of(stored.assistant.config)

        return await self._saved(tenant_id, assistant_id, as_it_was, edit, publish=True)

    async def publish(
        self, tenant_id: TenantId, assistant_id: AssistantId, number: int, *, expected: int | None = None
    ) -> VersionedAssistant:
        """Publish a draft. Raises Conflict with code "older_version", too."""
        assistants = self._assistants_of(tenant_id)
        await self._check(tenant_id, (await assistants.version(assistant_id, number)).config)
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            return await assistants.publish(assistant_id, number, at=self._clock(), expected=expected)

    async def saves(
        self, tenant_id: TenantId, assistant_id: AssistantId, *, before: int | None, limit: int
    ) -> tuple[VersionedAssistant, Sequence[Save]]:
        """Return the assistant and its newest versions, those below `before`, newest first. Raises NotFound."""
        assistants = self._assistants_of(tenant_id)
        stored = await assistants.get(assistant_id)
        return stored, await assistants.saves(assistant_id, before=before, limit=limit)

    async def version(self, tenant_id: TenantId, assistant_id: AssistantId, number: int) -> AssistantVersion:
        """Return a version with its configuration. Raises NotFound."""
        return await self._assistants_of(tenant_id).version(assistant_id, number)

    async def changes(
        self, tenant_id: TenantId, assistant_id: AssistantId, number: int, since: int
    ) -> Sequence[Change]:
        """Return what a version changed since another one. Raises NotFound."""
        assistants = self._assistants_of(tenant_id)
        after = await assistants.version(assistant_id, number)
        return changes((await assistants.version(assistant_id, since)).config, after.config)

    async def make_default(self, tenant_id: TenantId, assistant_id: AssistantId) -> VersionedAssistant:
        """Make it the one that answers where none is named. Raises NotFound, also when it is archived."""
        assistants = self._assistants_of(tenant_id)
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await assistants.set_default(assistant_id)
        return await assistants.get(assistant_id)

    async def archive(self, tenant_id: TenantId, assistant_id: AssistantId) -> VersionedAssistant:
        """Keep it from answering, until it is taken back.

        Raises NotFound, Conflict with code "default_assistant", or "assistant_in_use" while a widget shows it.
        """
        assistants = self._assistants_of(tenant_id)
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await assistants.archive(assistant_id, self._clock())
        return await assistants.get(assistant_id)

    async def unarchive(self, tenant_id: TenantId, assistant_id: AssistantId) -> VersionedAssistant:
        """Let an archived assistant answer again. Raises NotFound."""
        assistants = self._assistants_of(tenant_id)
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await assistants.unarchive(assistant_id)
        return await assistants.get(assistant_id)

    async def delete(self, tenant_id: TenantId, assistant_id: AssistantId) -> None:
        """Remove an assistant that nothing names, with its versions.

        Raises NotFound, Conflict with code "default_assistant" or "assistant_in_use".
        """
        async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
            await self._assistants_of(tenant_id).delete(assistant_id)

    async def _saved(
        self, tenant_id: TenantId, assistant_id: AssistantId, make: Make, edit: Edit, *, publish: bool
    ) -> VersionedAssistant:
        """Store what `make` makes of the assistant as it is then. Overtaken, an edit without `expected` begins anew."""
        assistants, note = self._assistants_of(tenant_id), checked_note(edit.note)
        attempts = 0
        while True:
            attempts += 1
            stored = await assistants.get(assistant_id)
            stored.check_unchanged(edit.expected)
            config = await make(stored)
            await self._check(tenant_id, config)
            version = NewVersion(config, note, self._clock(), edit.author_id)
            try:
                async with changing(self._epochs, tenant_id, Area.CONFIGURATION):
                    return await assistants.save(assistant_id, version, publish=publish, expected=stored.latest_version)
            except Conflict:
                if edit.expected is not None or attempts == ATTEMPTS:
                    raise

    async def _check(self, tenant_id: TenantId, config: AssistantConfig) -> None:
        """Raise Forbidden for what the plan lacks, Invalid for an address that may not be asked, NotFound for a
        knowledge source that is not there.
        """
        check_in_plan(await self._tenants_of(tenant_id).plan(), config)
        if config.base_url is not None:
            check_https(config.base_url, field="base_url", allow_http=self._allow_http)
            await self._addresses.check(config.base_url)
        if config.retrieval.knowledge_source is not None:
            await self._sources_of(tenant_id).get(config.retrieval.knowledge_source)
