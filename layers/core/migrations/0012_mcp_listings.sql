-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

-- What a server offered when it was last asked, so that no answer has to wait for it.
ALTER TABLE mcp_servers ADD COLUMN listing jsonb;
ALTER TABLE mcp_servers ADD COLUMN checked_at timestamptz;
ALTER TABLE mcp_servers ADD COLUMN failure text;
ALTER TABLE mcp_servers ADD CONSTRAINT mcp_servers_name_check1
    CHECK (name ~ '^[a-zA-Z0-9-]{1,32}$') NOT VALID;
COMMENT ON TABLE mcp_servers IS 'MCP servers of a tenant whose tools a model may call';
COMMENT ON COLUMN mcp_servers.secret IS 'JSON object of the headers to send, sealed with the key that secret_key names';
COMMENT ON COLUMN mcp_servers.listing IS 'Protocol, tools, moment and number of tools left out; null: it never answered';
COMMENT ON COLUMN mcp_servers.checked_at IS 'When its tools were last asked for';
COMMENT ON COLUMN mcp_servers.failure IS 'Why that came to nothing, in words for staff';

-- migrate:down
