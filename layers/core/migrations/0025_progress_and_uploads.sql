-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE document_versions
    ADD COLUMN progress_unit text NOT NULL DEFAULT 'chunks' CHECK (progress_unit IN ('pages', 'chunks')),
    ADD COLUMN etag text CHECK (etag <> '');
COMMENT ON COLUMN document_versions.progress_unit IS 'What progress counts: pages while the file is read, then chunks';
COMMENT ON COLUMN document_versions.etag IS 'S3''s digest of the upload that it is made of; null: not told';

-- migrate:down
