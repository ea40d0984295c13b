"""The versions of an assistant: each save is one, numbered from 1 and never changed afterwards; one is published."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum
from uuid import UUID

from chatconnect.domain.assistant import Assistant, AssistantConfig
from chatconnect.domain.errors import Conflict, Invalid, NotFound
from chatconnect.domain.identifiers import AccountId
from chatconnect.domain.secret import Secret
from chatconnect.domain.text import cleaned

MAX_ASSISTANTS = 50
MAX_NOTE = 500
MASK = "***"


@dataclass(frozen=True, slots=True)
class Author:
    """The member who saved a version; a tenant's own server has none."""

    account_id: AccountId
    email: str


@dataclass(frozen=True, slots=True)
class Save:
    """A version without its configuration."""

    number: int
    note: str
    created_at: datetime
    author: Author | None = None


@dataclass(frozen=True, slots=True)
class AssistantVersion:
    """A version with its configuration."""

    save: Save
    config: AssistantConfig


@dataclass(frozen=True, slots=True)
class VersionedAssistant:
    """An assistant with the configuration of one of its versions, and where its versions stand.

    A version newer than the published one is a draft: staff alone see it. An archived assistant answers nobody.
    """

    assistant: Assistant
    published_version: int
    latest_version: int
    archived_at: datetime | None = None

    @property
    def has_draft(self) -> bool:
        """Whether there is a version that may still be published."""
        return self.latest_version > self.published_version

    def check_unchanged(self, expected: int | None) -> None:
        """Raise Conflict with code "version_conflict" when somebody saved since the version that a change began with.

        None: the change began with none.
        """
        if expected is not None and expected != self.latest_version:
            raise Conflict(
                "somebody else has saved this assistant meanwhile",
                code="version_conflict",
                details={"latest_version": self.latest_version},
            )

    def check_can_publish(self, number: int) -> None:
        """Raise NotFound, or Conflict with code "older_version": an older version comes back by rolling back to it."""
        if not 1 <= number <= self.latest_version:
            raise NotFound("version", number)
        if number < self.published_version:
            raise Conflict(
                "a newer version is published; roll back to this one instead",
                code="older_version",
                details={"published_version": self.published_version},
            )


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs between two configurations, as JSON knows its values; a secret shows as stars.

    `field` is dotted where it lies in another ("retrieval.limit").
    """

    field: str
    before: object
    after: object


def changes(before: AssistantConfig, after: AssistantConfig) -> list[Change]:
    """Return what differs between two configurations, in the order of their fields."""
    return list(_differences("", before, after))


def checked_note(note: str) -> str:
    """Return the note as it is kept. Raises Invalid."""
    kept = cleaned(note, keep="\n")
    if len(kept) > MAX_NOTE:
        raise Invalid(f"a note has at most {MAX_NOTE} characters", details={"field": "note"})
    return kept


def _differences(name: str, before: object, after: object) -> Iterator[Change]:
    if before == after:
        return
    if is_dataclass(before) and is_dataclass(after) and type(before) is type(after):
        for field in fields(before):
            path = f"{name}.{field.name}" if name else field.name
            yield from _differences(path, getattr(before, field.name), getattr(after, field.name))
        return
    yield Change(name, _shown(before), _shown(after))


def _shown(value: object) -> object:
    if isinstance(value, Secret):
        return MASK
    if is_dataclass(value):
        return {field.name: _shown(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _shown(each) for name, each in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [_shown(each) for each in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, UUID | datetime) else value
