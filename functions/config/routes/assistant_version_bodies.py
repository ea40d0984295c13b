"""What the routes of assistants' versions take and show."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from chatconnect.domain.assistant_versions import MAX_NOTE, AssistantVersion, Change, Save
from chatconnect.services.model_trials import ModelTrial
from functions.config.routes.assistant_bodies import ConfigurationView

MAX_NUMBER = 2**31 - 1  # of a version, as the database counts them


class PublicationBody(BaseModel):
    """Which version is to be published."""

    version: int = Field(ge=1, le=MAX_NUMBER)


class RollbackBody(BaseModel):
    """Which version comes back."""

    version: int = Field(ge=1, le=MAX_NUMBER)
    note: str = Field(default="", max_length=MAX_NOTE, description='"Rolled back to version N" where there is none')


class AuthorBody(BaseModel):
    """The member who saved a version."""

    account_id: UUID
    email: str


class SaveBody(BaseModel):
    """A version without its configuration. `author` null: one of the tenant's own servers."""

    number: int
    note: str
    author: AuthorBody | None
    created_at: datetime

    @classmethod
    def of(cls, save: Save) -> "SaveBody":
        """Return the body that shows a save."""
        author = AuthorBody(account_id=save.author.account_id, email=save.author.email) if save.author else None
        return cls(number=save.number, note=save.note, author=author, created_at=save.created_at)


class SaveList(BaseModel):
    """Versions, newest first. With `next_before` there are older ones."""

    published_version: int
    latest_version: int
    versions: list[SaveBody]
    next_before: int | None


class VersionBody(ConfigurationView):
    """A version with its configuration."""

    number: int
    note: str
    author: AuthorBody | None
    created_at: datetime

    @classmethod
    def of(cls, version: AssistantVersion) -> "VersionBody":
        """Return the body that shows a version."""
        return cls.showing(version.config, **SaveBody.of(version.save).model_dump())


class ChangeBody(BaseModel):
    """One field that differs, dotted where it lies in another. An access token shows as stars."""

    field: str = Field(examples=["retrieval.limit"])
    before: Any
    after: Any


class ChangeList(BaseModel):
    """What a version changed since another one."""

    number: int
    since: int
    changes: list[ChangeBody]

    @classmethod
    def of(cls, number: int, since: int, changes: Sequence[Change]) -> "ChangeList":
        """Return the body that shows changes."""
        shown = [ChangeBody(field=each.field, before=each.before, after=each.after) for each in changes]
        return cls(number=number, since=since, changes=shown)


class TrialRequest(BaseModel):
    """Which version's model to ask; none: the published one's."""

    version: int | None = Field(default=None, ge=1, le=MAX_NUMBER)


class TrialFailureBody(BaseModel):
    """Why the model did not answer.

    `code` is provider_rejected, provider_not_configured, provider_busy, provider_timeout, provider_failed, or
    address_not_public.
    """

    code: str = Field(examples=["provider_rejected"])
    message: str


class TrialBody(BaseModel):
    """Whether the model answers, and in what time."""

    works: bool
    version: int
    provider: str
    model: str
    first_answer_ms: int | None
    total_ms: int
    failure: TrialFailureBody | None

    @classmethod
    def of(cls, trial: ModelTrial) -> "TrialBody":
        """Return the body that shows a trial."""
        failure = None
        if trial.failure is not None:
            message = _REASONS.get(trial.failure.code, trial.failure.message)
            failure = TrialFailureBody(code=trial.failure.code, message=message)
        return cls(
            works=failure is None,
            version=trial.version,
            provider=trial.provider,
            model=trial.model,
            first_answer_ms=trial.first_answer_ms,
            total_ms=trial.total_ms,
            failure=failure,
        )


_REASONS = {
    "provider_rejected": "The provider refuses the access token.",
    "provider_not_configured": "There is no access token for this provider and address.",
    "provider_busy": "The provider is busy, or the account's limit is reached.",
    "provider_timeout": "The provider did not answer in time.",
    "provider_failed": "The provider could not be reached, does not know the model, or answered with a fault.",
}
