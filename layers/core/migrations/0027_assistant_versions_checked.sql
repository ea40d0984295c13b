-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE assistant_versions VALIDATE CONSTRAINT assistant_versions_assistant_fkey;

-- migrate:down
