"""Signatures under receipts: HMAC-SHA-256 of the receipt as canonical JSON, with a key made of the signing key."""

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from chatconnect.domain.secret import Secret

_PURPOSE = b"chatconnect-receipt"  # so that no token's signature is a receipt's, nor the other way round

LoadKeys = Callable[[], Awaitable[Sequence[Secret]]]


class HmacSeal:
    """Signs with the first key and knows the signatures of all of them: a receipt outlives an exchange of keys."""

    def __init__(self, load_keys: LoadKeys) -> None:
        self._load_keys = load_keys

    async def sign(self, receipt: Mapping[str, Any]) -> str:
        """Return the signature, in hexadecimal digits. Raises Unavailable."""
        return _signature((await self._load_keys())[0], receipt)

    async def is_good(self, receipt: Mapping[str, Any], signature: str) -> bool:
        """Say whether the signature is ours and the receipt unchanged. Raises Unavailable."""
        given = signature.encode("utf-8", "replace")
        return any(hmac.compare_digest(_signature(key, receipt).encode(), given) for key in await self._load_keys())


def _signature(key: Secret, receipt: Mapping[str, Any]) -> str:
    text = json.dumps(receipt, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    own = hmac.new(key.reveal().encode(), _PURPOSE, sha256).digest()
    return hmac.new(own, text.encode(), sha256).hexdigest()
