"""Secrets in the bodies of requests, as our own type."""

from collections.abc import Mapping

from pydantic import SecretStr

from chatconnect.domain.secret import Secret


def revealed(field: SecretStr) -> Secret:
    """Return a password, token or key of a body."""
    return Secret(field.get_secret_value())


def revealed_headers(headers: Mapping[str, SecretStr | None]) -> dict[str, Secret | None]:
    """Return the headers of a body; None where the stored value is to stay."""
    return {name: revealed(value) if value else None for name, value in headers.items()}
