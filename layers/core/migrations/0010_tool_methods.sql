-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE tools ADD COLUMN method text NOT NULL DEFAULT 'GET';
-- The names of the headers are sealed with their values.
COMMENT ON COLUMN tools.secret IS 'JSON object of the headers to send, sealed with the key that secret_key names';
ALTER TABLE tools ADD CONSTRAINT tools_method_check
    CHECK (method IN ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')) NOT VALID;

-- migrate:down
