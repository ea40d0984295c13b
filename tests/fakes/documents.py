"""Documents in memory, for the tests of what uses them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from chatconnect.domain.chunking import DEFAULT_CHUNKS, ChunkSettings
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId
from chatconnect.domain.knowledge import GIVEN_UP, Chunk, Document, Embedded, Failure, Progress, Status, Version
from chatconnect.domain.metadata import DocumentFilters, Metadata
from chatconnect.ports.document_lists import Counts, DocumentPage, Listing, Place, Selection, place_of
from chatconnect.ports.knowledge import Holding


@dataclass
class StoredDocuments:
    """What one tenant has."""

    documents: dict[DocumentId, Document] = field(default_factory=dict)
    versions: dict[VersionId, Version] = field(default_factory=dict)
    sequencers: dict[VersionId, str] = field(default_factory=dict)
    etags: dict[VersionId, str] = field(default_factory=dict)
    claimed: dict[VersionId, datetime] = field(default_factory=dict)
    deleted: set[DocumentId] = field(default_factory=set)
    purged: set[VersionId] = field(default_factory=set)
    chunks: dict[tuple[VersionId, int], Chunk] = field(default_factory=dict)
    models: dict[VersionId, str] = field(default_factory=dict)
    embedded: dict[date, Embedded] = field(default_factory=dict)
    chunking: ChunkSettings = DEFAULT_CHUNKS


class MemoryDocuments:
    """One tenant's documents."""

    def __init__(self, stored: dict[TenantId, StoredDocuments], tenant_id: TenantId) -> None:
        self._stored = stored.setdefault(tenant_id, StoredDocuments())

    async def add(self, document: Document) -> None:
        self._stored.documents[document.id] = document
        self._stored.versions[document.newest.id] = document.newest

    async def add_version(self, version: Version) -> Version:
        document = await self.get(version.document_id)
        numbered = self._stored.versions[version.id] = replace(version, number=document.newest.number + 1)
        self._change(version.document_id, updated_at=version.created_at)
        return numbered

    async def get(self, document_id: DocumentId) -> Document:
        document = self._stored.documents.get(document_id)
        if document is None or document_id in self._stored.deleted:
            raise NotFound("document", document_id)
        return replace(document, newest=self._versions_of(document_id)[-1])

    async def page(self, listing: Listing) -> DocumentPage:
        def order(place: Place) -> tuple[Any, DocumentId]:
            return place.key.lower() if isinstance(place.key, str) else place.key, place.id

        meant, sort = listing.meant, listing.sort
        found = [each for each in await self._meant(meant) if meant.status in (None, each.newest.status)]
        found.sort(key=lambda document: order(place_of(document, sort)), reverse=listing.descending)
        if (after := listing.after) is not None:
            places = [(document, order(place_of(document, sort))) for document in found]
            found = [d for d, at in places if (at < order(after) if listing.descending else at > order(after))]
        shown = tuple(found[: listing.limit])
        return DocumentPage(shown, place_of(shown[-1], sort) if len(found) > listing.limit else None)

    async def count(self, meant: Selection) -> Counts:
        found = Counter(document.newest.status for document in await self._meant(meant))
        return dict.fromkeys(Status, 0) | found

    async def matching(self, filters: DocumentFilters) -> tuple[DocumentId, ...]:
        found = await self._meant(Selection(filters=filters))
        return tuple(sorted(document.id for document in found if document.active_version_id))

    async def change(
        self, document_id: DocumentId, *, title: str | None, metadata: Metadata | None, at: datetime
    ) -> None:
        document = await self.get(document_id)
        self._stored.documents[document_id] = replace(
            document,
            title=document.title if title is None else title,
            metadata=document.metadata if metadata is None else metadata,
            updated_at=at,
        )

    async def begin_processing(self, version_id: VersionId, sequencer: str, etag: str = "") -> Version | None:
        version = self._living(version_id)
        if version is None or version.status is Status.READY:
            return None
        new, own = sequencer.ljust(64, "0"), self._stored.sequencers.get(version_id, "")
        if new < own or (new == own and version.status is not Status.PROCESSING and not _given_up(version)):
            return None
        if "" < own < new and self._stored.etags[version_id] != etag:
            return None
        self._stored.sequencers[version_id] = new
        self._stored.etags[version_id] = etag or self._stored.etags.get(version_id, "")
        self._stored.claimed[version_id] = datetime.now(UTC)
        progress = version.progress if new == own else Progress()
        claimed = replace(version, status=Status.PROCESSING, progress=progress, failure=None)
        self._stored.versions[version_id] = claimed
        return claimed

    async def later_upload(self, version_id: VersionId, sequencer: str, etag: str = "") -> Version | None:
        version, own = self._living(version_id), self._stored.sequencers.get(version_id)
        if version is None or own is None or sequencer.ljust(64, "0") <= own:
            return None
        if self._stored.etags[version_id] == etag:
            return None
        return version if version.number >= self._active_number(version.document_id) else None

    async def give_up(self, version_id: VersionId, sequencer: str, failure: Failure) -> Version | None:
        version, new = self._stored.versions.get(version_id), sequencer.ljust(64, "0")
        if version is None or version_id in self._stored.purged or self._stored.sequencers.get(version_id, "") > new:
            return None
        return await self.fail(version_id, failure)

    async def set_progress(self, version_id: VersionId, progress: Progress) -> None:
        version = self._stored.versions.get(version_id)
        if version and version.status is Status.PROCESSING:
            self._stored.versions[version_id] = replace(version, progress=progress)

    async def fail(self, version_id: VersionId, failure: Failure) -> Version | None:
        version = self._stored.versions.get(version_id)
        if version is None or version.status not in (Status.UPLOADED, Status.PROCESSING):
            return None
        failed = self._stored.versions[version_id] = version.moved_to(Status.FAILED, failure=failure)
        return failed

    async def activate(self, version_id: VersionId) -> bool:
        version = self._living(version_id)
        if version is None or version.number < self._active_number(version.document_id):
            return False
        if version.status is Status.FAILED and not _given_up(version):
            return False
        self._stored.versions[version_id] = replace(version, status=Status.READY, failure=None)
        self._change(version.document_id, active_version_id=version_id)
        return True

    async def delete_all(self, document_ids: Collection[DocumentId]) -> Sequence[Version]:
        versions: list[Version] = []
        for document_id in document_ids:
            if document_id in self._stored.documents and document_id not in self._stored.deleted:
                self._stored.deleted.add(document_id)
                self._change(document_id, active_version_id=None)
                versions += self._versions_of(document_id)
        return versions

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
        elsewhere = self._stored.purged | self._active()
        return [id_ for id_ in self._stored.versions if id_ in self._stored.models and id_ not in elsewhere]

    async def active_among(self, version_ids: Collection[VersionId]) -> frozenset[VersionId]:
        return frozenset(version_ids) & self._active()

    async def active_titles(self, version_ids: Collection[VersionId]) -> Mapping[VersionId, str]:
        documents = self._stored.documents
        active = await self.active_among(version_ids)
        return {id_: documents[self._stored.versions[id_].document_id].title for id_ in active}

    async def save_chunks(self, version_id: VersionId, chunks: Sequence[Chunk]) -> None:
        if version_id not in self._stored.versions or version_id in self._stored.purged:
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
        return [self._chunk(place) for place in places[:limit]]

    async def chunks(self, document_id: DocumentId, *, after: int = -1, limit: int = 50) -> Sequence[Chunk]:
        document = await self.get(document_id)
        shown = document.active_version_id or document.newest.id
        return await self.chunks_of_version(shown, after=after, limit=limit)

    async def chunk_settings(self) -> ChunkSettings:
        return self._stored.chunking

    async def set_chunk_settings(self, settings: ChunkSettings) -> None:
        self._stored.chunking = settings

    async def _meant(self, meant: Selection) -> list[Document]:
        """Return what is meant, whatever its status."""
        living = [await self.get(id_) for id_ in self._stored.documents if id_ not in self._stored.deleted]
        return [
            document
            for document in living
            if meant.media_type in (None, document.newest.media_type)
            and meant.text.lower() in document.title.lower()
            and meant.filters.mean(document.metadata, document.created_at)
        ]

    def _chunk(self, place: tuple[VersionId, int]) -> Chunk:
        chunk = self._stored.chunks[place]
        return replace(chunk, title=self._stored.documents[chunk.document_id].title)

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


def _given_up(version: Version) -> bool:
    return version.failure is not None and version.failure.code == GIVEN_UP


def _sum(first: Embedded, second: Embedded) -> Embedded:
    return Embedded(first.tokens + second.tokens, first.cost_microusd + second.cost_microusd)
