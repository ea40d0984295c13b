-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE document_versions
    ADD COLUMN embedding_model text CHECK (embedding_model <> ''),
    ADD COLUMN embedding_tokens bigint NOT NULL DEFAULT 0,
    ADD COLUMN embedding_cost_microusd bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN document_versions.embedding_model IS 'Whose vectors the points of its chunks have; null: there are no chunks yet';
COMMENT ON COLUMN document_versions.embedding_tokens IS 'What was embedded for it, each time counted, about';

ALTER TABLE usage_totals
    ADD COLUMN embedding_tokens bigint NOT NULL DEFAULT 0,
    ADD COLUMN embedding_cost_microusd bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN usage_totals.embedding_cost_microusd IS 'Of documents, on the day they were embedded; not in cost_microusd, which is that of answers';

-- migrate:down
