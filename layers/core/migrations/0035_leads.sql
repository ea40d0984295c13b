-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE leads (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    widget_id uuid NOT NULL,
    visitor_id uuid NOT NULL,
    fields jsonb NOT NULL CHECK (jsonb_typeof(fields) = 'object'),
    consent text CHECK (consent <> ''),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, visitor_id, widget_id)
);
COMMENT ON TABLE leads IS 'What visitors left of themselves in a widget''s form. No foreign keys: a visitor may not have asked yet, and a widget may be gone';
COMMENT ON COLUMN leads.consent IS 'What the visitor agreed to, word for word; null: they were not asked';
CREATE INDEX ON leads (tenant_id, created_at, id);
CALL isolate_tenants('leads');
CALL audit_changes('leads', '{"object": "lead", "private": ["fields"]}', 'DELETE');

GRANT SELECT, INSERT, UPDATE, DELETE ON leads TO chatconnect_app;

-- migrate:down
