"""Signed identities of tenants' visitors: JWT with HMAC-SHA-256."""

from collections.abc import Mapping, Sequence

import jwt
from jwt.types import Options

from chatconnect.domain.errors import Unauthenticated
from chatconnect.domain.identity import identity_invalid
from chatconnect.domain.secret import Secret

_LEEWAY_SECONDS = 30  # the clocks of others
# An audience is the tenant's own affair, and so is a subject that is a number.
_OPTIONS: Options = {"require": ["exp"], "verify_aud": False, "verify_sub": False}


class JwtIdentityTokens:
    """Reads tokens with each of several secrets, whatever key they say they are signed with."""

    def read(self, token: str, secrets: Sequence[Secret]) -> Mapping[str, object]:
        """Return the claims. Raises Unauthenticated with code "identity_expired" or "identity_invalid"."""
        for secret in secrets:
            try:
                claims: Mapping[str, object] = jwt.decode(
                    token, secret.reveal(), algorithms=["HS256"], leeway=_LEEWAY_SECONDS, options=_OPTIONS
                )
            except jwt.InvalidSignatureError:
                continue
            except jwt.ExpiredSignatureError as error:
                raise Unauthenticated("this identity has expired", code="identity_expired") from error
            except jwt.InvalidTokenError as error:
                raise identity_invalid() from error
            return claims
        raise identity_invalid()
