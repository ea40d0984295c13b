-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE api_keys ADD COLUMN widget_id uuid;
COMMENT ON COLUMN api_keys.widget_id IS 'The widget that a publishable key shows; null: its assistant''s oldest. No foreign key: a key outlives its widget, revoked';

-- migrate:down
