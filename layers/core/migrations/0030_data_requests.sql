-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

-- Nobody has read or written it so far.
-- squawk-ignore ban-drop-table
DROP TABLE data_requests;

CREATE TABLE data_requests (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('export', 'erase')),
    visitor_id uuid,
    requested_by uuid,
    status text NOT NULL CHECK (status IN ('waiting', 'open', 'done', 'cancelled', 'expired')),
    progress jsonb NOT NULL DEFAULT '{}',
    receipt jsonb,
    signature text,
    requested_at timestamptz NOT NULL,
    finished_at timestamptz,
    expires_at timestamptz,
    next_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, requested_by) REFERENCES members (tenant_id, id) ON DELETE SET NULL (requested_by),
    CHECK (status <> 'done' OR receipt IS NOT NULL),
    CHECK ((receipt IS NULL) = (signature IS NULL))
);
COMMENT ON TABLE data_requests IS 'Exports and erasures of one visitor''s or all of a tenant''s data. No foreign key to tenants or visitors: the receipt outlives them';
COMMENT ON COLUMN data_requests.visitor_id IS 'Null: the whole tenant';
COMMENT ON COLUMN data_requests.requested_by IS 'Null: a secret key, or a member who is gone';
COMMENT ON COLUMN data_requests.progress IS 'How far it has come, so that the next run goes on there';
COMMENT ON COLUMN data_requests.receipt IS 'What was exported or erased, where, and how much of it; never content';
COMMENT ON COLUMN data_requests.signature IS 'HMAC of the receipt with the server''s signing key';
COMMENT ON COLUMN data_requests.expires_at IS 'When the archive of an export goes';
COMMENT ON COLUMN data_requests.next_at IS 'When the job is to look at it again, later while a run holds it; null: never';
-- At most one of a kind is under way for a visitor, and for a tenant.
CREATE UNIQUE INDEX data_requests_under_way ON data_requests (tenant_id, kind, visitor_id) NULLS NOT DISTINCT
    WHERE status IN ('waiting', 'open');
CREATE INDEX ON data_requests (tenant_id, requested_at, id);
CREATE INDEX ON data_requests (tenant_id, requested_by);
CREATE INDEX data_requests_next_at ON data_requests (next_at) WHERE next_at IS NOT NULL;
CALL isolate_tenants('data_requests');

GRANT SELECT, INSERT, UPDATE, DELETE ON data_requests TO chatconnect_app;

-- The job may know for which tenants there is something to do: an erased one is no longer among tenant_ids().
CREATE POLICY all_tenants ON data_requests FOR SELECT TO chatconnect_directory USING (true);
GRANT SELECT (tenant_id, next_at) ON data_requests TO chatconnect_directory;

CREATE FUNCTION tenants_with_data_requests(due_at timestamptz) RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'SELECT DISTINCT tenant_id FROM public.data_requests WHERE next_at <= due_at ORDER BY tenant_id';

-- As in 0002: handing a function over takes membership in the new owner, and its right to create, for that moment.
GRANT chatconnect_directory TO CURRENT_USER;
GRANT CREATE ON SCHEMA public TO chatconnect_directory;
REVOKE ALL ON FUNCTION tenants_with_data_requests(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenants_with_data_requests(timestamptz) TO chatconnect_app;
ALTER FUNCTION tenants_with_data_requests(timestamptz) OWNER TO chatconnect_directory;
REVOKE CREATE ON SCHEMA public FROM chatconnect_directory;
REVOKE chatconnect_directory FROM CURRENT_USER;

-- migrate:down
