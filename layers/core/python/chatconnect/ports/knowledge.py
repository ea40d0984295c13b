"""Where documents, their chunks and their vectors are kept."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from chatconnect.domain.chunking import ChunkSettings
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId
from chatconnect.domain.knowledge import Chunk, Document, Embedded, Failure, Passage, Progress, Version
from chatconnect.domain.metadata import DocumentFilters, Metadata
from chatconnect.ports.document_lists import Counts, DocumentPage, Listing, Selection


@dataclass(frozen=True, slots=True)
class Holding:
    """What the database has of a version that is not purged: how many chunks, and whether it answers now."""

    version: Version
    chunks: int
    answers: bool


class Documents(Protocol):
    """One tenant's documents."""

    async def add(self, document: Document) -> None:
        """Store a new document with its first version.

        However many are stored at once, no plan is overshot. Raises Conflict with code "too_many_documents" or
        "storage_full".
        """
        ...

    async def add_version(self, version: Version) -> Version:
        """Store a further version of a document, and return it with its number: the next one, whatever it had.

        Raises NotFound when the document is not there or deleted, Conflict with code "storage_full".
        """
        ...

    async def get(self, document_id: DocumentId) -> Document:
        """Return the document. Raises NotFound when there is none or it was deleted."""
        ...

    async def page(self, listing: Listing) -> DocumentPage:
        """Return a page of the tenant's documents."""
        ...

    async def count(self, meant: Selection) -> Counts:
        """Return how many of the documents meant have each status, whichever status is meant."""
        ...

    async def matching(self, filters: DocumentFilters) -> tuple[DocumentId, ...]:
        """Return the documents that answer and are meant by the filters."""
        ...

    async def change(
        self, document_id: DocumentId, *, title: str | None, metadata: Metadata | None, at: datetime
    ) -> None:
        """Replace the title, the metadata, or both (None: as it is). Raises NotFound."""
        ...

    async def begin_processing(self, version_id: VersionId, sequencer: str, etag: str = "") -> Version | None:
        """Claim an uploaded version for processing and return it.

        None when there is nothing to do: the version is unknown, deleted or already done with this upload or a later
        one (`sequencer` is S3's, comparable as text of equal length), or it is of another file (`etag` is S3's digest
        of what was uploaded). A claim left unfinished can be taken again, with the progress that was made, and so can
        one that was given up (GIVEN_UP).
        """
        ...

    async def later_upload(self, version_id: VersionId, sequencer: str, etag: str = "") -> Version | None:
        """Return the version when this upload under its key came later and is another file than it is of; else None.

        None, too, when the version will never answer again.
        """
        ...

    async def give_up(self, version_id: VersionId, sequencer: str, failure: Failure) -> Version | None:
        """Mark the version failed, unless it is done or a later upload was taken; return it when it was marked."""
        ...

    async def set_progress(self, version_id: VersionId, progress: Progress) -> None:
        """Store how far the version has come."""
        ...

    async def fail(self, version_id: VersionId, failure: Failure) -> Version | None:
        """Mark the version failed, unless it is done; return it when it was marked. The active version stays."""
        ...

    async def activate(self, version_id: VersionId) -> bool:
        """Make this version the one that answers use, in one statement, and bump the tenant's knowledge version.

        False when a newer version is active already, the document was deleted meanwhile, the version has failed or was
        read for an index that answers no longer: then nothing changes. One that was given up (GIVEN_UP) may still
        succeed.
        """
        ...

    async def delete_all(self, document_ids: Collection[DocumentId]) -> Sequence[Version]:
        """Make documents invisible at once, all together, and return the versions of those that were there."""
        ...

    async def replaced_versions(self, document_id: DocumentId) -> Sequence[Version]:
        """Return the document's versions older than its active one that were not purged yet."""
        ...

    async def abandoned_versions(self) -> Sequence[Version]:
        """Return the versions that will never answer again (replaced, or their document deleted) and are not purged."""
        ...

    async def versions(self, document_id: DocumentId) -> Sequence[Version]:
        """Return the document's versions, newest first, with the purged ones. Raises NotFound."""
        ...

    async def stuck_versions(self, before: datetime) -> Sequence[Version]:
        """Return the versions that wait for their file, or are being processed, since before that moment.

        Those that will never answer are not among them.
        """
        ...

    async def holdings(self) -> Sequence[Holding]:
        """Return what there is of every version that is not purged, from one snapshot."""
        ...

    async def purged(self, version_id: VersionId) -> None:
        """Record that nothing is left of the version outside the database."""
        ...

    async def hidden_versions(self) -> Sequence[VersionId]:
        """Return the versions that must not answer but may have points: unfinished, replaced and deleted ones.

        One has none before `stored_chunks` was asked for it.
        """
        ...

    async def active_among(self, version_ids: Collection[VersionId]) -> frozenset[VersionId]:
        """Return those of the versions that answer now, from one snapshot."""
        ...

    async def active_titles(self, version_ids: Collection[VersionId]) -> Mapping[VersionId, str]:
        """Return those of the versions that answer now with their documents' titles, from one snapshot."""
        ...

    async def save_chunks(self, version_id: VersionId, chunks: Sequence[Chunk]) -> None:
        """Store chunks; one with the same version and position is replaced.

        Raises NotFound when there is no such version or it was purged.
        """
        ...

    async def stored_chunks(self, version_id: VersionId, model: str) -> Mapping[int, str]:
        """Return the digests of the version's chunks by position, and note that its vectors are those of `model`.

        Had it vectors of another model, its chunks are dropped first: all of its points are to be made anew.
        """
        ...

    async def drop_chunks(self, version_id: VersionId) -> None:
        """Remove the version's chunks."""
        ...

    async def add_embedded(self, version_id: VersionId, embedded: Embedded, day: date) -> None:
        """Add what embedding took to the version, and to the tenant's totals of the day (UTC) and its month."""
        ...

    async def chunks_of_version(self, version_id: VersionId, *, after: int = -1, limit: int = 50) -> Sequence[Chunk]:
        """Return a version's chunks after a position, in order; none of an unknown one."""
        ...

    async def chunks(self, document_id: DocumentId, *, after: int = -1, limit: int = 50) -> Sequence[Chunk]:
        """Return the active (or else newest) version's chunks after a position, in order. Raises NotFound."""
        ...

    async def chunk_settings(self) -> ChunkSettings:
        """Return how the tenant has its documents cut: DEFAULT_CHUNKS until it keeps something else."""
        ...

    async def set_chunk_settings(self, settings: ChunkSettings) -> None:
        """Keep how the tenant has its documents cut. Raises NotFound when there is no such tenant."""
        ...


DocumentsOf = Callable[[TenantId], Documents]


@dataclass(frozen=True, slots=True)
class SearchScope:
    """What a search may find: only these documents (None: all), and never these versions."""

    documents: tuple[DocumentId, ...] | None = None
    hidden: tuple[VersionId, ...] = ()


class Points(Protocol):
    """All that is stored of one tenant's versions in order to find them."""

    async def delete_version(self, version_id: VersionId) -> None:
        """Remove all points of a version. Raises Unavailable."""
        ...

    async def retitle_version(self, version_id: VersionId, title: str) -> None:
        """Have the points of a version that was read be found by another title. Raises Unavailable."""
        ...


PointsOf = Callable[[TenantId], Points]


class Chunks(Points, Protocol):
    """One tenant's chunks as vectors; the tenant filter is part of the store, no caller can leave it out."""

    async def save(self, chunks: Sequence[Chunk], vectors: Sequence[Sequence[float]]) -> None:
        """Store chunks with their vectors; saving again replaces. Raises Unavailable."""
        ...

    async def search(
        self, text: str, vector: Sequence[float], scope: SearchScope, *, limit: int, threshold: float
    ) -> list[Passage]:
        """Return the passages that match best by meaning and by words, most relevant first, none below `threshold`.

        Each says why it matches; its score is its relevance, 0 to 1. Raises Unavailable.
        """
        ...

    async def delete_after(self, version_id: VersionId, position: int) -> None:
        """Remove the points of a version's chunks behind a position. Raises Unavailable."""
        ...

    async def delete_all(self) -> None:
        """Remove all the tenant's points. Raises Unavailable."""
        ...

    async def positions(self) -> dict[VersionId, set[int]]:
        """Return of which versions there are points, and of which of their chunks. Raises Unavailable."""
        ...

    async def count_of_visitors(self, visitor_ids: Collection[UUID]) -> int:
        """Return how many points name one of the visitors. Raises Unavailable."""
        ...


class PassageSource(Protocol):
    """A knowledge base in which passages are found (B7); tests/contracts/test_knowledge_sources.py is for each."""

    async def search(self, query: str, *, limit: int, threshold: float) -> list[Passage]:
        """Return at most `limit` (1-20) passages with text, best first, each once; an empty list when nothing matches.

        `query` has 1 to 2,000 characters; a source that takes fewer shortens it. `threshold` is a cosine, 0-1; a source
        whose scores are none passes over it. A document has the same id in every search, and another tenant's
        has another. `start` and `end` index the text of `version_id`: a source that does not know where in its document
        a passage stands gives each a version of its own.
        Raises Unavailable when the source did not answer in full: nothing is found only where it says so.
        """
        ...
