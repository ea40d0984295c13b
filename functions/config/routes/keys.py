"""A tenant's API keys."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chatconnect.domain.identifiers import AssistantId, KeyId, WidgetId
from chatconnect.domain.keys import ApiKey, KeyKind, Scope
from chatconnect.domain.secret import Secret
from chatconnect.http.authentication import Admin
from chatconnect.http.errors import responses
from chatconnect.services.keys import KeyWish
from functions.config.services import Keys

router = APIRouter(prefix="/v1/keys", tags=["keys"])

_KINDS = {"publishable": KeyKind.PUBLISHABLE, "secret": KeyKind.SECRET}
OVERLAP_HOURS = Field(
    default=24, ge=0, le=168, description="How long the old one goes on beside the new: at most seven days"
)


class NewKey(BaseModel):
    """A key to be made. With an assistant it works for that one only."""

    kind: Literal["publishable", "secret"]
    name: str = Field(description="1 to 100 characters, for people")
    assistant_id: UUID | None = None
    widget_id: UUID | None = Field(
        default=None, description="The widget that a publishable key shows; none: its assistant's oldest"
    )
    scopes: list[Scope] | None = Field(
        default=None,
        description="What a secret key may be used for; none given: everything. What it lacks is refused with 403 "
        "`scope_required`. A publishable key, and one for a single assistant, can have the scope `chat` alone.",
    )
    expires_at: datetime | None = Field(default=None, description="In the future, with its time zone; none: never")


class Rotation(BaseModel):
    """How a key is to be exchanged."""

    overlap_hours: int = OVERLAP_HOURS


class KeyBody(BaseModel):
    """A key as it is remembered: never its text."""

    id: UUID
    kind: str
    name: str
    hint: str
    assistant_id: UUID | None
    widget_id: UUID | None
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="True to the minute")
    replaced_by: UUID | None = Field(description="The key that this one was rotated to")

    @classmethod
    def of(cls, key: ApiKey) -> "KeyBody":
        """Return the body that shows a key."""
        return cls(
            id=key.id,
            kind=key.kind.name.lower(),
            name=key.name,
            hint=key.hint,
            assistant_id=key.assistant_id,
            widget_id=key.widget_id,
            scopes=[scope for scope in Scope if scope in key.may],
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
            replaced_by=key.replaced_by,
        )


class NewKeyBody(KeyBody):
    """A new key with its text, which is shown this once."""

    key: str

    @classmethod
    def with_text(cls, key: ApiKey, text: Secret) -> "NewKeyBody":
        """Return the body that hands out a key."""
        return cls(**KeyBody.of(key).model_dump(), key=text.reveal())


class KeyList(BaseModel):
    """All keys, newest first."""

    keys: list[KeyBody]


@router.get("", responses=responses(401, 403))
async def list_keys(caller: Admin, keys: Keys) -> KeyList:
    """List the tenant's keys."""
    return KeyList(keys=[KeyBody.of(key) for key in await keys.all(caller.tenant_id)])


@router.post("", status_code=201, responses=responses(401, 403, 404))
async def add_key(body: NewKey, caller: Admin, keys: Keys) -> NewKeyBody:
    """Make a key. A secret key makes none that may do more than it may itself (403 `scope_required`).

    400 `invalid_scopes` for scopes that such a key cannot have.
    """
    wish = KeyWish(
        _KINDS[body.kind],
        body.name,
        AssistantId(body.assistant_id) if body.assistant_id else None,
        body.scopes,
        body.expires_at,
        WidgetId(body.widget_id) if body.widget_id else None,
    )
    return NewKeyBody.with_text(*await keys.add(caller, wish))


@router.post("/{key_id}/rotate", status_code=201, responses=responses(401, 403, 404, 409))
async def rotate_key(key_id: UUID, caller: Admin, keys: Keys, body: Rotation | None = None) -> NewKeyBody:
    """Make a key in place of this one, which ends after the overlap; a key with an end gets as much time again.

    409 `key_rotated` when it has been rotated already, `key_ended` when it is revoked or past its end.
    """
    overlap = timedelta(hours=(body or Rotation()).overlap_hours)
    return NewKeyBody.with_text(*await keys.rotate(caller, KeyId(key_id), overlap))


@router.delete("/{key_id}", status_code=204, responses=responses(401, 403, 404))
async def revoke_key(key_id: UUID, caller: Admin, keys: Keys) -> None:
    """End a key now, everywhere, and the chat tokens that were given for it."""
    await keys.revoke(caller.tenant_id, KeyId(key_id))
