-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

-- squawk-ignore ban-drop-constraint
ALTER TABLE document_versions DROP CONSTRAINT document_versions_progress_unit_check;
ALTER TABLE document_versions ADD CONSTRAINT document_versions_progress_unit_check
    CHECK (progress_unit IN ('pages', 'percent', 'chunks')) NOT VALID;
COMMENT ON COLUMN document_versions.progress_unit IS 'What progress counts: pages or percent while the file is read, then chunks';

-- migrate:down
