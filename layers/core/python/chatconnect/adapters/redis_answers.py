"""Answers that were given lately, in Redis: `{tenant}:given:...`.

A key holds a digest of the question and not its text. A value's form is part of the key, so that versions of this
module that run side by side do not read each other's.
"""

from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson

from chatconnect.adapters.redis import RedisDatabase
from chatconnect.domain.conversation import Citation
from chatconnect.domain.given_answer import GivenAnswer
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId
from chatconnect.ports.answer_cache import Asked

KEPT_SECONDS = 3_600
LARGEST = 64 * 1024
"""Bytes of an answer with its citations."""
_FORM = "1"


class RedisAnswerCache:
    """One tenant's answers."""

    def __init__(self, database: RedisDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def find(self, asked: Asked) -> GivenAnswer | None:
        """Return the answer that was given, in one round trip; None when Redis is away."""
        [packed] = await self._database.ask_quietly(("GET", self._key(asked))) or [None]
        return None if packed is None else _unpacked(packed)

    async def keep(self, asked: Asked, answer: GivenAnswer) -> None:
        """Keep an answer for an hour, unless it is very long or Redis is away."""
        packed = orjson.dumps([answer.text, answer.citations, list(answer.versions)])
        if len(packed) <= LARGEST:
            await self._database.ask_quietly(("SET", self._key(asked), packed, "EX", KEPT_SECONDS))

    def _key(self, asked: Asked) -> str:
        digest = blake2b(repr(asked).encode(), digest_size=20).hexdigest()
        return f"{{{self._tenant_id}}}:given:{_FORM}:{digest}"


def _unpacked(packed: bytes | str) -> GivenAnswer:
    text, citations, versions = orjson.loads(packed)
    return GivenAnswer(text, tuple(map(_citation, citations)), frozenset(VersionId(UUID(each)) for each in versions))


def _citation(data: dict[str, Any]) -> Citation:
    ids = {
        "document_id": DocumentId(UUID(data["document_id"])),
        "version_id": VersionId(UUID(data["version_id"])),
    }
    return Citation(**{**data, **ids})
