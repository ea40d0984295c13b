"""Envelope encryption of tenants' secrets: AES-256-GCM under data keys that KMS wraps.

A sealed value is one byte of format, the length of the wrapped data key (2 bytes), the wrapped key, a nonce of 12 bytes
and the ciphertext. The tenant's id is associated data of both layers, so one tenant's value never opens as another's.
"""

import os
import struct
import time
from collections import OrderedDict
from uuid import UUID

from chatconnect.adapters.aws import aws_errors, call, error_code
from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import TenantId

_FORMAT = 1
_HEAD = struct.Struct(">BH")
_NONCE = 12
_REMEMBER_SECONDS, _REMEMBER = 300, 256


class KmsEnvelope:
    """Seals values with one key, and opens what any key sealed that the process may use; for one tenant at a time.

    Opened data keys are remembered for five minutes.
    """

    def __init__(self, key_id: str) -> None:
        self._key_id = key_id
        self._opened: OrderedDict[tuple[UUID, bytes], tuple[float, bytes]] = OrderedDict()

    @property
    def key_id(self) -> str:
        """The KMS key that `encrypt` uses now."""
        return self._key_id

    async def encrypt(self, tenant_id: TenantId, value: bytes) -> bytes:
        """Return the value sealed under a fresh data key. Raises Unavailable."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        with aws_errors("the key store"):
            made = await call(
                "kms",
                "generate_data_key",
                KeyId=self._key_id,
                KeySpec="AES_256",
                EncryptionContext={"tenant": str(tenant_id)},
            )
        nonce, wrapped = os.urandom(_NONCE), bytes(made["CiphertextBlob"])
        sealed = AESGCM(made["Plaintext"]).encrypt(nonce, value, tenant_id.bytes)
        return _HEAD.pack(_FORMAT, len(wrapped)) + wrapped + nonce + sealed

    async def decrypt(self, tenant_id: TenantId, sealed: bytes) -> bytes:
        """Return the value. Raises Invalid with code "sealed_value" when it is not this tenant's or was changed."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        wrapped, nonce, ciphertext = _taken_apart(sealed)
        key = await self._data_key(tenant_id, wrapped)
        try:
            return AESGCM(key).decrypt(nonce, ciphertext, tenant_id.bytes)
        except InvalidTag as error:
            raise _unreadable() from error

    async def _data_key(self, tenant_id: TenantId, wrapped: bytes) -> bytes:
        known = self._opened.get((tenant_id, wrapped))
        if known is not None and known[0] > time.monotonic():
            return known[1]
        with aws_errors("the key store"):
            try:
                # No key is named: what wraps a data key says which one wrapped it, and may be a former one.
                opened = await call(
                    "kms", "decrypt", CiphertextBlob=wrapped, EncryptionContext={"tenant": str(tenant_id)}
                )
            except Exception as error:
                if error_code(error) == "InvalidCiphertextException":
                    raise _unreadable() from error
                raise
        key = bytes(opened["Plaintext"])
        self._opened[tenant_id, wrapped] = (time.monotonic() + _REMEMBER_SECONDS, key)
        while len(self._opened) > _REMEMBER:
            self._opened.popitem(last=False)
        return key


def _taken_apart(sealed: bytes) -> tuple[bytes, bytes, bytes]:
    if len(sealed) < _HEAD.size or sealed[0] != _FORMAT:
        raise _unreadable()
    _, length = _HEAD.unpack_from(sealed)
    begin = _HEAD.size
    rest = sealed[begin + length :]
    return sealed[begin : begin + length], rest[:_NONCE], rest[_NONCE:]


def _unreadable() -> Invalid:
    return Invalid("a stored secret cannot be opened", code="sealed_value")
