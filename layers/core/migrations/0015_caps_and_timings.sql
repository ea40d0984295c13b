-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE messages ADD COLUMN timings jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN messages.timings IS 'On answers: object of steps and the milliseconds that each took';

-- Nobody has read or written it so far.
-- squawk-ignore ban-drop-table
DROP TABLE spend_caps;

CREATE TABLE spend_caps (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    measure text NOT NULL CHECK (measure IN ('messages', 'tokens', 'money')),
    period text NOT NULL CHECK (period IN ('minute', 'hour', 'day', 'month')),
    hard bigint NOT NULL CHECK (hard > 0),
    warns_from bigint CHECK (warns_from > 0),
    PRIMARY KEY (tenant_id, measure, period),
    CHECK (warns_from <= hard)
);
COMMENT ON TABLE spend_caps IS 'A tenant''s own caps, below those of its plan; money in millionths of a US dollar';
COMMENT ON COLUMN spend_caps.warns_from IS 'Null: from most of it on';
CALL isolate_tenants('spend_caps');

GRANT SELECT, INSERT, UPDATE, DELETE ON spend_caps TO chatconnect_app;

-- migrate:down
