-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE visitors (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    external_id text,
    name text,
    email text,
    metadata jsonb NOT NULL DEFAULT '{}',
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
COMMENT ON COLUMN visitors.external_id IS 'The tenant''s own id of a logged-in visitor, from a signed identity';
CREATE UNIQUE INDEX ON visitors (tenant_id, external_id) WHERE external_id IS NOT NULL;
CALL isolate_tenants('visitors');

CREATE TABLE blocked_visitors (
    tenant_id uuid NOT NULL,
    visitor_id uuid NOT NULL,
    reason text NOT NULL DEFAULT '',
    blocked_by uuid,
    blocked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, visitor_id),
    FOREIGN KEY (tenant_id, visitor_id) REFERENCES visitors (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, blocked_by) REFERENCES members (tenant_id, id) ON DELETE SET NULL (blocked_by)
);
COMMENT ON COLUMN blocked_visitors.blocked_by IS 'Null: blocked by a rule';
CREATE INDEX ON blocked_visitors (tenant_id, blocked_by);
CALL isolate_tenants('blocked_visitors');

CREATE TABLE abuse_signals (
    tenant_id uuid NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    visitor_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('repeated_messages', 'automated_client', 'probing', 'injection')),
    details jsonb NOT NULL DEFAULT '{}',
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, visitor_id) REFERENCES visitors (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX ON abuse_signals (tenant_id, visitor_id, seen_at);
CALL isolate_tenants('abuse_signals');

CREATE TABLE conversations (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    assistant_id uuid NOT NULL,
    visitor_id uuid,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'handed_over', 'archived')),
    metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, assistant_id) REFERENCES assistants (tenant_id, id),
    FOREIGN KEY (tenant_id, visitor_id) REFERENCES visitors (tenant_id, id)
);
COMMENT ON COLUMN conversations.visitor_id IS 'Null: held by a tenant''s own server';
CREATE INDEX ON conversations (tenant_id, updated_at);
CREATE INDEX ON conversations (tenant_id, visitor_id, updated_at);
CREATE INDEX ON conversations (tenant_id, assistant_id, updated_at);
CALL isolate_tenants('conversations');

CREATE TABLE messages (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    visitor_id uuid,
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    parent_id uuid,
    role text NOT NULL CHECK (role IN ('user', 'assistant', 'staff')),
    author_id uuid,
    status text NOT NULL CHECK (status IN ('pending', 'complete', 'partial', 'failed')),
    text text NOT NULL,
    created_at timestamptz NOT NULL,
    completed_at timestamptz,
    provider text,
    model text,
    assistant_version integer,
    input_tokens integer NOT NULL DEFAULT 0 CHECK (input_tokens >= 0),
    output_tokens integer NOT NULL DEFAULT 0 CHECK (output_tokens >= 0),
    cached_tokens integer NOT NULL DEFAULT 0 CHECK (cached_tokens >= 0),
    cost_microusd bigint NOT NULL DEFAULT 0 CHECK (cost_microusd >= 0),
    first_token_ms integer CHECK (first_token_ms >= 0),
    total_ms integer CHECK (total_ms >= 0),
    citations jsonb NOT NULL DEFAULT '[]',
    moderation jsonb,
    context jsonb,
    finish_reason text,
    error_code text,
    trace_id text,
    idempotency_key text CHECK (length(idempotency_key) BETWEEN 1 AND 255),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, conversation_id, id),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, conversation_id, parent_id) REFERENCES messages (tenant_id, conversation_id, id),
    FOREIGN KEY (tenant_id, author_id) REFERENCES members (tenant_id, id) ON DELETE SET NULL (author_id)
);
COMMENT ON TABLE messages IS 'A tree: parent_id is a message of the same conversation, null at a root';
COMMENT ON COLUMN messages.visitor_id IS 'The conversation''s visitor again, for checks and keys that need no join';
COMMENT ON COLUMN messages.sequence IS 'Orders messages of the same instant as they were stored';
COMMENT ON COLUMN messages.context IS 'What the prompt of an answer was made of, so that it can be rebuilt';
COMMENT ON COLUMN messages.cost_microusd IS 'Millionths of a US dollar';
COMMENT ON COLUMN messages.idempotency_key IS 'On questions: the client''s own name for the request';
CREATE INDEX ON messages (tenant_id, conversation_id, created_at, sequence);
CREATE INDEX ON messages (tenant_id, conversation_id, parent_id);
CREATE INDEX ON messages (tenant_id, author_id) WHERE author_id IS NOT NULL;
CREATE INDEX ON messages (tenant_id, created_at) WHERE status = 'pending';
CREATE INDEX messages_text_search ON messages USING gin (to_tsvector('simple', text));
-- One null visitor counts like any other: a server's keys are unique among its tenant's servers.
CREATE UNIQUE INDEX messages_idempotency_key ON messages (tenant_id, visitor_id, idempotency_key) NULLS NOT DISTINCT
    WHERE idempotency_key IS NOT NULL;
CALL isolate_tenants('messages');

CREATE TABLE conversation_summaries (
    tenant_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    last_message_id uuid NOT NULL,
    text text NOT NULL,
    model text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, conversation_id, last_message_id),
    FOREIGN KEY (tenant_id, conversation_id, last_message_id)
        REFERENCES messages (tenant_id, conversation_id, id) ON DELETE CASCADE
);
COMMENT ON TABLE conversation_summaries IS 'What fell out of the window: the branch up to and including last_message_id';
CALL isolate_tenants('conversation_summaries');

CREATE TABLE feedback (
    tenant_id uuid NOT NULL,
    message_id uuid NOT NULL,
    rating text NOT NULL CHECK (rating IN ('up', 'down')),
    reason text,
    text text,
    given_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, message_id),
    FOREIGN KEY (tenant_id, message_id) REFERENCES messages (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX ON feedback (tenant_id, given_at);
CALL isolate_tenants('feedback');

CREATE TABLE handovers (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    requested_by text NOT NULL CHECK (requested_by IN ('visitor', 'assistant', 'rule', 'staff')),
    reason text NOT NULL DEFAULT '',
    member_id uuid,
    external_reference text,
    requested_at timestamptz NOT NULL DEFAULT now(),
    accepted_at timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, conversation_id) REFERENCES conversations (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id) ON DELETE SET NULL (member_id)
);
COMMENT ON COLUMN handovers.external_reference IS 'What an outside CRM calls the conversation';
CREATE UNIQUE INDEX handovers_one_open ON handovers (tenant_id, conversation_id) WHERE ended_at IS NULL;
CREATE INDEX ON handovers (tenant_id, conversation_id);
CREATE INDEX ON handovers (tenant_id, member_id);
CALL isolate_tenants('handovers');

GRANT SELECT, INSERT, UPDATE, DELETE ON visitors, blocked_visitors, abuse_signals, conversations, messages,
    conversation_summaries, feedback, handovers TO chatconnect_app;

-- migrate:down
