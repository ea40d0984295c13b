-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

-- Both name a message that may be deleted one day: no foreign keys.
ALTER TABLE conversations ADD COLUMN forked_from uuid;
COMMENT ON COLUMN conversations.forked_from IS 'The message, of another conversation, whose branch this one began with';
ALTER TABLE messages ADD COLUMN copied_from uuid;
COMMENT ON COLUMN messages.copied_from IS 'The message, of another conversation, that a fork copied; its cost counts there';

-- migrate:down
