-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE messages ADD COLUMN cache_write_tokens integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN messages.cache_write_tokens IS 'The part of the input that the provider put into its cache';
ALTER TABLE messages ADD CONSTRAINT messages_cache_write_tokens_check CHECK (cache_write_tokens >= 0) NOT VALID;
ALTER TABLE usage_totals ADD COLUMN cache_write_tokens bigint NOT NULL DEFAULT 0;

ALTER TABLE messages ADD COLUMN from_cache boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN messages.from_cache IS 'The answer was given to the same question before, so that no model was asked';

-- migrate:down
