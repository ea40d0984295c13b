"""A tenant's API keys."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from chatconnect.domain.identifiers import AssistantId, KeyId
from chatconnect.domain.keys import ApiKey, KeyKind
from chatconnect.http.authentication import Admin
from chatconnect.http.errors import responses
from functions.config.services import Tenants

router = APIRouter(prefix="/v1/keys", tags=["keys"])

_KINDS = {"publishable": KeyKind.PUBLISHABLE, "secret": KeyKind.SECRET}


class NewKey(BaseModel):
    """A key to be made; with an assistant it works for that one only."""

    kind: Literal["publishable", "secret"]
    name: str
    assistant_id: UUID | None = None


class KeyBody(BaseModel):
    """A key as it is remembered: never its text."""

    id: UUID
    kind: str
    name: str
    hint: str
    assistant_id: UUID | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyBody":
        """Return the body that shows a key."""
        return cls(
            id=key.id,
            kind=key.kind.name.lower(),
            name=key.name,
            hint=key.hint,
            assistant_id=key.assistant_id,
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
        )


class NewKeyBody(KeyBody):
    """A new key with its text, which is shown this once."""

    key: str


class KeyList(BaseModel):
    """All keys, newest first."""

    keys: list[KeyBody]


@router.get("", responses=responses(401, 403))
async def list_keys(caller: Admin, tenants: Tenants) -> KeyList:
    """List the tenant's keys."""
    return KeyList(keys=[KeyBody.of(key) for key in await tenants.keys(caller.tenant_id)])


@router.post("", status_code=201, responses=responses(401, 403, 404))
async def add_key(body: NewKey, caller: Admin, tenants: Tenants) -> NewKeyBody:
    """Make a key."""
    assistant_id = AssistantId(body.assistant_id) if body.assistant_id else None
    key, text = await tenants.add_key(caller.tenant_id, _KINDS[body.kind], body.name, assistant_id)
    return NewKeyBody(**KeyBody.of(key).model_dump(), key=text.reveal())


@router.delete("/{key_id}", status_code=204, responses=responses(401, 403, 404))
async def revoke_key(key_id: UUID, caller: Admin, tenants: Tenants) -> None:
    """End a key now."""
    await tenants.revoke_key(caller.tenant_id, KeyId(key_id))
