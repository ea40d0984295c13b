-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE tenants ADD COLUMN controls jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN tenants.controls IS 'Control messages of all its assistants, and of endpoints by their names with the form of their answers';

ALTER TABLE conversations ADD COLUMN controls jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN conversations.controls IS 'Its own control messages and the form of its answers; never set by its visitor';

-- migrate:down
