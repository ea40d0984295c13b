-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE plans (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_]{0,39}$'),
    requests_per_minute integer NOT NULL CHECK (requests_per_minute > 0),
    provider text NOT NULL,
    model text NOT NULL,
    allowed_models text[] NOT NULL CHECK (model = ANY (allowed_models)),
    messages_per_minute integer CHECK (messages_per_minute > 0),
    messages_per_hour integer CHECK (messages_per_hour > 0),
    messages_per_day integer CHECK (messages_per_day > 0),
    tokens_per_day bigint CHECK (tokens_per_day > 0),
    tokens_per_month bigint CHECK (tokens_per_month > 0),
    microusd_per_day bigint CHECK (microusd_per_day > 0),
    microusd_per_month bigint CHECK (microusd_per_month > 0),
    features text[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE plans IS 'What tenants can pay for. Shared by all tenants; changed by migrations only. Null means unlimited.';

-- A first offer; further plans are further rows.
INSERT INTO plans (name, requests_per_minute, provider, model, allowed_models, messages_per_minute, messages_per_hour,
                   messages_per_day, tokens_per_day, tokens_per_month, microusd_per_day, microusd_per_month, features)
VALUES
    ('free', 100, 'openai', 'gpt-5.4-mini', '{gpt-5.4-mini}', 60, 600, 2000, 1000000, 10000000, 1000000, 10000000, '{}'),
    ('paid', 1000, 'anthropic', 'claude-sonnet-4-6', '{claude-sonnet-4-6,gpt-5.4-mini}', 600, 10000, 100000,
     50000000, 1000000000, 100000000, 2000000000, '{handover,webhooks,mcp,analytics}');

CREATE TABLE tenants (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    plan text NOT NULL REFERENCES plans (name),
    default_assistant_id uuid NOT NULL,
    knowledge_version bigint NOT NULL DEFAULT 1,
    identity_secret bytea,
    identity_secret_key text,
    created_at timestamptz NOT NULL,
    CHECK ((identity_secret IS NULL) = (identity_secret_key IS NULL))
);
COMMENT ON COLUMN tenants.default_assistant_id IS 'A column, not a flag on assistants: so there is exactly one at any time';
COMMENT ON COLUMN tenants.knowledge_version IS 'Counts the changes of what can be found; part of every cache key of a search';
COMMENT ON COLUMN tenants.identity_secret IS 'For signed visitor identities, sealed with the key that identity_secret_key names';
CALL isolate_tenants('tenants', 'id');

CREATE TABLE retention_settings (
    tenant_id uuid PRIMARY KEY REFERENCES tenants (id),
    conversation_days integer CHECK (conversation_days > 0),
    audit_days integer CHECK (audit_days > 0),
    log_message_text boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE retention_settings IS 'How long a tenant keeps what; null means for ever, no row means the defaults';
CALL isolate_tenants('retention_settings');

CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    email text NOT NULL UNIQUE CHECK (email = lower(email)),
    password_hash text NOT NULL,
    is_operator boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz
);
COMMENT ON TABLE accounts IS 'People who can log in. They belong to no tenant: a person can be a member of several';

CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    family_id uuid NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > issued_at),
    used_at timestamptz,
    revoked_at timestamptz
);
COMMENT ON COLUMN refresh_tokens.family_id IS 'One log-in; a token used a second time ends its whole family';
CREATE INDEX ON refresh_tokens (account_id);
CREATE INDEX ON refresh_tokens (family_id);

CREATE TABLE members (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    account_id uuid NOT NULL REFERENCES accounts (id),
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'agent', 'viewer')),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, account_id)
);
COMMENT ON TABLE members IS 'A person''s place in one tenant';
CREATE INDEX ON members (account_id);
CALL isolate_tenants('members');
-- At log-in a person sees their own places, whatever the tenant.
CREATE POLICY own_places ON members FOR SELECT TO chatconnect_app USING (account_id = current_account());

CREATE TABLE invitations (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    email text NOT NULL CHECK (email = lower(email)),
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'agent', 'viewer')),
    token_hash bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    invited_by uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    accepted_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, token_hash),
    FOREIGN KEY (tenant_id, invited_by) REFERENCES members (tenant_id, id)
);
CREATE INDEX ON invitations (tenant_id, invited_by);
CALL isolate_tenants('invitations');

-- Jobs go through all tenants, one after the other: they may know the ids and nothing more.
CREATE POLICY all_tenants ON tenants FOR SELECT TO chatconnect_directory USING (true);
GRANT SELECT (id) ON tenants TO chatconnect_directory;

CREATE FUNCTION tenant_ids() RETURNS SETOF uuid
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'SELECT id FROM public.tenants ORDER BY id';

-- Handing a function over takes membership in the new owner, and the new owner's right to create, for that moment.
GRANT chatconnect_directory TO CURRENT_USER;
GRANT CREATE ON SCHEMA public TO chatconnect_directory;
REVOKE ALL ON FUNCTION tenant_ids() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tenant_ids() TO chatconnect_app;
ALTER FUNCTION tenant_ids() OWNER TO chatconnect_directory;
REVOKE CREATE ON SCHEMA public FROM chatconnect_directory;
REVOKE chatconnect_directory FROM CURRENT_USER;

GRANT SELECT ON plans TO chatconnect_app;
GRANT SELECT, INSERT, UPDATE ON tenants, accounts TO chatconnect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON retention_settings, refresh_tokens, members, invitations TO chatconnect_app;

-- migrate:down
