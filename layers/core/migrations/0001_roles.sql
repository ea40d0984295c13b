-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

-- Three roles share the work:
--   the role that runs migrations owns every table and every function but one;
--   chatconnect_app is what the functions may do. Nobody logs in as it: each deployment makes a login role that is a
--     member of it and of nothing else (CREATE ROLE ... LOGIN IN ROLE chatconnect_app);
--   chatconnect_directory owns the one function that sees which tenants exist, and can read nothing else.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'chatconnect_app') THEN
        CREATE ROLE chatconnect_app NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'chatconnect_directory') THEN
        CREATE ROLE chatconnect_directory NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
    END IF;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO chatconnect_app, chatconnect_directory;

-- The tenant and the account of the running transaction, set by the application with set_config(..., true).
-- A connection that was used before reads '' instead of null, hence nullif; null compares with nothing, so a
-- transaction that forgot to say whose it is sees no row.
CREATE FUNCTION current_tenant() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(pg_catalog.current_setting('app.tenant_id', true), '')::uuid;

CREATE FUNCTION current_account() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(pg_catalog.current_setting('app.account_id', true), '')::uuid;

-- Called once for each table of tenants' rows, in the migration that creates it. FORCE binds the owner too.
CREATE PROCEDURE isolate_tenants(isolated regclass, tenant_column name DEFAULT 'tenant_id')
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', isolated);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', isolated);
    EXECUTE format(
        'CREATE POLICY own_tenant ON %1$s TO chatconnect_app'
        ' USING (%2$I = public.current_tenant()) WITH CHECK (%2$I = public.current_tenant())',
        isolated, tenant_column
    );
END
$$;

REVOKE ALL ON FUNCTION current_tenant() FROM PUBLIC;
REVOKE ALL ON FUNCTION current_account() FROM PUBLIC;
REVOKE ALL ON PROCEDURE isolate_tenants(regclass, name) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION current_tenant(), current_account() TO chatconnect_app;

-- migrate:down
