"""Keys that things are signed with, as a setting or a secret holds them."""

import json
from collections.abc import Sequence

from chatconnect.domain.secret import Secret


def several(secret: Secret) -> Sequence[Secret]:
    """Return the keys in a secret: the values of a JSON object, newest first, or else all of its text as one key."""
    try:
        fields = json.loads(secret.reveal())
    except ValueError:
        return [secret]
    return [Secret(str(key)) for key in fields.values()] if isinstance(fields, dict) and fields else [secret]
