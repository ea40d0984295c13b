"""The statements of PostgresConversations. Each names the tenant, although the database would add it."""

_CONVERSATION = """
    c.tenant_id, c.id AS conversation_id, c.assistant_id, c.visitor_id, c.state, c.metadata,
    c.created_at AS opened_at, c.updated_at AS changed_at
"""

_MESSAGE = """
    m.id, m.parent_id, m.role, m.status, m.text, m.created_at, m.completed_at, m.provider, m.model, m.input_tokens,
    m.output_tokens, m.cached_tokens, m.cost_microusd, m.first_token_ms, m.total_ms, m.citations, m.finish_reason,
    m.error_code, m.trace_id
"""

SELECT_CONVERSATION = f"""
SELECT {_CONVERSATION} FROM conversations c
WHERE c.tenant_id = %(tenant)s AND c.id = %(id)s AND (%(visitor)s::uuid IS NULL OR c.visitor_id = %(visitor)s)
"""  # noqa: S608 - the pieces are constants of this module

SELECT_NEWEST = f"""
SELECT {_CONVERSATION} FROM conversations c
WHERE c.tenant_id = %(tenant)s AND (%(visitor)s::uuid IS NULL OR c.visitor_id = %(visitor)s)
  AND (%(before)s::timestamptz IS NULL OR c.updated_at < %(before)s)
ORDER BY c.updated_at DESC, c.id DESC
LIMIT %(limit)s
"""  # noqa: S608

# From the leaf upwards, at most `limit` steps. One row without a message when the branch is empty.
SELECT_PATH = f"""
WITH RECURSIVE wanted AS (
    SELECT * FROM conversations
    WHERE tenant_id = %(tenant)s AND id = %(id)s AND (%(visitor)s::uuid IS NULL OR visitor_id = %(visitor)s)
), leaf AS (
    SELECT m.id FROM messages m, wanted
    WHERE m.tenant_id = %(tenant)s AND m.conversation_id = wanted.id AND (%(leaf)s::uuid IS NULL OR m.id = %(leaf)s)
    ORDER BY m.created_at DESC, m.sequence DESC
    LIMIT 1
), branch AS (
    SELECT m.*, 1 AS step FROM messages m, leaf WHERE m.tenant_id = %(tenant)s AND m.id = leaf.id
    UNION ALL
    SELECT m.*, branch.step + 1 FROM messages m JOIN branch ON m.id = branch.parent_id
    WHERE m.tenant_id = %(tenant)s AND branch.step < %(limit)s
)
SELECT {_CONVERSATION}, {_MESSAGE} FROM wanted c LEFT JOIN branch m ON true ORDER BY m.step DESC
"""  # noqa: S608

SELECT_MESSAGE = f"""
SELECT m.conversation_id, {_MESSAGE} FROM messages m
WHERE m.tenant_id = %(tenant)s AND m.id = %(id)s AND (%(visitor)s::uuid IS NULL OR m.visitor_id = %(visitor)s)
"""  # noqa: S608

# The question that has the key, or the very same question, and the first answer to it.
SELECT_EARLIER_TURN = f"""
WITH question AS (
    SELECT * FROM messages
    WHERE tenant_id = %(tenant)s AND role = 'user' AND visitor_id IS NOT DISTINCT FROM %(visitor)s::uuid
      AND (idempotency_key = %(key)s OR id = %(question)s)
    ORDER BY idempotency_key = %(key)s DESC NULLS LAST
    LIMIT 1
), answer AS (
    SELECT m.* FROM messages m, question
    WHERE m.tenant_id = %(tenant)s AND m.conversation_id = question.conversation_id AND m.parent_id = question.id
      AND m.role = 'assistant'
    ORDER BY m.sequence
    LIMIT 1
), turn AS (
    SELECT * FROM question UNION ALL SELECT * FROM answer
)
SELECT {_CONVERSATION}, {_MESSAGE}
FROM turn m JOIN conversations c ON c.tenant_id = %(tenant)s AND c.id = m.conversation_id
ORDER BY m.role = 'user' DESC
"""  # noqa: S608

# Foreign keys are checked when the whole statement is done, so a conversation may follow its first question;
# and everything hangs on the question, which a used idempotency key keeps out.
_INSERT_QUESTION = """
    INSERT INTO messages (tenant_id, id, conversation_id, visitor_id, parent_id, role, status, text, created_at,
                          completed_at, trace_id, idempotency_key)
"""
_QUESTION = """
    %(tenant)s, %(question)s, %(conversation)s, %(visitor)s::uuid, %(question_parent)s::uuid, 'user', 'complete',
    %(question_text)s, %(question_at)s, %(question_at)s, %(question_trace)s
"""
_INSERT_ANSWER = """
    INSERT INTO messages AS stored (
        tenant_id, id, conversation_id, visitor_id, parent_id, role, status, text, created_at, completed_at, provider,
        model, input_tokens, output_tokens, cached_tokens, cost_microusd, first_token_ms, total_ms, citations,
        finish_reason, error_code, trace_id)
    SELECT %(tenant)s, %(answer)s, %(conversation)s, %(visitor)s::uuid, %(question)s, 'assistant', %(status)s,
        %(answer_text)s, %(answer_at)s, %(completed_at)s::timestamptz, %(provider)s, %(model)s, %(input_tokens)s,
        %(output_tokens)s, %(cached_tokens)s, %(cost_microusd)s, %(first_token_ms)s, %(total_ms)s, %(citations)s,
        %(finish_reason)s, %(error_code)s, %(trace)s
"""
_INSERT_VISITOR = """
    INSERT INTO visitors (tenant_id, id, first_seen_at, last_seen_at)
    SELECT %(tenant)s, %(visitor)s::uuid, %(opened_at)s, %(opened_at)s
"""
_INSERT_CONVERSATION = """
    INSERT INTO conversations AS kept (tenant_id, id, assistant_id, visitor_id, state, metadata, created_at, updated_at)
    SELECT %(tenant)s, %(conversation)s, %(assistant)s, %(visitor)s::uuid, %(state)s, %(metadata)s, %(opened_at)s,
           %(changed_at)s
"""

OPEN_CONVERSATION_AND_BEGIN = f"""
WITH question AS (
    {_INSERT_QUESTION} VALUES ({_QUESTION}, %(key)s) ON CONFLICT DO NOTHING RETURNING id
), visitor AS (
    {_INSERT_VISITOR} FROM question WHERE %(visitor)s::uuid IS NOT NULL
    ON CONFLICT (tenant_id, id) DO UPDATE SET last_seen_at = greatest(visitors.last_seen_at, excluded.last_seen_at)
), conversation AS (
    {_INSERT_CONVERSATION} FROM question
), answer AS (
    {_INSERT_ANSWER} FROM question
)
SELECT id FROM question
"""  # noqa: S608

BEGIN = f"""
WITH question AS (
    {_INSERT_QUESTION} SELECT {_QUESTION}, %(key)s FROM conversations
    WHERE tenant_id = %(tenant)s AND id = %(conversation)s AND visitor_id IS NOT DISTINCT FROM %(visitor)s::uuid
    ON CONFLICT DO NOTHING RETURNING id
), changed AS (
    UPDATE conversations SET updated_at = greatest(updated_at, %(changed_at)s)
    FROM question
    WHERE conversations.tenant_id = %(tenant)s AND conversations.id = %(conversation)s
), answer AS (
    {_INSERT_ANSWER} FROM question
)
SELECT id FROM question
"""  # noqa: S608

# The answer is taken once: a second completion finds no pending row, so `answer` and with it the totals stay empty.
# A key that another question has taken meanwhile is not stored again. The answer waits for the question's insert, so
# that their sequence is right.
COMPLETE = f"""
WITH question AS (
    {_INSERT_QUESTION}
    SELECT {_QUESTION}, CASE WHEN NOT EXISTS (
        SELECT FROM messages
        WHERE tenant_id = %(tenant)s AND visitor_id IS NOT DISTINCT FROM %(visitor)s::uuid AND idempotency_key = %(key)s
    ) THEN %(key)s END
    ON CONFLICT (tenant_id, id) DO NOTHING
    RETURNING id
), answer AS (
    {_INSERT_ANSWER} FROM (SELECT count(*) FROM question) AS asked
    ON CONFLICT (tenant_id, id) DO UPDATE SET
        status = excluded.status, text = excluded.text, completed_at = excluded.completed_at,
        provider = excluded.provider, model = excluded.model, input_tokens = excluded.input_tokens,
        output_tokens = excluded.output_tokens, cached_tokens = excluded.cached_tokens,
        cost_microusd = excluded.cost_microusd, first_token_ms = excluded.first_token_ms, total_ms = excluded.total_ms,
        citations = excluded.citations, finish_reason = excluded.finish_reason, error_code = excluded.error_code,
        trace_id = excluded.trace_id
    WHERE stored.status = 'pending'
    RETURNING id
), visitor AS (
    {_INSERT_VISITOR} FROM answer WHERE %(visitor)s::uuid IS NOT NULL ON CONFLICT (tenant_id, id) DO NOTHING
), conversation AS (
    {_INSERT_CONVERSATION} FROM answer
    ON CONFLICT (tenant_id, id) DO UPDATE SET updated_at = greatest(kept.updated_at, excluded.updated_at)
)
INSERT INTO usage_totals AS total (tenant_id, subject, subject_id, period, starts_on, answers, input_tokens,
                                   output_tokens, cached_tokens, cost_microusd)
SELECT %(tenant)s, subject, subject_id, period, starts_on, 1, %(input_tokens)s, %(output_tokens)s, %(cached_tokens)s,
       %(cost_microusd)s
FROM answer
CROSS JOIN (VALUES ('conversation', %(conversation)s::uuid), ('visitor', %(visitor)s::uuid), ('tenant', %(tenant)s))
    AS subjects (subject, subject_id)
CROSS JOIN (VALUES ('day', %(day)s::date), ('month', %(month)s::date)) AS periods (period, starts_on)
WHERE subject_id IS NOT NULL
ORDER BY subject, period -- in one order always, so that two answers never wait for each other in a circle
ON CONFLICT (tenant_id, subject, subject_id, period, starts_on) DO UPDATE SET
    answers = total.answers + 1,
    input_tokens = total.input_tokens + excluded.input_tokens,
    output_tokens = total.output_tokens + excluded.output_tokens,
    cached_tokens = total.cached_tokens + excluded.cached_tokens,
    cost_microusd = total.cost_microusd + excluded.cost_microusd
"""  # noqa: S608

UPSERT_FEEDBACK = """
INSERT INTO feedback (tenant_id, message_id, rating, reason, text)
SELECT tenant_id, id, %(rating)s, %(reason)s, %(text)s FROM messages
WHERE tenant_id = %(tenant)s AND id = %(id)s AND role = 'assistant'
  AND (%(visitor)s::uuid IS NULL OR visitor_id = %(visitor)s)
ON CONFLICT (tenant_id, message_id) DO UPDATE SET
    rating = excluded.rating, reason = excluded.reason, text = excluded.text, given_at = now()
"""
