-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE api_keys ADD COLUMN scopes text[];
ALTER TABLE api_keys ADD COLUMN last_used_at timestamptz;
ALTER TABLE api_keys ADD COLUMN replaced_by uuid;
COMMENT ON COLUMN api_keys.scopes IS 'What a secret key may be used for; null: everything, what comes later too';
COMMENT ON COLUMN api_keys.last_used_at IS 'To the minute: each process writes it at most once a minute';
COMMENT ON COLUMN api_keys.replaced_by IS 'The key of the same tenant that it was rotated to';

CREATE TABLE identity_secrets (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    hint text NOT NULL CHECK (hint <> ''),
    secret bytea NOT NULL,
    secret_key text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE identity_secrets IS 'With which a tenant''s own servers say who its visitors are; several during a rotation';
COMMENT ON COLUMN identity_secrets.secret IS 'Sealed with the key that secret_key names';
COMMENT ON COLUMN identity_secrets.expires_at IS 'Set when a newer one was made';
CALL isolate_tenants('identity_secrets');

-- Never written nor read: one secret allows no rotation.
-- squawk-ignore ban-drop-column
ALTER TABLE tenants DROP COLUMN identity_secret;
-- squawk-ignore ban-drop-column
ALTER TABLE tenants DROP COLUMN identity_secret_key;

ALTER TABLE visitors ADD COLUMN merged_into uuid;
COMMENT ON COLUMN visitors.merged_into IS 'Whom an anonymous visitor turned out to be; their conversations are that visitor''s now';

GRANT SELECT, INSERT, UPDATE, DELETE ON identity_secrets TO chatconnect_app;

-- migrate:down
