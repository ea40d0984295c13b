"""Who a tenant's visitors are, as its own servers say: the secrets, and checking what was signed with them."""

from collections.abc import Sequence
from datetime import timedelta

from chatconnect.domain.errors import Conflict
from chatconnect.domain.identifiers import IdentitySecretId, TenantId, new_id
from chatconnect.domain.identity import (
    LONGEST_TOKEN,
    MAX_SECRETS,
    Identity,
    IdentitySecret,
    Proof,
    hint_of_identity_secret,
    identity_invalid,
    identity_of,
    identity_of_signed,
    make_identity_secret,
)
from chatconnect.domain.keys import checked_overlap
from chatconnect.domain.secret import Secret
from chatconnect.ports.clock import Clock
from chatconnect.ports.keys import IdentitySecretsOf, IdentityTokens


class IdentityService:
    """Keeps identity secrets and checks identities; the secrets are read anew for each, so an end holds at once."""

    def __init__(self, *, secrets_of: IdentitySecretsOf, tokens: IdentityTokens, clock: Clock) -> None:
        self._secrets_of, self._tokens, self._clock = secrets_of, tokens, clock

    async def secrets(self, tenant_id: TenantId) -> Sequence[IdentitySecret]:
        """Return the secrets in force, newest first."""
        return await self._secrets_of(tenant_id).usable(self._clock())

    async def add(self, tenant_id: TenantId, overlap: timedelta) -> IdentitySecret:
        """Make a secret, shown this once, and end the others after the overlap.

        Raises Invalid (the overlap), Conflict with code "too_many_secrets" while five are in force.
        """
        now = self._clock()
        ends_at = now + checked_overlap(overlap)
        if len(await self.secrets(tenant_id)) >= MAX_SECRETS:
            raise Conflict(f"at most {MAX_SECRETS} secrets are in force at a time", code="too_many_secrets")
        value = make_identity_secret()
        secret = IdentitySecret(IdentitySecretId(new_id()), tenant_id, hint_of_identity_secret(value), value, now)
        await self._secrets_of(tenant_id).add(secret, others_end_at=ends_at)
        return secret

    async def delete(self, tenant_id: TenantId, secret_id: IdentitySecretId) -> None:
        """End a secret now. Raises NotFound."""
        await self._secrets_of(tenant_id).delete(secret_id)

    async def proven(self, tenant_id: TenantId, proof: Proof) -> Identity:
        """Return who was proven. Raises Unauthenticated with code "identity_expired" or "identity_invalid"."""
        usable: Sequence[Secret] = [secret.value for secret in await self.secrets(tenant_id)]
        if not isinstance(proof, str):
            return identity_of_signed(proof, usable)
        if len(proof) > LONGEST_TOKEN:
            raise identity_invalid()
        return identity_of(self._tokens.read(proof, usable))
