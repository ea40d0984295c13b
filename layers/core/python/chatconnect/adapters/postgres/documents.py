"""One tenant's documents, their versions and their chunks in Postgres."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime

import psycopg
from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres import document_statements as sql
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.document_rows import ChunkRow, DigestRow, DocumentRow, HoldingRow, IdRow, VersionRow
from chatconnect.domain.errors import NotFound
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId
from chatconnect.domain.knowledge import GIVEN_UP, Chunk, Document, Embedded, Failure, Progress, Version
from chatconnect.ports.knowledge import DocumentPage, Holding

# S3's sequencers are hexadecimal and of varying length; padded on the right they compare as text.
SEQUENCER_LENGTH = 64


class PostgresDocuments:
    """One tenant's documents."""

    def __init__(self, database: PostgresDatabase, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def add(self, document: Document) -> None:
        """Store a new document with its first version."""
        parameters = _version_parameters(document.newest) | {
            "title": document.title,
            "metadata": None if document.metadata is None else Jsonb(document.metadata),
            "document_created_at": document.created_at,
            "document_updated_at": document.updated_at,
        }
        await self._database.run(self._tenant_id, sql.INSERT_DOCUMENT, parameters)

    async def add_version(self, version: Version) -> None:
        """Store a further version of a document. Raises NotFound when the document is not there or deleted."""
        if not await self._database.run(self._tenant_id, sql.INSERT_VERSION, _version_parameters(version)):
            raise NotFound("document", version.document_id)

    async def get(self, document_id: DocumentId) -> Document:
        """Return the document. Raises NotFound when there is none or it was deleted."""
        row = await self._database.fetch_one(self._tenant_id, DocumentRow, sql.SELECT_DOCUMENT, {"id": document_id})
        if row is None:
            raise NotFound("document", document_id)
        return row.to_document()

    async def list_newest(self, *, limit: int = 50, before: datetime | None = None) -> DocumentPage:
        """Return the tenant's documents, newest first."""
        parameters = {"before": before, "limit": limit + 1}
        rows = await self._database.fetch(self._tenant_id, DocumentRow, sql.SELECT_NEWEST, parameters)
        documents = tuple(row.to_document() for row in rows[:limit])
        return DocumentPage(documents, documents[-1].created_at if len(rows) > limit else None)

    async def begin_processing(self, version_id: VersionId, sequencer: str) -> Version | None:
        """Claim an uploaded version for processing and return it; None when there is nothing to do."""
        row = await self._database.fetch_one(
            self._tenant_id,
            VersionRow,
            sql.CLAIM_VERSION,
            {"id": version_id, "sequencer": sequencer.ljust(SEQUENCER_LENGTH, "0"), "given_up": GIVEN_UP},
        )
        return row.to_version() if row else None

    async def set_progress(self, version_id: VersionId, progress: Progress) -> None:
        """Store how far the version has come."""
        await self._database.run(self._tenant_id, sql.UPDATE_PROGRESS, {"id": version_id, **asdict(progress)})

    async def fail(self, version_id: VersionId, failure: Failure) -> None:
        """Mark the version failed; the document's active version stays."""
        await self._database.run(self._tenant_id, sql.FAIL_VERSION, {"id": version_id, **asdict(failure)})

    async def activate(self, version_id: VersionId) -> bool:
        """Make this version the one that answers use; False when it is too late for that."""
        return await self._database.run(self._tenant_id, sql.ACTIVATE_VERSION, {"id": version_id}) > 0

    async def delete(self, document_id: DocumentId) -> Sequence[Version]:
        """Make the document invisible at once and return all its versions, to be purged. Raises NotFound."""
        rows = await self._database.fetch(self._tenant_id, VersionRow, sql.DELETE_DOCUMENT, {"id": document_id})
        if not rows:
            raise NotFound("document", document_id)
        return [row.to_version() for row in rows]

    async def replaced_versions(self, document_id: DocumentId) -> Sequence[Version]:
        """Return the document's versions older than its active one that were not purged yet."""
        rows = await self._database.fetch(self._tenant_id, VersionRow, sql.SELECT_REPLACED, {"id": document_id})
        return [row.to_version() for row in rows]

    async def abandoned_versions(self) -> Sequence[Version]:
        """Return the versions that will never answer again and are not purged."""
        rows = await self._database.fetch(self._tenant_id, VersionRow, sql.SELECT_ABANDONED, {})
        return [row.to_version() for row in rows]

    async def versions(self, document_id: DocumentId) -> Sequence[Version]:
        """Return the document's versions, newest first, with the purged ones. Raises NotFound."""
        rows = await self._database.fetch(self._tenant_id, VersionRow, sql.SELECT_VERSIONS, {"id": document_id})
        if not rows:
            raise NotFound("document", document_id)
        return [row.to_version() for row in rows]

    async def stuck_versions(self, before: datetime) -> Sequence[Version]:
        """Return the versions that wait for their file, or are being processed, since before that moment."""
        rows = await self._database.fetch(self._tenant_id, VersionRow, sql.SELECT_STUCK, {"before": before})
        return [row.to_version() for row in rows]

    async def holdings(self) -> Sequence[Holding]:
        """Return what there is of every version that is not purged, from one snapshot."""
        rows = await self._database.fetch(self._tenant_id, HoldingRow, sql.SELECT_HOLDINGS, {})
        return [row.to_holding() for row in rows]

    async def purged(self, version_id: VersionId) -> None:
        """Record that nothing is left of the version outside the database, and drop its text here."""
        await self._database.run(self._tenant_id, sql.PURGE_VERSION, {"id": version_id})

    async def hidden_versions(self) -> Sequence[VersionId]:
        """Return the versions that must not answer but may still have points."""
        rows = await self._database.fetch(self._tenant_id, IdRow, sql.SELECT_HIDDEN, {})
        return [VersionId(row.id) for row in rows]

    async def active_among(self, version_ids: Collection[VersionId]) -> frozenset[VersionId]:
        """Return those of the versions that answer now, from one snapshot."""
        rows = await self._database.fetch(self._tenant_id, IdRow, sql.SELECT_ACTIVE, {"ids": list(version_ids)})
        return frozenset(VersionId(row.id) for row in rows)

    async def save_chunks(self, version_id: VersionId, chunks: Sequence[Chunk]) -> None:
        """Store chunks; one with the same version and position is replaced. Raises NotFound for an unknown version."""
        try:
            await self._database.run(
                self._tenant_id,
                sql.UPSERT_CHUNKS,
                {"version": version_id, "chunks": Jsonb([asdict(chunk) for chunk in chunks])},
            )
        except psycopg.errors.ForeignKeyViolation as error:
            raise NotFound("document version", version_id) from error

    async def stored_chunks(self, version_id: VersionId, model: str) -> Mapping[int, str]:
        """Return the digests of the version's chunks by position; those of another model's vectors are dropped."""
        parameters = {"id": version_id, "model": model}
        rows = await self._database.fetch(self._tenant_id, DigestRow, sql.RESUME_VERSION, parameters)
        return {row.position: row.digest for row in rows}

    async def drop_chunks(self, version_id: VersionId) -> None:
        """Remove the version's chunks."""
        await self._database.run(self._tenant_id, sql.DROP_CHUNKS, {"id": version_id})

    async def add_embedded(self, version_id: VersionId, embedded: Embedded, day: date) -> None:
        """Add what embedding took to the version, and to the tenant's totals of the day and its month."""
        parameters = {"id": version_id, "day": day, "month": day.replace(day=1), **asdict(embedded)}
        await self._database.run(self._tenant_id, sql.ADD_EMBEDDED, parameters)

    async def chunks_of_version(self, version_id: VersionId, *, after: int = -1, limit: int = 50) -> Sequence[Chunk]:
        """Return a version's chunks with a position above `after`."""
        parameters = {"id": version_id, "after": after, "limit": limit}
        rows = await self._database.fetch(self._tenant_id, ChunkRow, sql.SELECT_VERSION_CHUNKS, parameters)
        return [row.to_chunk() for row in rows]

    async def chunks(self, document_id: DocumentId, *, after: int = -1, limit: int = 50) -> Sequence[Chunk]:
        """Return the active (or else newest) version's chunks with a position above `after`. Raises NotFound."""
        rows = await self._database.fetch(
            self._tenant_id, ChunkRow, sql.SELECT_CHUNKS, {"id": document_id, "after": after, "limit": limit}
        )
        if not rows:
            raise NotFound("document", document_id)
        return [row.to_chunk() for row in rows if row.position is not None]


def _version_parameters(version: Version) -> dict[str, object]:
    return {
        "id": version.id,
        "document": version.document_id,
        "number": version.number,
        "filename": version.filename,
        "media_type": version.media_type,
        "size": version.size,
        "status": version.status,
        "created_at": version.created_at,
    }
