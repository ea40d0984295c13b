-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE curated_answers (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    assistant_id uuid,
    question text NOT NULL CHECK (question <> ''),
    answer text NOT NULL CHECK (answer <> ''),
    enabled boolean NOT NULL DEFAULT true,
    author_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, assistant_id) REFERENCES assistants (tenant_id, id),
    FOREIGN KEY (tenant_id, author_id) REFERENCES members (tenant_id, id) ON DELETE SET NULL (author_id)
);
COMMENT ON COLUMN curated_answers.assistant_id IS 'Null: for all of the tenant''s assistants';
CREATE INDEX ON curated_answers (tenant_id, assistant_id);
CREATE INDEX ON curated_answers (tenant_id, author_id);
CALL isolate_tenants('curated_answers');

CREATE TABLE question_topics (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    title text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CALL isolate_tenants('question_topics');

CREATE TABLE unanswered_questions (
    tenant_id uuid NOT NULL,
    message_id uuid NOT NULL,
    assistant_id uuid NOT NULL,
    question text NOT NULL,
    topic_id uuid,
    curated_answer_id uuid,
    dismissed_at timestamptz,
    asked_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, message_id),
    FOREIGN KEY (tenant_id, message_id) REFERENCES messages (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, assistant_id) REFERENCES assistants (tenant_id, id),
    FOREIGN KEY (tenant_id, topic_id) REFERENCES question_topics (tenant_id, id) ON DELETE SET NULL (topic_id),
    FOREIGN KEY (tenant_id, curated_answer_id)
        REFERENCES curated_answers (tenant_id, id) ON DELETE SET NULL (curated_answer_id)
);
CREATE INDEX ON unanswered_questions (tenant_id, assistant_id, asked_at);
CREATE INDEX ON unanswered_questions (tenant_id, topic_id);
CREATE INDEX ON unanswered_questions (tenant_id, curated_answer_id);
CALL isolate_tenants('unanswered_questions');

CREATE TABLE test_sets (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
CALL isolate_tenants('test_sets');

CREATE TABLE test_questions (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    test_set_id uuid NOT NULL,
    position integer NOT NULL CHECK (position >= 0),
    question text NOT NULL CHECK (question <> ''),
    expected text,
    document_ids uuid[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, test_set_id, id),
    FOREIGN KEY (tenant_id, test_set_id) REFERENCES test_sets (tenant_id, id) ON DELETE CASCADE
);
COMMENT ON COLUMN test_questions.document_ids IS 'Documents that a good answer cites';
CALL isolate_tenants('test_questions');

CREATE TABLE test_runs (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    test_set_id uuid NOT NULL,
    assistant_id uuid NOT NULL,
    assistant_version integer NOT NULL,
    status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'failed')),
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, test_set_id, id),
    FOREIGN KEY (tenant_id, test_set_id) REFERENCES test_sets (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, assistant_id, assistant_version)
        REFERENCES assistant_versions (tenant_id, assistant_id, number)
);
CREATE INDEX ON test_runs (tenant_id, assistant_id, assistant_version);
CALL isolate_tenants('test_runs');

CREATE TABLE test_results (
    tenant_id uuid NOT NULL,
    test_set_id uuid NOT NULL,
    test_run_id uuid NOT NULL,
    test_question_id uuid NOT NULL,
    answer text NOT NULL,
    citations jsonb NOT NULL DEFAULT '[]',
    passed boolean,
    cost_microusd bigint NOT NULL DEFAULT 0 CHECK (cost_microusd >= 0),
    total_ms integer,
    PRIMARY KEY (tenant_id, test_run_id, test_question_id),
    FOREIGN KEY (tenant_id, test_set_id, test_run_id)
        REFERENCES test_runs (tenant_id, test_set_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, test_set_id, test_question_id)
        REFERENCES test_questions (tenant_id, test_set_id, id) ON DELETE CASCADE
);
COMMENT ON COLUMN test_results.passed IS 'Null: not judged yet';
CREATE INDEX ON test_results (tenant_id, test_set_id, test_run_id);
CREATE INDEX ON test_results (tenant_id, test_set_id, test_question_id);
CALL isolate_tenants('test_results');

CREATE TABLE daily_analytics (
    tenant_id uuid NOT NULL,
    assistant_id uuid NOT NULL,
    day date NOT NULL,
    conversations integer NOT NULL DEFAULT 0,
    visitors integer NOT NULL DEFAULT 0,
    answers integer NOT NULL DEFAULT 0,
    unanswered integer NOT NULL DEFAULT 0,
    handovers integer NOT NULL DEFAULT 0,
    resolved integer NOT NULL DEFAULT 0,
    thumbs_up integer NOT NULL DEFAULT 0,
    thumbs_down integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    first_token_ms_p50 integer,
    first_token_ms_p95 integer,
    total_ms_p50 integer,
    total_ms_p95 integer,
    input_tokens bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    cached_tokens bigint NOT NULL DEFAULT 0,
    cost_microusd bigint NOT NULL DEFAULT 0,
    computed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, assistant_id, day),
    FOREIGN KEY (tenant_id, assistant_id) REFERENCES assistants (tenant_id, id)
);
COMMENT ON TABLE daily_analytics IS 'One row per assistant and UTC day, computed by a job; can be computed again at any time';
CREATE INDEX ON daily_analytics (tenant_id, day);
CALL isolate_tenants('daily_analytics');

GRANT SELECT, INSERT, UPDATE, DELETE ON curated_answers, question_topics, unanswered_questions, test_sets, test_questions,
    test_runs, test_results, daily_analytics TO chatconnect_app;

-- migrate:down
