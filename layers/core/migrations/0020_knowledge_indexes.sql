-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE knowledge_indexes (
    tenant_id uuid PRIMARY KEY REFERENCES tenants (id),
    active text NOT NULL CHECK (active ~ '^[^/]+/.+/[0-9]+$'),
    next text CHECK (next ~ '^[^/]+/.+/[0-9]+$' AND next <> active),
    former text[] NOT NULL DEFAULT '{}',
    progress_done integer NOT NULL DEFAULT 0 CHECK (progress_done >= 0),
    progress_total integer NOT NULL DEFAULT 0 CHECK (progress_total >= progress_done),
    left_at timestamptz
);
COMMENT ON TABLE knowledge_indexes IS 'With which embedding models (provider/model/dimensions) a tenant''s knowledge is indexed; no row: nothing was ever indexed';
COMMENT ON COLUMN knowledge_indexes.active IS 'Whose vectors answer; changing it is what moves a tenant to another model';
COMMENT ON COLUMN knowledge_indexes.next IS 'Whose vectors are being made in the background';
COMMENT ON COLUMN knowledge_indexes.former IS 'Of whose vectors there may be some that are to be removed';
COMMENT ON COLUMN knowledge_indexes.left_at IS 'When an index became a former one last';
CALL isolate_tenants('knowledge_indexes');

GRANT SELECT, INSERT, UPDATE, DELETE ON knowledge_indexes TO chatconnect_app;

COMMENT ON COLUMN document_versions.embedding_model IS 'With which model it was read; it can only become active while that one is';

-- migrate:down
