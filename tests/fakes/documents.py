"""Documents in memory, for the tests of what uses them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId
from chatconnect.domain.knowledge import GIVEN_UP, Chunk, Document, Embedded, Failure, Progress, Status, Version
from chatconnect.ports.knowledge import DocumentPage, Holding


@dataclass
class StoredDocuments:
    """What one tenant has."""

    documents: dict[DocumentId, Document] = field(default_factory=dict)
    versions: dict[VersionId, Version] = field(default_factory=dict)
    sequencers: dict[VersionId, str] = field(default_factory=dict)
    claimed: dict[VersionId, datetime] = field(default_factory=dict)
    deleted: set[DocumentId] = field(default_factory=set)
    purged: set[VersionId] = field(default_factory=set)
    chunks: dict[tuple[VersionId, int], Chunk] = field(default_factory=dict)
    models: dict[VersionId, str] = field(default_factory=dict)
    embedded: dict[date, Embedded] = field(default_factory=dict)


class MemoryDocuments:
    """One tenant's documents."""

    def __init__(self, stored: dict[TenantId, StoredDocuments], tenant_id: TenantId) -> None:
        self._stored = stored.setdefault(tenant_id, StoredDocuments())

    async def add(self, document: Document) -> None:
        self._stored.documents[document.id] = document
        self._stored.versions[document.newest.id] = document.newest

    async def add_version(self, version: Version) -> None:
        await self.get(version.document_id)
        self._stored.versions[version.id] = version
        self._change(version.document_id, updated_at=version.created_at)

    async def get(self, document_id: DocumentId) -> Document:
        document = self._stored.documents.get(document_id)
        if document is None or document_id in self._stored.deleted:
            raise NotFound("document", document_id)
        return replace(document, newest=self._versions_of(document_id)[-1])

    async def list_newest(self, *, limit: int = 50, before: datetime | None = None) -> DocumentPage:
        shown = [await self.get(id_) for id_ in self._stored.documents if id_ not in self._stored.deleted]
        wanted = [document for document in shown if before is None or document.created_at < before]
        wanted.sort(key=lambda document: (document.created_at, document.id), reverse=True)
        page = tuple(wanted[:limit])
        return DocumentPage(page, page[-1].created_at if len(wanted) > limit else None)

    async def begin_processing(self, version_id: VersionId, sequencer: str) -> Version | None:
        version = self._living(version_id)
        if version is None or version.status is Status.READY:
            return None
        new, last = sequencer.ljust(64, "0"), self._stored.sequencers.get(version_id, "")
        given_up = version.failure is not None and version.failure.code == GIVEN_UP
        if new < last or (new == last and version.status is not Status.PROCESSING and not given_up):
            return None
        self._stored.sequencers[version_id] = new
        self._stored.claimed[version_id] = datetime.now(UTC)
        progress = version.progress if new == last else Progress()
        claimed = replace(version, status=Status.PROCESSING, progress=progress, failure=None)
        self._stored.versions[version_id] = claimed
        return claimed

    async def set_progress(self, version_id: VersionId, progress: Progress) -> None:
        version = self._stored.versions.get(version_id)
        if version and version.status is Status.PROCESSING:
            self._stored.versions[version_id] = replace(version, progress=progress)

    async def fail(self, version_id: VersionId, failure: Failure) -> None:
        version = self._stored.versions.get(version_id)
        if version and version.status in (Status.UPLOADED, Status.PROCESSING):
            self._stored.versions[version_id] = replace(version, status=Status.FAILED, failure=failure)

    async def activate(self, version_id: VersionId) -> bool:
        version = self._living(version_id)
        if version is None or version.number < self._active_number(version.document_id):
            return False
        self._stored.versions[version_id] = replace(version, status=Status.READY, failure=None)
        self._change(version.document_id, active_version_id=version_id)
        return True

    async def delete(self, document_id: DocumentId) -> Sequence[Version]:
        await self.get(document_id)
        self._stored.deleted.add(document_id)
        self._change(document_id, active_version_id=None)
        return self._versions_of(document_id)

    async def replaced_versions(self, document_id: DocumentId) -> Sequence[Version]:
        newest = self._active_number(document_id)
        return [v for v in self._versions_of(document_id) if v.number < newest and v.id not in self._stored.purged]

    async def abandoned_versions(self) -> Sequence[Version]:
        return [
            version
            for version in self._stored.versions.values()
            if version.id not in self._stored.purged
            and (
                version.document_id in self._stored.deleted or version.number < self._active_number(version.document_id)
            )
        ]

    async def versions(self, document_id: DocumentId) -> Sequence[Version]:
        await self.get(document_id)
        return self._versions_of(document_id)[::-1]

    async def stuck_versions(self, before: datetime) -> Sequence[Version]:
        return [
            version
            for version in self._stored.versions.values()
            if self._living(version.id)
            and version.status in (Status.UPLOADED, Status.PROCESSING)
            and version.number > self._active_number(version.document_id)
            and self._stored.claimed.get(version.id, version.created_at) < before
        ]

    async def holdings(self) -> Sequence[Holding]:
        active = self._active()
        return [
            Holding(version, sum(place[0] == version.id for place in self._stored.chunks), version.id in active)
            for version in self._stored.versions.values()
            if version.id not in self._stored.purged
        ]

    async def purged(self, version_id: VersionId) -> None:
        self._stored.purged.add(version_id)
        for place in [place for place in self._stored.chunks if place[0] == version_id]:
            del self._stored.chunks[place]

    async def hidden_versions(self) -> Sequence[VersionId]:
        active = self._active()
        return [id_ for id_ in self._stored.versions if id_ not in self._stored.purged and id_ not in active]

    async def active_among(self, version_ids: Collection[VersionId]) -> frozenset[VersionId]:
        return frozenset(version_ids) & self._active()

    async def save_chunks(self, version_id: VersionId, chunks: Sequence[Chunk]) -> None:
        if version_id not in self._stored.versions:
            raise NotFound("document version", version_id)
        self._stored.chunks |= {(version_id, chunk.position): chunk for chunk in chunks}

    async def stored_chunks(self, version_id: VersionId, model: str) -> Mapping[int, str]:
        if self._stored.models.get(version_id) != model:
            await self.drop_chunks(version_id)
            if version_id in self._stored.versions:
                self._stored.models[version_id] = model
        return {place[1]: chunk.digest for place, chunk in self._stored.chunks.items() if place[0] == version_id}

    async def drop_chunks(self, version_id: VersionId) -> None:
        for place in [place for place in self._stored.chunks if place[0] == version_id]:
            del self._stored.chunks[place]

    async def add_embedded(self, version_id: VersionId, embedded: Embedded, day: date) -> None:
        version = self._stored.versions.get(version_id)
        if version is not None:
            self._stored.versions[version_id] = replace(version, embedded=_sum(version.embedded, embedded))
        self._stored.embedded[day] = _sum(self._stored.embedded.get(day, Embedded()), embedded)

    async def chunks_of_version(self, version_id: VersionId, *, after: int = -1, limit: int = 50) -> Sequence[Chunk]:
        places = sorted(place for place in self._stored.chunks if place[0] == version_id and place[1] > after)
        return [self._stored.chunks[place] for place in places[:limit]]

    async def chunks(self, document_id: DocumentId, *, after: int = -1, limit: int = 50) -> Sequence[Chunk]:
        document = await self.get(document_id)
        shown = document.active_version_id or document.newest.id
        places = sorted(place for place in self._stored.chunks if place[0] == shown and place[1] > after)
        return [self._stored.chunks[place] for place in places[:limit]]

    def _versions_of(self, document_id: DocumentId) -> list[Version]:
        own = [version for version in self._stored.versions.values() if version.document_id == document_id]
        return sorted(own, key=lambda version: version.number)

    def _living(self, version_id: VersionId) -> Version | None:
        version = self._stored.versions.get(version_id)
        gone = version is None or version.document_id in self._stored.deleted or version_id in self._stored.purged
        return None if gone else version

    def _active(self) -> frozenset[VersionId]:
        documents = self._stored.documents.values()
        return frozenset(d.active_version_id for d in documents if d.active_version_id is not None)

    def _active_number(self, document_id: DocumentId) -> int:
        active = self._stored.documents[document_id].active_version_id
        return self._stored.versions[active].number if active else 0

    def _change(
        self, document_id: DocumentId, *, updated_at: datetime | None = None, active_version_id: VersionId | None = None
    ) -> None:
        document = self._stored.documents[document_id]
        if updated_at is not None:
            self._stored.documents[document_id] = replace(document, updated_at=updated_at)
        else:
            self._stored.documents[document_id] = replace(document, active_version_id=active_version_id)


def _sum(first: Embedded, second: Embedded) -> Embedded:
    return Embedded(first.tokens + second.tokens, first.cost_microusd + second.cost_microusd)
