-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE assistants (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    latest_version integer NOT NULL DEFAULT 0 CHECK (latest_version >= 0),
    published_version integer CHECK (published_version <= latest_version),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CALL isolate_tenants('assistants');

CREATE TABLE assistant_versions (
    tenant_id uuid NOT NULL,
    assistant_id uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    config jsonb NOT NULL CHECK (NOT config ? 'access_token'),
    access_token bytea,
    access_token_key text,
    author_id uuid REFERENCES accounts (id),
    note text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, assistant_id, number),
    FOREIGN KEY (tenant_id, assistant_id) REFERENCES assistants (tenant_id, id),
    CHECK ((access_token IS NULL) = (access_token_key IS NULL))
);
COMMENT ON TABLE assistant_versions IS 'Every save, never changed afterwards; the one that visitors meet is assistants.published_version';
COMMENT ON COLUMN assistant_versions.access_token IS 'The provider''s token, sealed with the key that access_token_key names';
CREATE INDEX ON assistant_versions (access_token_key) WHERE access_token_key IS NOT NULL;
CREATE INDEX ON assistant_versions (author_id);
CALL isolate_tenants('assistant_versions');

-- Each side of these pairs needs the other, so they are checked at commit.
ALTER TABLE assistants ADD CONSTRAINT assistants_published_version_fkey
    FOREIGN KEY (tenant_id, id, published_version) REFERENCES assistant_versions (tenant_id, assistant_id, number)
    DEFERRABLE INITIALLY DEFERRED;
-- The table is empty still: nothing to scan, nobody to block.
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
ALTER TABLE tenants ADD CONSTRAINT tenants_default_assistant_fkey
    FOREIGN KEY (id, default_assistant_id) REFERENCES assistants (tenant_id, id)
    DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE widgets (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    assistant_id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    config jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1 CHECK (version > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, assistant_id) REFERENCES assistants (tenant_id, id)
);
CREATE INDEX ON widgets (tenant_id, assistant_id, created_at);
CALL isolate_tenants('widgets');

CREATE TABLE widget_versions (
    tenant_id uuid NOT NULL,
    widget_id uuid NOT NULL,
    number integer NOT NULL CHECK (number > 0),
    config jsonb NOT NULL,
    author_id uuid REFERENCES accounts (id),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, widget_id, number),
    FOREIGN KEY (tenant_id, widget_id) REFERENCES widgets (tenant_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE widget_versions IS 'Every state that a widget has been in, the current one included';
CREATE INDEX ON widget_versions (author_id);
CALL isolate_tenants('widget_versions');

CREATE TABLE api_keys (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('publishable', 'secret')),
    key_hash bytea NOT NULL CHECK (octet_length(key_hash) = 32),
    name text NOT NULL,
    hint text NOT NULL,
    assistant_id uuid,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, key_hash),
    FOREIGN KEY (tenant_id, assistant_id) REFERENCES assistants (tenant_id, id)
);
COMMENT ON COLUMN api_keys.key_hash IS 'SHA-256; the key itself is shown once and kept nowhere';
COMMENT ON COLUMN api_keys.expires_at IS 'Set on the old key of a rotation, so that both work for a while';
CREATE INDEX ON api_keys (tenant_id, assistant_id);
CALL isolate_tenants('api_keys');

CREATE TABLE tools (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (name ~ '^[a-zA-Z0-9_-]{1,64}$'),
    description text NOT NULL,
    input_schema jsonb NOT NULL,
    endpoint text NOT NULL CHECK (endpoint ~ '^https?://'),
    secret bytea,
    secret_key text,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name),
    CHECK ((secret IS NULL) = (secret_key IS NULL))
);
COMMENT ON TABLE tools IS 'Endpoints of a tenant that a model may call';
CALL isolate_tenants('tools');

CREATE TABLE mcp_servers (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    url text NOT NULL CHECK (url ~ '^https?://'),
    secret bytea,
    secret_key text,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name),
    CHECK ((secret IS NULL) = (secret_key IS NULL))
);
CALL isolate_tenants('mcp_servers');

GRANT SELECT, INSERT ON assistant_versions, widget_versions TO chatconnect_app;
-- The token alone may change in place: sealed anew with another key.
GRANT UPDATE (access_token, access_token_key) ON assistant_versions TO chatconnect_app;
GRANT SELECT, INSERT, UPDATE ON assistants, api_keys TO chatconnect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON widgets, tools, mcp_servers TO chatconnect_app;

-- migrate:down
