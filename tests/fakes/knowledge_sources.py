"""A tenant's knowledge sources in memory, and a knowledge base that counts shared words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from uuid import uuid5

from chatconnect.domain.errors import Conflict, KnowledgeSourceFailed, NotFound
from chatconnect.domain.identifiers import DocumentId, KnowledgeSourceId, TenantId, VersionId
from chatconnect.domain.knowledge import Chunk, Passage
from chatconnect.domain.knowledge_source import KnowledgeSource

StoredKnowledgeSources = dict[tuple[TenantId, KnowledgeSourceId], KnowledgeSource]


class MemoryKnowledgeSources:
    """One tenant's sources."""

    def __init__(self, stored: StoredKnowledgeSources, tenant_id: TenantId) -> None:
        self._stored, self._tenant_id = stored, tenant_id

    async def list_all(self) -> Sequence[KnowledgeSource]:
        own = [source for (tenant, _), source in self._stored.items() if tenant == self._tenant_id]
        return sorted(own, key=lambda source: source.name)

    async def count(self) -> int:
        return len(await self.list_all())

    async def get(self, source_id: KnowledgeSourceId) -> KnowledgeSource:
        if (self._tenant_id, source_id) not in self._stored:
            raise NotFound("knowledge source", source_id)
        return self._stored[self._tenant_id, source_id]

    async def add(self, source: KnowledgeSource) -> None:
        await self._check_name(source)
        self._stored[self._tenant_id, source.id] = source

    async def save(self, source: KnowledgeSource) -> None:
        await self.get(source.id)
        await self._check_name(source)
        self._stored[self._tenant_id, source.id] = source

    async def delete(self, source_id: KnowledgeSourceId) -> None:
        await self.get(source_id)
        del self._stored[self._tenant_id, source_id]

    async def _check_name(self, source: KnowledgeSource) -> None:
        if any(other.name == source.name and other.id != source.id for other in await self.list_all()):
            raise Conflict("there is a knowledge source with this name", code="name_taken")


def likeness(query: str, text: str) -> float:
    """The share of words that two texts have in common, 0-1; short ones ("is", "to") do not count."""
    asked, said = _words(query), _words(text)
    return len(asked & said) / sqrt(len(asked) * len(said)) if asked and said else 0.0


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.casefold()) if len(word) > 2}


@dataclass
class MemoryPassages:
    """A tenant's knowledge base: texts by title. `failure` is raised as long as there is one."""

    tenant_id: TenantId
    texts: Mapping[str, str] = field(default_factory=dict)
    failure: KnowledgeSourceFailed | None = None
    searches: list[tuple[str, int, float]] = field(default_factory=list)

    async def search(self, query: str, *, limit: int, threshold: float) -> list[Passage]:
        self.searches.append((query, limit, threshold))
        if self.failure is not None:
            raise self.failure
        scored = [(likeness(query, text), title, text) for title, text in self.texts.items()]
        best = sorted((each for each in scored if each[0] > 0 and each[0] >= threshold), reverse=True)[:limit]
        return [Passage(self._chunk(title, text), score) for score, title, text in best]

    def _chunk(self, title: str, text: str) -> Chunk:
        document, version = uuid5(self.tenant_id, f"document {title}"), uuid5(self.tenant_id, f"text {title}")
        return Chunk(DocumentId(document), VersionId(version), title, 0, text, 0, len(text))
