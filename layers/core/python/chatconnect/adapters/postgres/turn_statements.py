"""The statements that begin and end turns. Each names the tenant, although the database would add it."""

from chatconnect.adapters.postgres.conversation_statements import CONVERSATION, MESSAGE

# The further answer that has the key, and its question.
SELECT_EARLIER_ANSWER = f"""
WITH answer AS (
    SELECT * FROM messages
    WHERE tenant_id = %(tenant)s AND role = 'assistant' AND visitor_id IS NOT DISTINCT FROM %(visitor)s::uuid
      AND (idempotency_key = %(key)s OR id = %(answer)s)
    ORDER BY idempotency_key = %(key)s DESC NULLS LAST
    LIMIT 1
), turn AS (
    SELECT m.* FROM messages m, answer WHERE m.tenant_id = %(tenant)s AND m.id = answer.parent_id
    UNION ALL
    SELECT * FROM answer
)
SELECT {CONVERSATION}, {MESSAGE}
FROM turn m JOIN conversations c ON c.tenant_id = %(tenant)s AND c.id = m.conversation_id
ORDER BY m.role = 'user' DESC
"""

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
SELECT {CONVERSATION}, {MESSAGE}
FROM turn m JOIN conversations c ON c.tenant_id = %(tenant)s AND c.id = m.conversation_id
ORDER BY m.role = 'user' DESC
"""

SELECT_KEYS_MESSAGE = """
SELECT id FROM messages
WHERE tenant_id = %(tenant)s AND visitor_id IS NOT DISTINCT FROM %(visitor)s::uuid AND idempotency_key = %(key)s
"""

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
# Never before the message that it follows, whatever the clocks of two servers say.
_FOLLOWING_QUESTION = """
    %(tenant)s, %(question)s, %(conversation)s, %(visitor)s::uuid, newest.id, 'user', 'complete', %(question_text)s,
    greatest(%(question_at)s, newest.created_at), greatest(%(question_at)s, newest.created_at), %(question_trace)s
"""
_INSERT_ANSWER_AT = """
    INSERT INTO messages AS stored (
        tenant_id, id, conversation_id, visitor_id, parent_id, role, status, text, created_at, completed_at, provider,
        model, input_tokens, output_tokens, cached_tokens, cost_microusd, first_token_ms, total_ms, usage_estimated,
        moderation, citations, finish_reason, error_code, trace_id, assistant_version, context, idempotency_key,
        cache_write_tokens, from_cache, timings)
    SELECT %(tenant)s, %(answer)s, %(conversation)s, %(visitor)s::uuid, %(question)s, 'assistant', %(status)s,
        %(answer_text)s, {answer_at}, %(completed_at)s::timestamptz, %(provider)s, %(model)s, %(input_tokens)s,
        %(output_tokens)s, %(cached_tokens)s, %(cost_microusd)s, %(first_token_ms)s, %(total_ms)s, %(estimated)s,
        %(moderation)s::jsonb, %(citations)s, %(finish_reason)s, %(error_code)s, %(trace)s, %(assistant_version)s,
        %(context)s::jsonb, %(answer_key)s, %(cache_write_tokens)s, %(from_cache)s, %(timings)s::jsonb
"""
_INSERT_ANSWER = _INSERT_ANSWER_AT.replace("{answer_at}", "%(answer_at)s")
_INSERT_FOLLOWING_ANSWER = _INSERT_ANSWER_AT.replace("{answer_at}", "greatest(%(answer_at)s, question.created_at)")
_INSERT_VISITOR = """
    INSERT INTO visitors (tenant_id, id, first_seen_at, last_seen_at)
    SELECT %(tenant)s, %(visitor)s::uuid, %(opened_at)s, %(opened_at)s
"""
_INSERT_CONVERSATION = """
    INSERT INTO conversations AS kept (tenant_id, id, assistant_id, visitor_id, state, metadata, created_at, updated_at,
                                       controls)
    SELECT %(tenant)s, %(conversation)s, %(assistant)s, %(visitor)s::uuid, %(state)s, %(metadata)s, %(opened_at)s,
           %(changed_at)s, %(controls)s
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
"""

_CHANGED = """
    UPDATE conversations SET updated_at = greatest(updated_at, %(changed_at)s)
    FROM question
    WHERE conversations.tenant_id = %(tenant)s AND conversations.id = %(conversation)s
"""

BEGIN_BRANCH = f"""
WITH question AS (
    {_INSERT_QUESTION} SELECT {_QUESTION}, %(key)s FROM conversations
    WHERE tenant_id = %(tenant)s AND id = %(conversation)s AND visitor_id IS NOT DISTINCT FROM %(visitor)s::uuid
    ON CONFLICT DO NOTHING RETURNING id
), changed AS ({_CHANGED}), answer AS (
    {_INSERT_ANSWER} FROM question
)
SELECT id FROM question
"""

# Turns that follow come one after the other. It is a statement of its own, because the next one has to see what the
# turn that held the lock has stored.
LOCK_CONVERSATION = """
SELECT FROM conversations WHERE tenant_id = %(tenant)s AND id = %(conversation)s FOR NO KEY UPDATE
"""

BEGIN_FOLLOWING = f"""
WITH newest AS (
    SELECT kept.id AS conversation, m.id, m.created_at
    FROM conversations kept
    LEFT JOIN LATERAL (
        SELECT id, created_at FROM messages
        WHERE tenant_id = %(tenant)s AND conversation_id = kept.id
        ORDER BY created_at DESC, sequence DESC
        LIMIT 1
    ) m ON true
    WHERE kept.tenant_id = %(tenant)s AND kept.id = %(conversation)s
      AND kept.visitor_id IS NOT DISTINCT FROM %(visitor)s::uuid
), question AS (
    {_INSERT_QUESTION} SELECT {_FOLLOWING_QUESTION}, %(key)s FROM newest
    ON CONFLICT DO NOTHING RETURNING id, created_at
), changed AS ({_CHANGED}), answer AS (
    {_INSERT_FOLLOWING_ANSWER} FROM question
)
SELECT id FROM question
"""

# A further answer. `question` is one that is stored already and belongs to this visitor.
BEGIN_REPEAT = f"""
WITH question AS (
    SELECT id FROM messages
    WHERE tenant_id = %(tenant)s AND conversation_id = %(conversation)s AND id = %(question)s AND role = 'user'
      AND visitor_id IS NOT DISTINCT FROM %(visitor)s::uuid
), changed AS ({_CHANGED}), answer AS (
    {_INSERT_ANSWER} FROM question
    ON CONFLICT DO NOTHING RETURNING id
)
SELECT id FROM answer
"""

# From the CTE `answer`, which holds the answer that counts, or nothing.
_ADD_TO_TOTALS = """
INSERT INTO usage_totals AS total (tenant_id, subject, subject_id, period, starts_on, answers, input_tokens,
                                   output_tokens, cached_tokens, cache_write_tokens, cost_microusd)
SELECT %(tenant)s, subject, subject_id, period, starts_on, %(answers)s, %(input_tokens)s, %(output_tokens)s,
       %(cached_tokens)s, %(cache_write_tokens)s, %(cost_microusd)s
FROM answer
CROSS JOIN (VALUES ('conversation', %(conversation)s::uuid), ('visitor', %(visitor)s::uuid), ('tenant', %(tenant)s))
    AS subjects (subject, subject_id)
CROSS JOIN (VALUES ('day', %(day)s::date), ('month', %(month)s::date)) AS periods (period, starts_on)
WHERE subject_id IS NOT NULL
ORDER BY subject, period -- in one order always, so that two answers never wait for each other in a circle
ON CONFLICT (tenant_id, subject, subject_id, period, starts_on) DO UPDATE SET
    answers = total.answers + excluded.answers,
    input_tokens = total.input_tokens + excluded.input_tokens,
    output_tokens = total.output_tokens + excluded.output_tokens,
    cached_tokens = total.cached_tokens + excluded.cached_tokens,
    cache_write_tokens = total.cache_write_tokens + excluded.cache_write_tokens,
    cost_microusd = total.cost_microusd + excluded.cost_microusd
"""

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
        usage_estimated = excluded.usage_estimated, moderation = excluded.moderation,
        citations = excluded.citations, finish_reason = excluded.finish_reason, error_code = excluded.error_code,
        trace_id = excluded.trace_id, assistant_version = excluded.assistant_version, context = excluded.context,
        cache_write_tokens = excluded.cache_write_tokens, from_cache = excluded.from_cache,
        timings = excluded.timings
    WHERE stored.status = 'pending' OR stored.error_code = 'answer_interrupted' -- given up, and here it comes
    RETURNING id
), visitor AS (
    {_INSERT_VISITOR} FROM answer WHERE %(visitor)s::uuid IS NOT NULL ON CONFLICT (tenant_id, id) DO NOTHING
), conversation AS (
    {_INSERT_CONVERSATION} FROM answer
    ON CONFLICT (tenant_id, id) DO UPDATE SET updated_at = greatest(kept.updated_at, excluded.updated_at)
)
{_ADD_TO_TOTALS}
"""

CLOSE_LOST = """
UPDATE messages SET status = 'failed', error_code = 'answer_interrupted', finish_reason = 'error', completed_at = now()
WHERE tenant_id = %(tenant)s AND status = 'pending' AND created_at < %(before)s
"""

INSERT_SUMMARY = f"""
WITH summary AS (
    INSERT INTO conversation_summaries (tenant_id, conversation_id, last_message_id, text, model, created_at)
    VALUES (%(tenant)s, %(conversation)s, %(last_message)s, %(summary_text)s, %(summary_model)s, %(summarised_at)s)
    ON CONFLICT DO NOTHING
), answer AS (
    UPDATE messages SET
        input_tokens = input_tokens + %(input_tokens)s, output_tokens = output_tokens + %(output_tokens)s,
        cached_tokens = cached_tokens + %(cached_tokens)s, cost_microusd = cost_microusd + %(cost_microusd)s,
        cache_write_tokens = cache_write_tokens + %(cache_write_tokens)s
    WHERE tenant_id = %(tenant)s AND id = %(answer)s
    RETURNING id
)
{_ADD_TO_TOTALS}
"""
