-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE knowledge_sources (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    provider text NOT NULL CHECK (provider <> ''),
    base_url text NOT NULL CHECK (base_url ~ '^https?://'),
    dataset_id text NOT NULL CHECK (dataset_id <> ''),
    search_method text CHECK (search_method <> ''),
    secret bytea NOT NULL,
    secret_key text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);
COMMENT ON TABLE knowledge_sources IS 'Knowledge bases elsewhere, in which assistants that name one find their passages';
COMMENT ON COLUMN knowledge_sources.dataset_id IS 'The knowledge base''s id at the provider';
COMMENT ON COLUMN knowledge_sources.search_method IS 'Null: as the knowledge base is set up at the provider';
COMMENT ON COLUMN knowledge_sources.secret IS 'The API key, sealed with the key that secret_key names';
CALL isolate_tenants('knowledge_sources');

GRANT SELECT, INSERT, UPDATE, DELETE ON knowledge_sources TO chatconnect_app;

-- migrate:down
