-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

-- What the application may not do, remove a tenant or a line of its audit log, two functions do where the rows
-- themselves say that it is due: a period that is over, or an erasure that is open. Their owner can do nothing else.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'chatconnect_eraser') THEN
        CREATE ROLE chatconnect_eraser NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
END
$$;

GRANT USAGE ON SCHEMA public TO chatconnect_eraser;
GRANT EXECUTE ON FUNCTION current_tenant() TO chatconnect_eraser;
GRANT SELECT ON retention_settings, data_requests TO chatconnect_eraser;
GRANT SELECT, DELETE ON audit_log, tenants TO chatconnect_eraser;
CREATE POLICY due_tenant ON retention_settings FOR SELECT TO chatconnect_eraser USING (tenant_id = current_tenant());
CREATE POLICY due_tenant ON data_requests FOR SELECT TO chatconnect_eraser USING (tenant_id = current_tenant());
CREATE POLICY due_tenant ON audit_log TO chatconnect_eraser USING (tenant_id = current_tenant());
CREATE POLICY due_tenant ON tenants TO chatconnect_eraser USING (id = current_tenant());

CREATE FUNCTION being_erased() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
SELECT EXISTS (
    SELECT FROM public.data_requests
    WHERE tenant_id = public.current_tenant() AND kind = 'erase' AND visitor_id IS NULL AND status = 'open'
)
$$;

-- Removes up to so many lines that are older than the tenant keeps them; all there are of one that is being erased.
CREATE FUNCTION prune_audit_log(most integer) RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
WITH removed AS (
    DELETE FROM public.audit_log WHERE tenant_id = public.current_tenant() AND id IN (
        SELECT a.id FROM public.audit_log a
        WHERE a.tenant_id = public.current_tenant() AND (public.being_erased() OR a.happened_at < now() - (
            SELECT make_interval(days => r.audit_days) FROM public.retention_settings r
            WHERE r.tenant_id = public.current_tenant()
        ))
        ORDER BY a.happened_at LIMIT most
    )
    RETURNING id
)
SELECT count(*) FROM removed
$$;

-- Removes the tenant's own row, when everything that hangs on it is gone.
CREATE FUNCTION remove_erased_tenant() RETURNS bigint
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$
WITH removed AS (
    DELETE FROM public.tenants WHERE id = public.current_tenant() AND public.being_erased() RETURNING id
)
SELECT count(*) FROM removed
$$;

GRANT chatconnect_eraser TO CURRENT_USER;
GRANT CREATE ON SCHEMA public TO chatconnect_eraser;
REVOKE ALL ON FUNCTION being_erased(), prune_audit_log(integer), remove_erased_tenant() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_audit_log(integer), remove_erased_tenant() TO chatconnect_app;
ALTER FUNCTION being_erased() OWNER TO chatconnect_eraser;
ALTER FUNCTION prune_audit_log(integer) OWNER TO chatconnect_eraser;
ALTER FUNCTION remove_erased_tenant() OWNER TO chatconnect_eraser;
REVOKE CREATE ON SCHEMA public FROM chatconnect_eraser;
REVOKE chatconnect_eraser FROM CURRENT_USER;

-- A tenant's keys go with it, and so do the accounts of whoever has no other place; operators' never.
GRANT DELETE ON api_keys, accounts TO chatconnect_app;

-- migrate:down
