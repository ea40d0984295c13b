"""Vectors of texts that were embedded lately, in Redis: `{tenant}:vector:...`, for questions and documents alike.

A key holds a digest of the text and not the text itself. A value's form is part of the key, so that versions of this
module that run side by side do not read each other's.
"""

from array import array
from collections.abc import Sequence
from hashlib import blake2b
from sys import byteorder

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.domain.identifiers import TenantId
from chatconnect.ports.vector_cache import Vector

VECTOR_SECONDS = 3_600
_FORM = "2"


class RedisVectorCache:
    """One tenant's vectors."""

    def __init__(self, database: RedisDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def find(self, embedder: str, texts: Sequence[str]) -> list[Vector | None]:
        """Return what is known of each text, in one round trip; nothing when Redis is away."""
        if not texts:
            return []
        keys = (vector_key(self._tenant_id, embedder, text) for text in texts)
        [found] = await self._database.ask_quietly(("MGET", *keys)) or [[None] * len(texts)]
        return [floats(each) if each else None for each in found]

    async def keep(self, embedder: str, texts: Sequence[str], vectors: Sequence[Vector]) -> None:
        """Keep a vector for each text, for an hour."""
        commands = [
            ("SET", vector_key(self._tenant_id, embedder, text), packed(vector), "EX", VECTOR_SECONDS)
            for text, vector in zip(texts, vectors, strict=True)
        ]
        if commands:
            await self._database.ask_quietly(*commands)


def vector_key(tenant_id: TenantId, embedder: str, text: str) -> str:
    """Return the key under which a text's vector is kept."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).hexdigest()
    return f"{{{tenant_id}}}:vector:{_FORM}:{embedder}:{digest}"


def packed(vector: Vector) -> bytes:
    """Return little-endian 32-bit floats, which is what the search compares anyway."""
    values = array("f", vector)
    if byteorder == "big":
        values.byteswap()
    return values.tobytes()


def floats(value: bytes) -> list[float]:
    """Return the vector that was packed."""
    values = array("f", value)
    if byteorder == "big":
        values.byteswap()
    return values.tolist()
