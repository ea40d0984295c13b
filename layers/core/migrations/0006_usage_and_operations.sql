-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE usage_totals (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    subject text NOT NULL CHECK (subject IN ('tenant', 'visitor', 'conversation')),
    subject_id uuid NOT NULL,
    period text NOT NULL CHECK (period IN ('day', 'month')),
    starts_on date NOT NULL CHECK (period = 'day' OR extract(day FROM starts_on) = 1),
    answers bigint NOT NULL DEFAULT 0,
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    cached_tokens bigint NOT NULL DEFAULT 0,
    cost_microusd bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, subject, subject_id, period, starts_on)
);
COMMENT ON TABLE usage_totals IS 'Running totals, in UTC days and months of when an answer began; each answer is added once';
CALL isolate_tenants('usage_totals');

CREATE TABLE spend_caps (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    subject text NOT NULL CHECK (subject IN ('tenant', 'visitor', 'conversation')),
    measure text NOT NULL CHECK (measure IN ('messages', 'tokens', 'microusd')),
    period text NOT NULL CHECK (period IN ('minute', 'hour', 'day', 'month')),
    soft bigint CHECK (soft > 0),
    hard bigint CHECK (hard > 0),
    PRIMARY KEY (tenant_id, subject, measure, period),
    CHECK (soft IS NOT NULL OR hard IS NOT NULL),
    CHECK (soft <= hard)
);
COMMENT ON TABLE spend_caps IS 'A tenant''s own quotas, below those of its plan: soft warns, hard refuses';
CALL isolate_tenants('spend_caps');

CREATE TABLE webhooks (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    direction text NOT NULL CHECK (direction IN ('outgoing', 'incoming')),
    url text CHECK (url ~ '^https?://'),
    events text[] NOT NULL DEFAULT '{}',
    secret bytea NOT NULL,
    secret_key text NOT NULL,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CHECK ((direction = 'outgoing') = (url IS NOT NULL))
);
COMMENT ON COLUMN webhooks.secret IS 'What deliveries are signed with, sealed with the key that secret_key names';
CALL isolate_tenants('webhooks');

CREATE TABLE webhook_deliveries (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    event text NOT NULL,
    payload jsonb NOT NULL,
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_attempt_at timestamptz,
    response_status integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhooks (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX ON webhook_deliveries (tenant_id, webhook_id, created_at);
CREATE INDEX ON webhook_deliveries (tenant_id, next_attempt_at) WHERE delivered_at IS NULL;
CALL isolate_tenants('webhook_deliveries');

CREATE TABLE audit_log (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    actor_kind text NOT NULL CHECK (actor_kind IN ('member', 'key', 'operator', 'system')),
    actor_id uuid,
    action text NOT NULL CHECK (action <> ''),
    target_kind text NOT NULL,
    target_id uuid,
    details jsonb NOT NULL DEFAULT '{}',
    trace_id text,
    happened_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
COMMENT ON TABLE audit_log IS 'Who changed what. The application may add and read, never change or remove';
CREATE INDEX ON audit_log (tenant_id, happened_at);
CREATE INDEX ON audit_log (tenant_id, target_kind, target_id);
CALL isolate_tenants('audit_log');

CREATE TABLE data_requests (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('export', 'erase')),
    visitor_id uuid NOT NULL,
    requested_by uuid,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done', 'failed')),
    receipt jsonb,
    requested_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, requested_by) REFERENCES members (tenant_id, id) ON DELETE SET NULL (requested_by),
    CHECK ((status = 'done') = (receipt IS NOT NULL))
);
COMMENT ON COLUMN data_requests.visitor_id IS 'No foreign key: the receipt outlives the visitor';
COMMENT ON COLUMN data_requests.receipt IS 'What was exported or erased, where, and how much of it';
CREATE INDEX ON data_requests (tenant_id, visitor_id);
CREATE INDEX ON data_requests (tenant_id, requested_by);
CALL isolate_tenants('data_requests');

GRANT SELECT, INSERT ON audit_log TO chatconnect_app;
GRANT SELECT, INSERT, UPDATE ON data_requests TO chatconnect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON usage_totals, spend_caps, webhooks, webhook_deliveries TO chatconnect_app;

-- migrate:down
