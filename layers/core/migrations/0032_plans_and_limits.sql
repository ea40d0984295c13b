-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE plans
    ADD COLUMN documents integer CHECK (documents > 0),
    ADD COLUMN storage_bytes bigint CHECK (storage_bytes > 0),
    ADD COLUMN members integer CHECK (members > 0),
    ADD COLUMN price text NOT NULL DEFAULT '';
COMMENT ON COLUMN plans.allowed_models IS 'What may be asked at the providers themselves, by whichever key';
COMMENT ON COLUMN plans.storage_bytes IS 'What the files of a tenant''s documents may take together, all their versions that are kept';
COMMENT ON COLUMN plans.price IS 'For people; nothing is computed from it';

UPDATE plans
SET allowed_models = '{gpt-5.4-mini,gpt-5-mini,gpt-5-nano,gpt-4.1-mini,gpt-4o-mini}',
    features = '{tools,mcp,handover,webhooks,analytics}',
    documents = 1000, storage_bytes = 5368709120, members = 10, price = 'free of charge'
WHERE name = 'free';

UPDATE plans
SET allowed_models = '{claude-sonnet-4-6,claude-sonnet-4-5,claude-haiku-4-5,gpt-4o,gpt-5.4-mini,gpt-5-mini,gpt-5-nano,gpt-4.1-mini,gpt-4o-mini}',
    features = '{tools,mcp,handover,webhooks,analytics,branding}',
    documents = 20000, storage_bytes = 107374182400, members = 100, price = '99 US dollars a month'
WHERE name = 'paid';

INSERT INTO plans (name, requests_per_minute, provider, model, allowed_models, features, price)
SELECT 'enterprise', 5000, provider, model, allowed_models, features, 'by agreement' FROM plans WHERE name = 'paid';

-- A tenant caps its visitors, conversations and keys too. The table is small: one key is soon put in place of the other.
ALTER TABLE spend_caps ADD COLUMN subject text NOT NULL DEFAULT 'tenant'
    CHECK (subject IN ('tenant', 'key', 'visitor', 'conversation'));
COMMENT ON COLUMN spend_caps.subject IS 'For whom: the whole tenant, or each of its keys, visitors, conversations';
-- squawk-ignore ban-drop-constraint
ALTER TABLE spend_caps DROP CONSTRAINT spend_caps_pkey;
-- squawk-ignore constraint-missing-not-valid, adding-serial-primary-key-field
ALTER TABLE spend_caps ADD PRIMARY KEY (tenant_id, subject, measure, period);

-- migrate:down
