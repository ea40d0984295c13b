-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE tenants
    ADD COLUMN chunk_tokens integer CHECK (chunk_tokens BETWEEN 100 AND 2000),
    ADD COLUMN chunk_overlap integer CHECK (chunk_overlap >= 0);
COMMENT ON COLUMN tenants.chunk_tokens IS 'How long the chunks of its documents are; null: as long as they are by default';
COMMENT ON COLUMN tenants.chunk_overlap IS 'How many tokens of a chunk the next one repeats';

COMMENT ON COLUMN documents.metadata IS 'Object of texts, numbers and truth values that staff note; searches filter by it';
COMMENT ON COLUMN chunks.title IS 'The document''s title when it was processed; answers show the present one';

-- migrate:down
