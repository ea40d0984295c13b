-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE messages ADD COLUMN usage_estimated boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN messages.usage_estimated IS 'The provider did not report all tokens: the answer broke off, say';

-- migrate:down
