"""A tenant's identity secrets, with which its own servers say who its visitors are."""

from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from chatconnect.domain.identifiers import IdentitySecretId
from chatconnect.domain.identity import IdentitySecret
from chatconnect.http.authentication import Admin
from chatconnect.http.errors import responses
from functions.config.routes.keys import OVERLAP_HOURS
from functions.config.services import Identities

router = APIRouter(prefix="/v1/identity-secrets", tags=["keys"])


class NewIdentitySecret(BaseModel):
    """How the secrets in force are exchanged for a new one."""

    overlap_hours: int = OVERLAP_HOURS


class IdentitySecretBody(BaseModel):
    """A secret as it is remembered: never its text."""

    id: UUID
    hint: str
    created_at: datetime
    expires_at: datetime | None = Field(description="When a newer one was made: how long this one goes on")

    @classmethod
    def of(cls, secret: IdentitySecret) -> "IdentitySecretBody":
        """Return the body that shows a secret."""
        return cls(id=secret.id, hint=secret.hint, created_at=secret.created_at, expires_at=secret.expires_at)


class NewIdentitySecretBody(IdentitySecretBody):
    """A new secret with its text, which is shown this once."""

    secret: str


class IdentitySecretList(BaseModel):
    """The secrets in force, newest first."""

    secrets: list[IdentitySecretBody]


@router.get("", responses=responses(401, 403))
async def list_identity_secrets(caller: Admin, identities: Identities) -> IdentitySecretList:
    """List the secrets in force."""
    secrets = await identities.secrets(caller.tenant_id)
    return IdentitySecretList(secrets=[IdentitySecretBody.of(secret) for secret in secrets])


@router.post("", status_code=201, responses=responses(401, 403, 409))
async def add_identity_secret(
    caller: Admin, identities: Identities, body: NewIdentitySecret | None = None
) -> NewIdentitySecretBody:
    """Make a secret; all others end after the overlap. 409 `too_many_secrets` while five are in force.

    With it the website's own server signs a JWT (HS256) that states `sub`, `exp`, and, if wished, `email` and `name`,
    or makes the HMAC-SHA-256 of the visitor's id in hexadecimal digits: see `identity` of
    `POST /v1/widgets/{key}/token`.
    """
    overlap = timedelta(hours=(body or NewIdentitySecret()).overlap_hours)
    secret = await identities.add(caller.tenant_id, overlap)
    return NewIdentitySecretBody(**IdentitySecretBody.of(secret).model_dump(), secret=secret.value.reveal())


@router.delete("/{secret_id}", status_code=204, responses=responses(401, 403, 404))
async def delete_identity_secret(secret_id: UUID, caller: Admin, identities: Identities) -> None:
    """End a secret now: what it has signed is refused from the next token on."""
    await identities.delete(caller.tenant_id, IdentitySecretId(secret_id))
