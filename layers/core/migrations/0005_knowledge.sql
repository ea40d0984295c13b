-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE documents (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    title text NOT NULL CHECK (title <> ''),
    metadata jsonb,
    active_version_id uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    CHECK (deleted_at IS NULL OR active_version_id IS NULL)
);
COMMENT ON COLUMN documents.active_version_id IS 'The one version that answers use; changing it is what publishes a version';
CREATE INDEX ON documents (tenant_id, created_at) WHERE deleted_at IS NULL;
CREATE INDEX ON documents (tenant_id, id, active_version_id) WHERE active_version_id IS NOT NULL;
CALL isolate_tenants('documents');

CREATE TABLE document_versions (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    document_id uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    filename text NOT NULL CHECK (filename <> ''),
    media_type text NOT NULL,
    size bigint NOT NULL CHECK (size >= 0),
    status text NOT NULL CHECK (status IN ('uploaded', 'processing', 'ready', 'failed')),
    progress_done integer NOT NULL DEFAULT 0 CHECK (progress_done >= 0),
    progress_total integer NOT NULL DEFAULT 0 CHECK (progress_total >= progress_done),
    failure_code text,
    failure_message text,
    sequencer text COLLATE "C",
    created_at timestamptz NOT NULL,
    claimed_at timestamptz,
    finished_at timestamptz,
    purged_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, document_id, number),
    UNIQUE (tenant_id, document_id, id),
    FOREIGN KEY (tenant_id, document_id) REFERENCES documents (tenant_id, id),
    CHECK ((failure_code IS NULL) = (failure_message IS NULL)),
    CHECK ((status = 'failed') = (failure_code IS NOT NULL))
);
COMMENT ON COLUMN document_versions.sequencer IS 'S3''s order of the upload that was claimed last, padded to one length';
COMMENT ON COLUMN document_versions.purged_at IS 'Since when nothing is left of it outside this database';
CREATE INDEX ON document_versions (tenant_id, created_at) WHERE purged_at IS NULL;
CALL isolate_tenants('document_versions');

-- A document needs its first version and a version its document: checked at commit.
ALTER TABLE documents ADD CONSTRAINT documents_active_version_fkey
    FOREIGN KEY (tenant_id, id, active_version_id) REFERENCES document_versions (tenant_id, document_id, id)
    DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE chunks (
    tenant_id uuid NOT NULL,
    version_id uuid NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    document_id uuid NOT NULL,
    title text NOT NULL,
    text text NOT NULL,
    start_offset integer NOT NULL CHECK (start_offset >= 0),
    end_offset integer NOT NULL CHECK (end_offset >= start_offset),
    page integer,
    headings jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (tenant_id, version_id, position),
    FOREIGN KEY (tenant_id, document_id, version_id)
        REFERENCES document_versions (tenant_id, document_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE chunks IS 'The truth that the vector store can be rebuilt from; offsets in characters of the extracted text';
CREATE INDEX ON chunks (tenant_id, document_id, version_id);
CALL isolate_tenants('chunks');

CREATE TABLE ingestion_events (
    tenant_id uuid NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    version_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('received', 'ignored', 'claimed', 'parsed', 'embedded', 'activated', 'failed', 'purged')),
    details jsonb NOT NULL DEFAULT '{}',
    happened_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, version_id) REFERENCES document_versions (tenant_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE ingestion_events IS 'What became of each upload, step by step';
CREATE INDEX ON ingestion_events (tenant_id, version_id);
CALL isolate_tenants('ingestion_events');

GRANT SELECT, INSERT, UPDATE, DELETE ON documents, document_versions, chunks TO chatconnect_app;
GRANT SELECT, INSERT, DELETE ON ingestion_events TO chatconnect_app;

-- migrate:down
