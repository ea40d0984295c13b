"""One tenant's assistants with all their versions in Postgres."""

from collections.abc import Sequence
from datetime import datetime
from typing import NoReturn

import psycopg
from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres import assistant_statements as sql
from chatconnect.adapters.postgres.assistant_rows import PublishedRow, SaveRow, StateRow, VersionRow
from chatconnect.adapters.postgres.configurations import assistant_config, assistant_json
from chatconnect.adapters.postgres.counts import counted
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.rows import IdRow
from chatconnect.adapters.postgres.tenant_secrets import TenantSecrets, all_opened
from chatconnect.domain.assistant import Assistant
from chatconnect.domain.assistant_versions import AssistantVersion, Save, VersionedAssistant
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import AccountId, AssistantId, TenantId
from chatconnect.domain.secret import Secret
from chatconnect.ports.assistants import NewVersion
from chatconnect.ports.secrets import Encryption


class PostgresAssistants:
    """One tenant's assistants. `encryption` seals their access tokens."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId, *, encryption: Encryption) -> None:
        self._database, self._tenant_id = database, tenant_id
        self._secrets = TenantSecrets(encryption, tenant_id)

    async def list_all(self) -> Sequence[VersionedAssistant]:
        """Return all as they are published, archived ones included: the default first, then the oldest."""
        rows = await self._database.fetch(self._tenant_id, PublishedRow, sql.SELECT_ASSISTANTS, {})
        return await all_opened(rows, self._published)

    async def count(self) -> int:
        """Return how many assistants, archived ones included, there are, without opening any secret."""
        return await counted(self._database, self._tenant_id, "assistants")

    async def get(self, assistant_id: AssistantId) -> VersionedAssistant:
        """Return one as it is published, archived or not. Raises NotFound."""
        row = await self._database.fetch_one(self._tenant_id, PublishedRow, sql.SELECT_ASSISTANT, {"id": assistant_id})
        if row is None:
            raise NotFound("assistant", assistant_id)
        return await self._published(row)

    async def add(self, assistant: Assistant, *, author_id: AccountId | None, note: str) -> VersionedAssistant:
        """Store a new one, which is not the default; its version 1 is published."""
        version = NewVersion(assistant.config, note, assistant.created_at, author_id)
        parameters = {"id": assistant.id, **await self._parameters(version)}
        await self._database.run(self._tenant_id, sql.INSERT_ASSISTANT, parameters)
        return VersionedAssistant(assistant, 1, 1)

    async def saves(self, assistant_id: AssistantId, *, before: int | None, limit: int) -> Sequence[Save]:
        """Return the newest versions, those below `before`, newest first; none of an unknown assistant."""
        parameters = {"id": assistant_id, "before": before, "limit": limit}
        rows = await self._database.fetch(self._tenant_id, SaveRow, sql.SELECT_SAVES, parameters)
        return [row.to_save() for row in rows]

    async def version(self, assistant_id: AssistantId, number: int) -> AssistantVersion:
        """Return a version. Raises NotFound."""
        parameters = {"id": assistant_id, "number": number}
        row = await self._database.fetch_one(self._tenant_id, VersionRow, sql.SELECT_VERSION, parameters)
        if row is None:
            raise NotFound("version", number)
        return AssistantVersion(row.to_save(), row.to_config(await self._opened(row.access_token)))

    async def save(
        self, assistant_id: AssistantId, version: NewVersion, *, publish: bool, expected: int | None = None
    ) -> VersionedAssistant:
        """Store a version with the next number, perhaps published in the same moment; return the assistant with it.

        Raises NotFound, Conflict with code "version_conflict".
        """
        parameters = {"id": assistant_id, "publish": publish, "expected": expected, **await self._parameters(version)}
        row = await self._database.fetch_one(self._tenant_id, StateRow, sql.SAVE, parameters)
        if row is None:
            (await self.get(assistant_id)).check_unchanged(expected)
            raise _moved_on()
        return row.with_version(self._tenant_id, row.latest_version, version.config)

    async def publish(
        self, assistant_id: AssistantId, number: int, *, at: datetime, expected: int | None = None
    ) -> VersionedAssistant:
        """Publish a version that is stored, and return the assistant with it; nothing changes if it is published.

        Raises NotFound, Conflict with code "version_conflict" or "older_version".
        """
        config = (await self.version(assistant_id, number)).config
        parameters = {"id": assistant_id, "number": number, "at": at, "expected": expected}
        row = await self._database.fetch_one(self._tenant_id, StateRow, sql.PUBLISH, parameters)
        if row is None:
            stored = await self.get(assistant_id)
            stored.check_unchanged(expected)
            stored.check_can_publish(number)
            raise _moved_on()
        return row.with_version(self._tenant_id, number, config)

    async def set_default(self, assistant_id: AssistantId) -> None:
        """Make it the tenant's default in place of the present one. Raises NotFound, also when it is archived."""
        if not await self._locked(sql.SET_DEFAULT, {"id": assistant_id}):
            raise NotFound("assistant", assistant_id)

    async def archive(self, assistant_id: AssistantId, at: datetime) -> None:
        """Keep it from answering; the first moment stands.

        Raises NotFound, Conflict with code "default_assistant", or "assistant_in_use" while a widget shows it.
        """
        if not await self._locked(sql.ARCHIVE, {"id": assistant_id, "at": at}):
            await self._refuse(assistant_id)

    async def unarchive(self, assistant_id: AssistantId) -> None:
        """Let it answer again. Raises NotFound."""
        if not await self._database.run(self._tenant_id, sql.UNARCHIVE, {"id": assistant_id}):
            raise NotFound("assistant", assistant_id)

    async def delete(self, assistant_id: AssistantId) -> None:
        """Remove it with its versions.

        Raises NotFound, Conflict with code "default_assistant", or "assistant_in_use" when a widget, a key, a
        conversation or anything else names it.
        """
        try:
            deleted = await self._locked(sql.DELETE, {"id": assistant_id})
        except psycopg.errors.ForeignKeyViolation as error:
            raise _in_use() from error
        if not deleted:
            await self._refuse(assistant_id)

    async def _locked(self, statement: str, parameters: dict[str, object]) -> bool:
        """Run a statement that depends on which assistant is the default; say whether it touched anything."""
        rows = await self._database.fetch(self._tenant_id, IdRow, statement, parameters, before=sql.LOCK_TENANT)
        return bool(rows)

    async def _refuse(self, assistant_id: AssistantId) -> NoReturn:
        """Raise why an assistant can be neither archived nor deleted."""
        if (await self.get(assistant_id)).assistant.is_default:
            raise Conflict("make another assistant the default first", code="default_assistant")
        raise _in_use()

    async def _parameters(self, version: NewVersion) -> dict[str, object]:
        sealed, key_id = await self._secrets.sealed(version.config.access_token)
        return {
            "config": Jsonb(assistant_json(version.config)),
            "token": sealed,
            "token_key": key_id,
            "author": version.author_id,
            "note": version.note,
            "created_at": version.created_at,
        }

    async def _published(self, row: PublishedRow) -> VersionedAssistant:
        config = assistant_config(row.config, await self._opened(row.access_token))
        return row.with_version(self._tenant_id, row.version, config)

    async def _opened(self, sealed: bytes | None) -> Secret | None:
        return None if sealed is None else await self._secrets.opened(sealed)


def _moved_on() -> Conflict:
    """Return the error of who was overtaken between two statements."""
    return Conflict("somebody else has saved this assistant meanwhile", code="version_conflict")


def _in_use() -> Conflict:
    return Conflict("a widget, a key or a conversation still needs this assistant", code="assistant_in_use")
