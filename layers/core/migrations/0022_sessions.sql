-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    chosen_tenant uuid NOT NULL,
    device text NOT NULL DEFAULT '' CHECK (length(device) <= 200),
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at),
    ended_at timestamptz
);
COMMENT ON TABLE sessions IS 'Log-ins: a person on a device. Of no tenant, because a person can be a member of several';
COMMENT ON COLUMN sessions.chosen_tenant IS 'Where the person works now; whether they still may is asked of members';
CREATE INDEX ON sessions (account_id);

-- Nothing has written the table so far. A session's end is its own, not its tokens'.
-- squawk-ignore ban-drop-column
ALTER TABLE refresh_tokens DROP COLUMN revoked_at;
ALTER TABLE refresh_tokens ADD COLUMN salt bytea;
ALTER TABLE refresh_tokens ADD CONSTRAINT refresh_tokens_family_fkey
    FOREIGN KEY (family_id) REFERENCES sessions (id) ON DELETE CASCADE NOT VALID;
ALTER TABLE refresh_tokens ADD CONSTRAINT refresh_tokens_salt_check
    CHECK ((salt IS NULL) = (used_at IS NULL)) NOT VALID;
COMMENT ON COLUMN refresh_tokens.family_id IS 'The session; a token used a second time ends it';
COMMENT ON COLUMN refresh_tokens.salt IS 'With the token itself, of which only the hash is here, makes its successor';

CREATE TABLE password_resets (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at > created_at)
);
COMMENT ON TABLE password_resets IS 'Who may set a new password once; a row goes when it is used';
CREATE INDEX ON password_resets (account_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO chatconnect_app;
GRANT SELECT, INSERT, DELETE ON password_resets TO chatconnect_app;

-- Who is a platform operator is decided by the database's owner alone, whatever the application does.
REVOKE INSERT, UPDATE ON accounts FROM chatconnect_app;
GRANT INSERT (id, email, password_hash, created_at), UPDATE (password_hash, disabled_at) ON accounts TO chatconnect_app;

-- migrate:down
