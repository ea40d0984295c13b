-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE assistants ADD COLUMN archived_at timestamptz;
COMMENT ON COLUMN assistants.archived_at IS 'Since when it answers nobody; null: it answers';
COMMENT ON COLUMN assistants.latest_version IS 'The newest save; a draft while it is newer than the published one';

-- An assistant that nobody has talked to may be deleted, with its versions. The next migration checks what there is.
-- squawk-ignore ban-drop-constraint
ALTER TABLE assistant_versions DROP CONSTRAINT assistant_versions_tenant_id_assistant_id_fkey;
ALTER TABLE assistant_versions ADD CONSTRAINT assistant_versions_assistant_fkey
    FOREIGN KEY (tenant_id, assistant_id) REFERENCES assistants (tenant_id, id) ON DELETE CASCADE NOT VALID;

GRANT DELETE ON assistants TO chatconnect_app;

-- migrate:down
