"""What searches have found lately, in Redis: `{tenant}:vector:...` and `{tenant}:passages:...`.

A key holds a digest of the query and not its text. A value's form is part of the key, so that versions of this module
that run side by side do not read each other's.
"""

from collections.abc import Sequence
from hashlib import blake2b
from uuid import UUID

import orjson

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.adapters.redis_vectors import VECTOR_SECONDS, floats, packed, vector_key
from chatconnect.adapters.redis_wire import Command
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId
from chatconnect.domain.knowledge import Chunk, Match, Passage
from chatconnect.ports.query_cache import Query, Remembered

PASSAGES_SECONDS = 300
LARGEST = 256 * 1024
"""Bytes of passages that are kept under one key."""
_FORM = "3"


class RedisQueryCache:
    """One tenant's queries."""

    def __init__(self, database: RedisDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def find(self, query: Query) -> Remembered:
        """Return what is known, in one round trip; nothing when Redis is away."""
        keys = self._vector_key(query), self._passages_key(query)
        vector, passages = await self._database.ask_quietly(*(("GET", key) for key in keys)) or (None, None)
        return Remembered(floats(vector) if vector else None, _passages(passages) if passages else None)

    async def keep(self, query: Query, found: Remembered) -> None:
        """Keep a vector for an hour, passages for five minutes, unless they are very large."""
        commands: list[Command] = []
        if found.vector is not None:
            commands.append(("SET", self._vector_key(query), packed(found.vector), "EX", VECTOR_SECONDS))
        if found.passages is not None and len(passages := _packed_passages(found.passages)) <= LARGEST:
            commands.append(("SET", self._passages_key(query), passages, "EX", PASSAGES_SECONDS))
        if commands:
            await self._database.ask_quietly(*commands)

    def _vector_key(self, query: Query) -> str:
        return vector_key(self._tenant_id, query.embedder, query.text)

    def _passages_key(self, query: Query) -> str:
        asked = (query.text, query.embedder, query.documents, query.limit, query.threshold)
        decides = _digest(*asked) if query.filters is None else _digest(*asked, query.filters)
        decides += ":reranked" if query.rerank else ""
        return f"{{{self._tenant_id}}}:passages:{_FORM}:{query.knowledge}:{decides}"


def _digest(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=20).hexdigest()


def _packed_passages(passages: Sequence[Passage]) -> bytes:
    rows = []
    for passage in passages:
        chunk = passage.chunk
        place = (chunk.document_id, chunk.version_id, chunk.position, chunk.start, chunk.end, chunk.page)
        rows.append((*place, chunk.title, chunk.text, chunk.headings, passage.score, passage.similarity, passage.match))
    return orjson.dumps(rows)


def _passages(value: bytes) -> list[Passage]:
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
        in orjson.loads(value)
    ]  # fmt: skip
