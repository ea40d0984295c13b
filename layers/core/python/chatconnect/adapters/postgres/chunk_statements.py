"""The statements about the chunks of documents. Each names the tenant, although the database would add it."""

# All of a batch as one JSON value: one statement, whatever its size. Of duplicates within it the last one counts.
# Whoever purges the version waits for the lock, or is waited for: a purged version has no chunks.
UPSERT_CHUNKS = """
WITH version AS (
    SELECT id FROM document_versions
    WHERE tenant_id = %(tenant)s AND id = %(version)s AND purged_at IS NULL FOR SHARE
)
INSERT INTO chunks (tenant_id, version_id, position, document_id, title, text, start_offset, end_offset, page, headings)
SELECT DISTINCT ON (c."position") %(tenant)s, %(version)s, c."position", c.document_id, c.title, c."text", c."start",
       c."end", c.page, c.headings
FROM ROWS FROM (jsonb_to_recordset(%(chunks)s) AS (
    "position" integer, document_id uuid, title text, "text" text, "start" integer, "end" integer, page integer,
    headings jsonb)) WITH ORDINALITY AS c ("position", document_id, title, "text", "start", "end", page, headings, nth)
CROSS JOIN version
ORDER BY c."position", c.nth DESC
ON CONFLICT (tenant_id, version_id, position) DO UPDATE SET
    document_id = excluded.document_id, title = excluded.title, text = excluded.text,
    start_offset = excluded.start_offset, end_offset = excluded.end_offset, page = excluded.page,
    headings = excluded.headings
"""

# Chunks whose points have vectors of another model are dropped; this statement still sees them, so `known` asks.
RESUME_VERSION = """
WITH known AS (
    SELECT FROM document_versions
    WHERE tenant_id = %(tenant)s AND id = %(id)s AND embedding_model = %(model)s
), noted AS (
    UPDATE document_versions SET embedding_model = %(model)s
    WHERE tenant_id = %(tenant)s AND id = %(id)s AND embedding_model IS DISTINCT FROM %(model)s
), dropped AS (
    DELETE FROM chunks WHERE tenant_id = %(tenant)s AND version_id = %(id)s AND NOT EXISTS (SELECT FROM known)
)
SELECT position,
       encode(sha256(convert_to(start_offset || ':' || title || chr(10) || text, 'UTF8')), 'hex') AS digest
FROM chunks
WHERE tenant_id = %(tenant)s AND version_id = %(id)s AND EXISTS (SELECT FROM known)
"""

DROP_CHUNKS = "DELETE FROM chunks WHERE tenant_id = %(tenant)s AND version_id = %(id)s"

SELECT_VERSION_CHUNKS = """
SELECT c.document_id, c.version_id, d.title, c.position, c.text, c.start_offset AS start, c.end_offset AS "end",
       c.page, c.headings
FROM chunks c JOIN documents d ON d.tenant_id = %(tenant)s AND d.id = c.document_id
WHERE c.tenant_id = %(tenant)s AND c.version_id = %(id)s AND c.position > %(after)s
ORDER BY c.position
LIMIT %(limit)s
"""

# One row without a position when there is a document but no chunk.
SELECT_CHUNKS = """
WITH shown AS (
    SELECT d.id AS document_id, d.title, coalesce(d.active_version_id, (
        SELECT id FROM document_versions
        WHERE tenant_id = %(tenant)s AND document_id = d.id ORDER BY number DESC LIMIT 1
    )) AS version_id
    FROM documents d
    WHERE d.tenant_id = %(tenant)s AND d.id = %(id)s AND d.deleted_at IS NULL
)
SELECT shown.document_id, shown.version_id, shown.title, c.position, c.text, c.start_offset AS start,
       c.end_offset AS "end", c.page, c.headings
FROM shown
LEFT JOIN chunks c ON c.tenant_id = %(tenant)s AND c.version_id = shown.version_id AND c.position > %(after)s
ORDER BY c.position
LIMIT %(limit)s
"""
