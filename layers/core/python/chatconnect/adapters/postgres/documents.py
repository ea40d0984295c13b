"""One tenant's documents, their versions and their chunks in Postgres."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime

from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres import chunk_statements as chunk_sql
from chatconnect.adapters.postgres import document_lists as lists
from chatconnect.adapters.postgres import document_statements as sql
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.document_rows import (
    ChunkRow,
    DigestRow,
    DocumentRow,
    HoldingRow,
    RoomRow,
    StatusCountRow,
    TitleRow,
    VersionRow,
)
from chatconnect.adapters.postgres.rows import IdRow
from chatconnect.domain.chunking import DEFAULT_CHUNKS, ChunkSettings
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId
from chatconnect.domain.knowledge import GIVEN_UP, Chunk, Document, Embedded, Failure, Progress, Status, Version
from chatconnect.domain.metadata import DocumentFilters, Metadata
from chatconnect.ports.document_lists import Counts, DocumentPage, Listing, Selection, place_of
from chatconnect.ports.knowledge import Holding

# S3's sequencers are hexadecimal and of varying length; padded on the right they compare as text.
SEQUENCER_LENGTH = 64


class PostgresDocuments:
    """One tenant's documents."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def add(self, document: Document) -> None:
        """Store a new document with its first version. Raises Conflict ("too_many_documents", "storage_full")."""
        parameters = _version_parameters(document.newest) | {
            "title": document.title,
            "metadata": Jsonb(document.metadata),
            "document_created_at": document.created_at,
            "document_updated_at": document.updated_at,
        }
        await self._make_room(sql.INSERT_DOCUMENT, parameters)

    async def add_version(self, version: Version) -> Version:
        """Store a further version of a document, and return it with the number that it gets.

        Raises NotFound when the document is not there or deleted, Conflict with code "storage_full".
        """
        number = await self._make_room(sql.INSERT_VERSION, _version_parameters(version))
        if number is None:
            raise NotFound("document", version.document_id)
        return replace(version, number=number)

    async def _make_room(self, statement: str, parameters: dict[str, object]) -> int | None:
        """Store what the plan has room for, one after the other; return its number, None when there is no document."""
        rows = await self._database.fetch(self._tenant_id, RoomRow, statement, parameters, before=sql.LOCK_ROOM)
        if not rows:
            return None
        [room] = rows
        room.check()
        return room.number

    async def get(self, document_id: DocumentId) -> Document:
        """Return the document. Raises NotFound when there is none or it was deleted."""
        row = await self._database.fetch_one(self._tenant_id, DocumentRow, sql.SELECT_DOCUMENT, {"id": document_id})
        if row is None:
            raise NotFound("document", document_id)
        return row.to_document()

    async def page(self, listing: Listing) -> DocumentPage:
        """Return a page of the tenant's documents."""
        statement = lists.select_page(listing.sort, descending=listing.descending, begun=listing.after is not None)
        rows = await self._database.fetch(self._tenant_id, DocumentRow, statement, lists.page_parameters(listing))
        documents = tuple(row.to_document() for row in rows[: listing.limit])
        return DocumentPage(documents, place_of(documents[-1], listing.sort) if len(rows) > listing.limit else None)

    async def count(self, meant: Selection) -> Counts:
        """Return how many of the documents meant have each status, whichever status is meant."""
        parameters = lists.meant_parameters(meant)
        rows = await self._database.fetch(self._tenant_id, StatusCountRow, lists.COUNT_DOCUMENTS, parameters)
        return dict.fromkeys(Status, 0) | {Status(row.status): row.documents for row in rows}

    async def matching(self, filters: DocumentFilters) -> tuple[DocumentId, ...]:
        """Return the documents that answer and are meant by the filters."""
        parameters = lists.filter_parameters(filters)
        rows = await self._database.fetch(self._tenant_id, IdRow, lists.SELECT_MATCHING, parameters)
        return tuple(DocumentId(row.id) for row in rows)

    async def change(
        self, document_id: DocumentId, *, title: str | None, metadata: Metadata | None, at: datetime
    ) -> None:
        """Replace the title, the metadata, or both. Raises NotFound."""
        stored = None if metadata is None else Jsonb(metadata)
        parameters = {"id": document_id, "title": title, "metadata": stored, "at": at}
        if not await self._database.run(self._tenant_id, sql.CHANGE_DOCUMENT, parameters):
            raise NotFound("document", document_id)

    async def begin_processing(self, version_id: VersionId, sequencer: str, etag: str = "") -> Version | None:
        """Claim an uploaded version for processing and return it; None when there is nothing to do."""
        parameters = {"id": version_id, "sequencer": _padded(sequencer), "etag": etag, "given_up": GIVEN_UP}
        return await self._version(sql.CLAIM_VERSION, parameters)

    async def later_upload(self, version_id: VersionId, sequencer: str, etag: str = "") -> Version | None:
        """Return the version when this upload under its key came later and is another file than it is of; else None."""
        parameters = {"id": version_id, "sequencer": _padded(sequencer), "etag": etag}
        return await self._version(sql.SELECT_LATER_UPLOAD, parameters)

    async def give_up(self, version_id: VersionId, sequencer: str, failure: Failure) -> Version | None:
        """Mark the version failed, unless it is done or a later upload was taken; return it when it was marked."""
        parameters = {"id": version_id, "sequencer": _padded(sequencer), **asdict(failure)}
        return await self._version(sql.FAIL_VERSION, parameters)

    async def set_progress(self, version_id: VersionId, progress: Progress) -> None:
        """Store how far the version has come."""
        await self._database.run(self._tenant_id, sql.UPDATE_PROGRESS, {"id": version_id, **asdict(progress)})

    async def fail(self, version_id: VersionId, failure: Failure) -> Version | None:
        """Mark the version failed, unless it is done; return it when it was marked."""
        return await self._version(sql.FAIL_VERSION, {"id": version_id, "sequencer": None, **asdict(failure)})

    async def activate(self, version_id: VersionId) -> bool:
        """Make this version the one that answers use; False when it is too late for that."""
        parameters = {"id": version_id, "given_up": GIVEN_UP}
        return await self._database.run(self._tenant_id, sql.ACTIVATE_VERSION, parameters) > 0

    async def delete_all(self, document_ids: Collection[DocumentId]) -> Sequence[Version]:
        """Make documents invisible at once, all together, and return the versions of those that were there."""
        return await self._versions(sql.DELETE_DOCUMENTS, {"ids": list(document_ids)})

    async def replaced_versions(self, document_id: DocumentId) -> Sequence[Version]:
        """Return the document's versions older than its active one that were not purged yet."""
        return await self._versions(sql.SELECT_REPLACED, {"id": document_id})

    async def abandoned_versions(self) -> Sequence[Version]:
        """Return the versions that will never answer again and are not purged."""
        return await self._versions(sql.SELECT_ABANDONED, {})

    async def versions(self, document_id: DocumentId) -> Sequence[Version]:
        """Return the document's versions, newest first, with the purged ones. Raises NotFound."""
        versions = await self._versions(sql.SELECT_VERSIONS, {"id": document_id})
        if not versions:
            raise NotFound("document", document_id)
        return versions

    async def stuck_versions(self, before: datetime) -> Sequence[Version]:
        """Return the versions that wait for their file, or are being processed, since before that moment."""
        return await self._versions(sql.SELECT_STUCK, {"before": before})

    async def holdings(self) -> Sequence[Holding]:
        """Return what there is of every version that is not purged, from one snapshot."""
        rows = await self._database.fetch(self._tenant_id, HoldingRow, sql.SELECT_HOLDINGS, {})
        return [row.to_holding() for row in rows]

    async def purged(self, version_id: VersionId) -> None:
        """Record that nothing is left of the version outside the database, and drop its text here."""
        parameters = {"id": version_id}
        await self._database.fetch(self._tenant_id, IdRow, sql.DROP_PURGED, parameters, before=sql.PURGE_VERSION)

    async def hidden_versions(self) -> Sequence[VersionId]:
        """Return the versions that must not answer but may still have points."""
        rows = await self._database.fetch(self._tenant_id, IdRow, sql.SELECT_HIDDEN, {})
        return [VersionId(row.id) for row in rows]

    async def active_among(self, version_ids: Collection[VersionId]) -> frozenset[VersionId]:
        """Return those of the versions that answer now, from one snapshot."""
        return frozenset(await self.active_titles(version_ids))

    async def active_titles(self, version_ids: Collection[VersionId]) -> Mapping[VersionId, str]:
        """Return those of the versions that answer now with their documents' titles, from one snapshot."""
        parameters = {"ids": list(version_ids)}
        rows = await self._database.fetch(self._tenant_id, TitleRow, sql.SELECT_ACTIVE_TITLES, parameters)
        return {VersionId(row.id): row.title for row in rows}

    async def save_chunks(self, version_id: VersionId, chunks: Sequence[Chunk]) -> None:
        """Store chunks; one with the same version and position is replaced. Raises NotFound when it is not there."""
        parameters = {"version": version_id, "chunks": Jsonb([asdict(chunk) for chunk in chunks])}
        stored = await self._database.run(self._tenant_id, chunk_sql.UPSERT_CHUNKS, parameters)
        if chunks and not stored:
            raise NotFound("document version", version_id)

    async def stored_chunks(self, version_id: VersionId, model: str) -> Mapping[int, str]:
        """Return the digests of the version's chunks by position; those of another model's vectors are dropped."""
        parameters = {"id": version_id, "model": model}
        rows = await self._database.fetch(self._tenant_id, DigestRow, chunk_sql.RESUME_VERSION, parameters)
        return {row.position: row.digest for row in rows}

    async def drop_chunks(self, version_id: VersionId) -> None:
        """Remove the version's chunks."""
        await self._database.run(self._tenant_id, chunk_sql.DROP_CHUNKS, {"id": version_id})

    async def add_embedded(self, version_id: VersionId, embedded: Embedded, day: date) -> None:
        """Add what embedding took to the version, and to the tenant's totals of the day and its month."""
        parameters = {"id": version_id, "day": day, "month": day.replace(day=1), **asdict(embedded)}
        await self._database.run(self._tenant_id, sql.ADD_EMBEDDED, parameters)

    async def chunks_of_version(self, version_id: VersionId, *, after: int = -1, limit: int = 50) -> Sequence[Chunk]:
        """Return a version's chunks with a position above `after`."""
        parameters = {"id": version_id, "after": after, "limit": limit}
        rows = await self._database.fetch(self._tenant_id, ChunkRow, chunk_sql.SELECT_VERSION_CHUNKS, parameters)
        return [row.to_chunk() for row in rows]

    async def chunks(self, document_id: DocumentId, *, after: int = -1, limit: int = 50) -> Sequence[Chunk]:
        """Return the active (or else newest) version's chunks with a position above `after`. Raises NotFound."""
        rows = await self._database.fetch(
            self._tenant_id, ChunkRow, chunk_sql.SELECT_CHUNKS, {"id": document_id, "after": after, "limit": limit}
        )
        if not rows:
            raise NotFound("document", document_id)
        return [row.to_chunk() for row in rows if row.position is not None]

    async def chunk_settings(self) -> ChunkSettings:
        """Return how the tenant has its documents cut: DEFAULT_CHUNKS until it keeps something else."""
        own = await self._database.fetch_one(self._tenant_id, ChunkSettings, sql.SELECT_CHUNK_SETTINGS, {})
        return own or DEFAULT_CHUNKS

    async def set_chunk_settings(self, settings: ChunkSettings) -> None:
        """Keep how the tenant has its documents cut. Raises NotFound when there is no such tenant."""
        if not await self._database.run(self._tenant_id, sql.UPDATE_CHUNK_SETTINGS, asdict(settings)):
            raise NotFound("tenant", self._tenant_id)

    async def _version(self, statement: str, parameters: Mapping[str, object]) -> Version | None:
        row = await self._database.fetch_one(self._tenant_id, VersionRow, statement, parameters)
        return row.to_version() if row else None

    async def _versions(self, statement: str, parameters: Mapping[str, object]) -> list[Version]:
        rows = await self._database.fetch(self._tenant_id, VersionRow, statement, parameters)
        return [row.to_version() for row in rows]


def _padded(sequencer: str) -> str:
    return sequencer.ljust(SEQUENCER_LENGTH, "0")


def _version_parameters(version: Version) -> dict[str, object]:
    return {
        "id": version.id,
        "document": version.document_id,
        "filename": version.filename,
        "media_type": version.media_type,
        "size": version.size,
        "status": version.status,
        "created_at": version.created_at,
    }
