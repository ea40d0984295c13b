"""What searches have found lately, in Redis: `{tenant}:vector:...` and `{tenant}:passages:...`.

A key holds a digest of the query and not its text. A value's form is part of the key, so that versions of this module
that run side by side do not read each other's.
"""

from array import array
from collections.abc import Sequence
from hashlib import blake2b
from sys import byteorder
from uuid import UUID

import orjson

from chatconnect.adapters.redis import AWAY, RedisDatabase
from chatconnect.adapters.redis_wire import Command
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId
from chatconnect.domain.knowledge import Chunk, Match, Passage
from chatconnect.ports.query_cache import Query, Remembered

VECTOR_SECONDS = 3_600
PASSAGES_SECONDS = 300
LARGEST = 256 * 1024
"""Bytes of passages that are kept under one key."""
_FORM = "2"


class RedisQueryCache:
    """One tenant's queries."""

    def __init__(self, database: RedisDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def find(self, query: Query) -> Remembered:
        """Return what is known, in one round trip; nothing when Redis is away."""
        if self._database.resting:
            return Remembered()
        try:
            vector, passages = await self._database.ask(
                ("GET", self._vector_key(query)), ("GET", self._passages_key(query))
            )
        except AWAY:
            self._database.failed()
            return Remembered()
        return Remembered(_floats(vector) if vector else None, _passages(passages) if passages else None)

    async def keep(self, query: Query, found: Remembered) -> None:
        """Keep a vector for an hour, passages for five minutes, unless they are very large."""
        commands: list[Command] = []
        if found.vector is not None:
            commands.append(("SET", self._vector_key(query), _packed(found.vector), "EX", VECTOR_SECONDS))
        if found.passages is not None and len(packed := _packed_passages(found.passages)) <= LARGEST:
            commands.append(("SET", self._passages_key(query), packed, "EX", PASSAGES_SECONDS))
        if not commands or self._database.resting:
            return
        try:
            await self._database.ask(*commands)
        except AWAY:
            self._database.failed()

    def _vector_key(self, query: Query) -> str:
        return f"{{{self._tenant_id}}}:vector:{_FORM}:{query.embedder}:{_digest(query.text)}"

    def _passages_key(self, query: Query) -> str:
        decides = _digest(query.text, query.embedder, query.documents, query.limit, query.threshold)
        return f"{{{self._tenant_id}}}:passages:{_FORM}:{query.knowledge}:{decides}"


def _digest(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=20).hexdigest()


def _packed(vector: Sequence[float]) -> bytes:
    """Return little-endian 32-bit floats, which is what the search compares anyway."""
    floats = array("f", vector)
    if byteorder == "big":
        floats.byteswap()
    return floats.tobytes()


def _floats(packed: bytes) -> list[float]:
    floats = array("f", packed)
    if byteorder == "big":
        floats.byteswap()
    return floats.tolist()


def _packed_passages(passages: Sequence[Passage]) -> bytes:
    rows = []
    for passage in passages:
        chunk = passage.chunk
        place = (chunk.document_id, chunk.version_id, chunk.position, chunk.start, chunk.end, chunk.page)
        rows.append((*place, chunk.title, chunk.text, chunk.headings, passage.score, passage.similarity, passage.match))
    return orjson.dumps(rows)


def _passages(packed: bytes) -> list[Passage]:
    return [
        Passage(
            Chunk(
                DocumentId(UUID(document)), VersionId(UUID(version)), title, position, text, start, end, page,
                tuple(headings),
            ),
            score,
            similarity,
            Match(**match) if match else None,
        )
        for document, version, position, start, end, page, title, text, headings, score, similarity, match
        in orjson.loads(packed)
    ]  # fmt: skip
