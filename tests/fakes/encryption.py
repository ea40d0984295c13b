"""Encryption that anybody can undo, for the tests of what uses it."""

from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import TenantId


class ReversingEncryption:
    """Reverses the bytes and puts tenant and key in front; whatever its key, it opens what any other sealed."""

    def __init__(self, key_id: str = "reversing") -> None:
        self.key_id = key_id

    async def encrypt(self, tenant_id: TenantId, value: bytes) -> bytes:
        return tenant_id.bytes + self.key_id.encode() + b":" + value[::-1]

    async def decrypt(self, tenant_id: TenantId, sealed: bytes) -> bytes:
        if not sealed.startswith(tenant_id.bytes):
            raise Invalid("a stored secret cannot be opened", code="sealed_value")
        return sealed[len(tenant_id.bytes) :].partition(b":")[2][::-1]
