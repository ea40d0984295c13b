"""The statements of PostgresDocuments. Each names the tenant, although the database would add it."""

_VERSION = """
    v.tenant_id, v.id AS version_id, v.document_id, v.number, v.filename, v.media_type, v.size, v.status,
    v.progress_done, v.progress_total, v.progress_unit, v.failure_code, v.failure_message, v.embedding_tokens,
    v.embedding_cost_microusd, v.created_at AS uploaded_at
"""

DOCUMENTS = f"""
SELECT {_VERSION}, d.title, d.metadata, d.created_at, d.updated_at, d.active_version_id
FROM documents d
CROSS JOIN LATERAL (
    SELECT * FROM document_versions
    WHERE tenant_id = %(tenant)s AND document_id = d.id ORDER BY number DESC LIMIT 1
) v
WHERE d.tenant_id = %(tenant)s AND d.deleted_at IS NULL
"""

SELECT_DOCUMENT = f"{DOCUMENTS} AND d.id = %(id)s"

CHANGE_DOCUMENT = """
UPDATE documents
SET title = coalesce(%(title)s, title), metadata = coalesce(%(metadata)s, metadata), updated_at = %(at)s
WHERE tenant_id = %(tenant)s AND id = %(id)s AND deleted_at IS NULL
"""

# A document's first version, or its next one: who adds it cannot know its number, for somebody else may be first.
_INSERT_VERSION = """
    INSERT INTO document_versions (tenant_id, id, document_id, number, filename, media_type, size, status, created_at)
    SELECT %(tenant)s, %(id)s, %(document)s, coalesce((
               SELECT max(number) FROM document_versions WHERE tenant_id = %(tenant)s AND document_id = %(document)s
           ), 0) + 1, %(filename)s, %(media_type)s, %(size)s, %(status)s, %(created_at)s
    FROM document
    RETURNING number
"""

# One who adds to a tenant's documents at a time, and in a statement of its own: the next one has to see what the one
# before has stored, so that many at once do not add more than the plan allows.
LOCK_ROOM = "SELECT pg_advisory_xact_lock(hashtextextended('documents ' || %(tenant)s::text, 0))"

# What the tenant's plan allows, and whether another document and the bytes of this file still fit.
_ROOM = """
room AS MATERIALIZED (
    SELECT p.documents, p.storage_bytes,
           p.documents IS NULL OR p.documents > (
               SELECT count(*) FROM documents WHERE tenant_id = %(tenant)s AND deleted_at IS NULL
           ) AS for_document,
           p.storage_bytes IS NULL OR p.storage_bytes >= %(size)s + (
               SELECT coalesce(sum(v.size), 0) FROM document_versions v
               JOIN documents d ON d.tenant_id = %(tenant)s AND d.id = v.document_id AND d.deleted_at IS NULL
               WHERE v.tenant_id = %(tenant)s AND v.purged_at IS NULL
           ) AS for_file
    FROM tenants t JOIN plans p ON p.name = t.plan
    WHERE t.id = %(tenant)s
)
"""

INSERT_DOCUMENT = f"""
WITH {_ROOM}, document AS (
    INSERT INTO documents (tenant_id, id, title, metadata, created_at, updated_at)
    SELECT %(tenant)s, %(document)s, %(title)s, %(metadata)s, %(document_created_at)s, %(document_updated_at)s
    FROM room WHERE for_document AND for_file
    RETURNING id
), version AS (
    {_INSERT_VERSION}
)
SELECT room.*, (SELECT number FROM version) AS number FROM room
"""

# The update's row lock keeps a deletion from passing between the look and the insert.
INSERT_VERSION = f"""
WITH {_ROOM}, document AS (
    UPDATE documents SET updated_at = %(created_at)s
    WHERE tenant_id = %(tenant)s AND id = %(document)s AND deleted_at IS NULL AND (SELECT for_file FROM room)
    RETURNING id
), version AS (
    {_INSERT_VERSION}
)
SELECT room.documents, room.storage_bytes, true AS for_document, room.for_file, (SELECT number FROM version) AS number
FROM room
"""

# A version is of one file: what of two was stored, perhaps at the same time, could not be told apart. Until it is ready
# a later upload of an equal file is taken, the same one again while its claim is unfinished or was given up.
CLAIM_VERSION = f"""
UPDATE document_versions v
SET status = 'processing', sequencer = %(sequencer)s, failure_code = NULL, failure_message = NULL, claimed_at = now(),
    finished_at = NULL, etag = coalesce(nullif(%(etag)s, ''), v.etag),
    progress_done = CASE WHEN v.sequencer = %(sequencer)s THEN v.progress_done ELSE 0 END,
    progress_total = CASE WHEN v.sequencer = %(sequencer)s THEN v.progress_total ELSE 0 END
FROM documents d
WHERE v.tenant_id = %(tenant)s AND v.id = %(id)s AND v.purged_at IS NULL AND v.status <> 'ready'
  AND d.tenant_id = %(tenant)s AND d.id = v.document_id AND d.deleted_at IS NULL
  AND (v.sequencer IS NULL
       OR (v.sequencer < %(sequencer)s AND v.etag IS NOT DISTINCT FROM nullif(%(etag)s, ''))
       OR (v.sequencer = %(sequencer)s AND (v.status = 'processing' OR v.failure_code = %(given_up)s)))
RETURNING {_VERSION}
"""

SELECT_LATER_UPLOAD = f"""
SELECT {_VERSION} FROM document_versions v
JOIN documents d ON d.tenant_id = %(tenant)s AND d.id = v.document_id AND d.deleted_at IS NULL
LEFT JOIN document_versions a ON a.tenant_id = %(tenant)s AND a.id = d.active_version_id
WHERE v.tenant_id = %(tenant)s AND v.id = %(id)s AND v.purged_at IS NULL AND v.sequencer < %(sequencer)s
  AND v.etag IS DISTINCT FROM nullif(%(etag)s, '')
  AND (a.number IS NULL OR v.number >= a.number)
"""

UPDATE_PROGRESS = """
UPDATE document_versions
SET progress_done = %(done)s, progress_total = %(total)s, progress_unit = %(unit)s
WHERE tenant_id = %(tenant)s AND id = %(id)s AND status = 'processing'
"""

FAIL_VERSION = f"""
UPDATE document_versions v
SET status = 'failed', failure_code = %(code)s, failure_message = %(message)s, finished_at = now()
WHERE v.tenant_id = %(tenant)s AND v.id = %(id)s AND v.status IN ('uploaded', 'processing') AND v.purged_at IS NULL
  AND (%(sequencer)s::text IS NULL OR coalesce(v.sequencer, '') <= %(sequencer)s)
RETURNING {_VERSION}
"""

# The subquery stands in the condition, not in a join, so that it is asked anew when the document's row was locked by
# another activation: of two, the newer version wins whatever their order.
# A version whose points have vectors of a model that answers no longer comes too late, too. The lock on the index makes
# a switch of models wait (and see this version), or this wait for the switch (and see the other model).
ACTIVATE_VERSION = """
WITH index AS (
    SELECT active FROM knowledge_indexes WHERE tenant_id = %(tenant)s FOR SHARE
), flipped AS (
    UPDATE documents d SET active_version_id = v.id, updated_at = now()
    FROM document_versions v
    WHERE v.tenant_id = %(tenant)s AND v.id = %(id)s AND v.purged_at IS NULL
      AND (v.status <> 'failed' OR v.failure_code = %(given_up)s)
      AND d.tenant_id = %(tenant)s AND d.id = v.document_id AND d.deleted_at IS NULL
      AND v.number >= coalesce((
          SELECT a.number FROM document_versions a WHERE a.tenant_id = %(tenant)s AND a.id = d.active_version_id
      ), 0)
      AND NOT EXISTS (SELECT FROM index WHERE index.active <> v.embedding_model)
    RETURNING v.id
), ready AS (
    UPDATE document_versions v
    SET status = 'ready', failure_code = NULL, failure_message = NULL, finished_at = now()
    FROM flipped
    WHERE v.tenant_id = %(tenant)s AND v.id = flipped.id
)
UPDATE tenants SET knowledge_version = knowledge_version + 1 WHERE id = %(tenant)s AND EXISTS (SELECT FROM flipped)
"""

DELETE_DOCUMENTS = f"""
WITH deleted AS (
    UPDATE documents SET deleted_at = now(), updated_at = now(), active_version_id = NULL
    WHERE tenant_id = %(tenant)s AND id = ANY (%(ids)s) AND deleted_at IS NULL
    RETURNING id
), changed AS (
    UPDATE tenants SET knowledge_version = knowledge_version + 1 WHERE id = %(tenant)s AND EXISTS (SELECT FROM deleted)
)
SELECT {_VERSION} FROM document_versions v JOIN deleted ON v.document_id = deleted.id
WHERE v.tenant_id = %(tenant)s
ORDER BY v.document_id, v.number
"""

# Joined to the active version, which is older or newer than each: only older ones are done with.
SELECT_REPLACED = f"""
SELECT {_VERSION} FROM document_versions v
JOIN documents d ON d.tenant_id = %(tenant)s AND d.id = v.document_id
JOIN document_versions a ON a.tenant_id = %(tenant)s AND a.id = d.active_version_id
WHERE v.tenant_id = %(tenant)s AND v.document_id = %(id)s AND v.purged_at IS NULL AND v.number < a.number
ORDER BY v.number
"""

SELECT_ABANDONED = f"""
SELECT {_VERSION} FROM document_versions v
JOIN documents d ON d.tenant_id = %(tenant)s AND d.id = v.document_id
LEFT JOIN document_versions a ON a.tenant_id = %(tenant)s AND a.id = d.active_version_id
WHERE v.tenant_id = %(tenant)s AND v.purged_at IS NULL AND (d.deleted_at IS NOT NULL OR v.number < a.number)
ORDER BY v.created_at, v.id
"""

SELECT_VERSIONS = f"""
SELECT {_VERSION} FROM document_versions v
JOIN documents d ON d.tenant_id = %(tenant)s AND d.id = v.document_id AND d.deleted_at IS NULL
WHERE v.tenant_id = %(tenant)s AND v.document_id = %(id)s
ORDER BY v.number DESC
"""

SELECT_STUCK = f"""
SELECT {_VERSION} FROM document_versions v
JOIN documents d ON d.tenant_id = %(tenant)s AND d.id = v.document_id AND d.deleted_at IS NULL
LEFT JOIN document_versions a ON a.tenant_id = %(tenant)s AND a.id = d.active_version_id
WHERE v.tenant_id = %(tenant)s AND v.purged_at IS NULL AND v.status IN ('uploaded', 'processing')
  AND coalesce(v.claimed_at, v.created_at) < %(before)s AND (a.number IS NULL OR v.number > a.number)
ORDER BY v.created_at, v.id
"""

SELECT_HOLDINGS = f"""
SELECT {_VERSION}, d.active_version_id IS NOT DISTINCT FROM v.id AS answers, (
    SELECT count(*)::integer FROM chunks c WHERE c.tenant_id = %(tenant)s AND c.version_id = v.id
) AS chunks
FROM document_versions v JOIN documents d ON d.tenant_id = %(tenant)s AND d.id = v.document_id
WHERE v.tenant_id = %(tenant)s AND v.purged_at IS NULL
ORDER BY v.created_at, v.id
"""

# Two statements of one transaction: the second sees the chunks of whoever stored them before the first had the row.
PURGE_VERSION = "UPDATE document_versions SET purged_at = now() WHERE tenant_id = %(tenant)s AND id = %(id)s"
DROP_PURGED = """
WITH dropped AS (
    DELETE FROM chunks WHERE tenant_id = %(tenant)s AND version_id = %(id)s
)
SELECT id FROM document_versions WHERE tenant_id = %(tenant)s AND id = %(id)s
"""

# A version has a model from when its first chunk is about to be stored; what is rejected before has nothing to hide.
SELECT_HIDDEN = """
SELECT v.id FROM document_versions v
JOIN documents d ON d.tenant_id = %(tenant)s AND d.id = v.document_id
WHERE v.tenant_id = %(tenant)s AND v.purged_at IS NULL AND v.id IS DISTINCT FROM d.active_version_id
  AND v.embedding_model IS NOT NULL
ORDER BY v.created_at, v.id
"""

SELECT_ACTIVE_TITLES = """
SELECT v.id, d.title FROM document_versions v
JOIN documents d ON d.tenant_id = %(tenant)s AND d.id = v.document_id AND d.active_version_id = v.id
WHERE v.tenant_id = %(tenant)s AND v.id = ANY (%(ids)s)
"""

# The totals' rows are locked in the order in which answers lock them.
ADD_EMBEDDED = """
WITH version AS (
    UPDATE document_versions
    SET embedding_tokens = embedding_tokens + %(tokens)s,
        embedding_cost_microusd = embedding_cost_microusd + %(cost_microusd)s
    WHERE tenant_id = %(tenant)s AND id = %(id)s
)
INSERT INTO usage_totals AS total (tenant_id, subject, subject_id, period, starts_on, embedding_tokens,
                                   embedding_cost_microusd)
SELECT %(tenant)s, 'tenant', %(tenant)s, period, starts_on, %(tokens)s, %(cost_microusd)s
FROM (VALUES ('day', %(day)s::date), ('month', %(month)s::date)) AS periods (period, starts_on)
ORDER BY period
ON CONFLICT (tenant_id, subject, subject_id, period, starts_on) DO UPDATE SET
    embedding_tokens = total.embedding_tokens + excluded.embedding_tokens,
    embedding_cost_microusd = total.embedding_cost_microusd + excluded.embedding_cost_microusd
"""

SELECT_CHUNK_SETTINGS = """
SELECT chunk_tokens AS size, chunk_overlap AS overlap FROM tenants WHERE id = %(tenant)s AND chunk_tokens IS NOT NULL
"""
UPDATE_CHUNK_SETTINGS = """
UPDATE tenants SET chunk_tokens = %(size)s, chunk_overlap = %(overlap)s WHERE id = %(tenant)s
"""
