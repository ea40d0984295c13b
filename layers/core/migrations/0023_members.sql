-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

-- An invitation outlives the member who sent it. Nothing has written the table so far.
-- squawk-ignore ban-drop-not-null
ALTER TABLE invitations ALTER COLUMN invited_by DROP NOT NULL;
-- squawk-ignore ban-drop-constraint
ALTER TABLE invitations DROP CONSTRAINT invitations_tenant_id_invited_by_fkey;
ALTER TABLE invitations ADD CONSTRAINT invitations_invited_by_fkey
    FOREIGN KEY (tenant_id, invited_by) REFERENCES members (tenant_id, id) ON DELETE SET NULL (invited_by) NOT VALID;

ALTER TABLE tenants ADD COLUMN suspended_at timestamptz;
COMMENT ON COLUMN tenants.suspended_at IS 'Since when nobody is let in, by decision of a platform operator';

-- migrate:down
