-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE blocked_visitors ADD COLUMN blocked_until timestamptz;
COMMENT ON COLUMN blocked_visitors.blocked_until IS 'Null: until somebody unblocks them';
COMMENT ON COLUMN blocked_visitors.blocked_by IS 'Null: blocked by a tenant''s own server';

-- Nobody has read or written it so far.
-- squawk-ignore ban-drop-table
DROP TABLE abuse_signals;

CREATE TABLE abuse_signals (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id bigint GENERATED ALWAYS AS IDENTITY,
    visitor_id uuid,
    kind text NOT NULL CHECK (kind IN ('repeated_messages', 'automated_client', 'probing', 'injection')),
    hour timestamptz NOT NULL,
    score integer NOT NULL CHECK (score > 0),
    times integer NOT NULL CHECK (times > 0),
    reasons jsonb NOT NULL,
    throttled boolean NOT NULL,
    conversation_id uuid,
    message_id uuid,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, visitor_id) REFERENCES visitors (tenant_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE abuse_signals IS 'One row per visitor, kind and hour, however many signals there were';
COMMENT ON COLUMN abuse_signals.visitor_id IS 'Null: a tenant''s own server, whoever asked through it';
COMMENT ON COLUMN abuse_signals.score IS 'The highest of the hour';
COMMENT ON COLUMN abuse_signals.reasons IS 'Object whose keys are the reasons';
COMMENT ON COLUMN abuse_signals.message_id IS 'The last question that gave the signal; no foreign key: a refused one is not stored';
CREATE UNIQUE INDEX abuse_signals_hourly ON abuse_signals (tenant_id, visitor_id, kind, hour) NULLS NOT DISTINCT;
CALL isolate_tenants('abuse_signals');

GRANT SELECT, INSERT, UPDATE, DELETE ON abuse_signals TO chatconnect_app;

-- migrate:down
