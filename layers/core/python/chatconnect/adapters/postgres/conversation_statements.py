"""The statements that read and change conversations. Each names the tenant, although the database would add it."""

CONVERSATION = """
    c.tenant_id, c.id AS conversation_id, c.assistant_id, c.visitor_id, c.state, c.metadata,
    c.created_at AS opened_at, c.updated_at AS changed_at, c.forked_from, c.controls
"""

MESSAGE = """
    m.id, m.parent_id, m.role, m.status, m.text, m.created_at, m.completed_at, m.provider, m.model, m.input_tokens,
    m.output_tokens, m.cached_tokens, m.cost_microusd, m.first_token_ms, m.total_ms, m.usage_estimated, m.moderation,
    m.citations, m.finish_reason, m.error_code, m.trace_id, m.assistant_version, m.cache_write_tokens, m.from_cache,
    m.timings
"""

SELECT_CONVERSATION = f"""
SELECT {CONVERSATION} FROM conversations c
WHERE c.tenant_id = %(tenant)s AND c.id = %(id)s AND (%(visitor)s::uuid IS NULL OR c.visitor_id = %(visitor)s)
"""

# Two statements, for each has an index of its own, which a plan for whatever visitor, or none, could not choose.
# CASE, because row-level security lets nothing by coalesce into an index's condition.
_NEWEST = f"""
SELECT {CONVERSATION} FROM conversations c
WHERE c.tenant_id = %(tenant)s
  AND c.updated_at <= CASE WHEN %(at)s::timestamptz IS NULL THEN 'infinity' ELSE %(at)s END
  AND (%(at)s::timestamptz IS NULL OR (c.updated_at, c.id) < (%(at)s::timestamptz, %(id)s::uuid))
"""
_NEWEST_FIRST = "ORDER BY c.updated_at DESC, c.id DESC LIMIT %(limit)s"
SELECT_NEWEST = f"{_NEWEST} {_NEWEST_FIRST}"
SELECT_NEWEST_OF_VISITOR = f"{_NEWEST} AND c.visitor_id = %(visitor)s {_NEWEST_FIRST}"

_BRANCH = """
WITH RECURSIVE wanted AS (
    SELECT * FROM conversations
    WHERE tenant_id = %(tenant)s AND id = %(id)s AND (%(visitor)s::uuid IS NULL OR visitor_id = %(visitor)s)
), leaf AS (
    SELECT newest.id FROM wanted, LATERAL (
        SELECT m.id FROM messages m
        WHERE m.tenant_id = %(tenant)s AND m.conversation_id = wanted.id AND (%(leaf)s::uuid IS NULL OR m.id = %(leaf)s)
        ORDER BY m.created_at DESC, m.sequence DESC
        LIMIT 1
    ) newest
), branch AS (
    SELECT m.*, 1 AS step FROM messages m, leaf WHERE m.tenant_id = %(tenant)s AND m.id = leaf.id
    UNION ALL
    SELECT m.*, branch.step + 1 FROM messages m JOIN branch ON m.id = branch.parent_id
    WHERE m.tenant_id = %(tenant)s AND branch.step < %(depth)s
      AND (%(since)s::timestamptz IS NULL OR branch.created_at >= %(since)s)
)
"""

# From the leaf upwards, leaf first. One row without a message when the branch is empty.
SELECT_PATH = f"""{_BRANCH}
SELECT {CONVERSATION}, {MESSAGE} FROM wanted c LEFT JOIN branch m ON true ORDER BY m.step
"""

# One row without a message when none of the branch lies in the window.
SELECT_WINDOW = f"""{_BRANCH}
SELECT {CONVERSATION}, {MESSAGE}
FROM wanted c
LEFT JOIN branch m ON (%(since)s::timestamptz IS NULL OR m.created_at >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR m.created_at < %(until)s)
ORDER BY m.step
LIMIT %(limit)s
"""

SELECT_NEWEST_AFTER = """
WITH RECURSIVE after AS (
    SELECT m.id, m.created_at, m.sequence FROM messages m
    WHERE m.tenant_id = %(tenant)s AND m.conversation_id = %(id)s AND m.id = %(message)s
      AND (%(visitor)s::uuid IS NULL OR m.visitor_id = %(visitor)s)
    UNION ALL
    SELECT child.id, child.created_at, child.sequence FROM messages child JOIN after ON child.parent_id = after.id
    WHERE child.tenant_id = %(tenant)s AND child.conversation_id = %(id)s
)
SELECT id FROM after ORDER BY created_at DESC, sequence DESC LIMIT 1
"""

SELECT_SIBLINGS = """
SELECT m.id, m.parent_id, m.status FROM messages m
WHERE m.tenant_id = %(tenant)s AND m.conversation_id = %(id)s
  AND (m.parent_id = ANY (%(parents)s) OR (%(root)s AND m.parent_id IS NULL))
ORDER BY m.created_at, m.sequence
"""

# A branch's length is the way from its leaf to the root.
SELECT_BRANCHES = """
WITH RECURSIVE leaf AS (
    SELECT m.tenant_id, m.id, m.parent_id, m.text, m.role, m.sequence,
           coalesce(m.completed_at, m.created_at) AS changed_at
    FROM messages m
    WHERE m.tenant_id = %(tenant)s AND m.conversation_id = %(id)s
      AND NOT EXISTS (
        SELECT FROM messages child
        WHERE child.tenant_id = m.tenant_id AND child.conversation_id = m.conversation_id AND child.parent_id = m.id
      )
    ORDER BY changed_at DESC, m.sequence DESC
    LIMIT %(limit)s
), way AS (
    SELECT id AS leaf_id, parent_id, 1 AS messages FROM leaf
    UNION ALL
    SELECT way.leaf_id, m.parent_id, way.messages + 1
    FROM way JOIN messages m ON m.tenant_id = %(tenant)s AND m.id = way.parent_id
), length AS (
    SELECT leaf_id, max(messages) AS messages FROM way GROUP BY leaf_id
)
SELECT leaf.id AS leaf_id, left(CASE WHEN leaf.role = 'user' THEN leaf.text ELSE coalesce(asked.text, '') END, 120)
    AS preview, length.messages, leaf.changed_at
FROM leaf
JOIN length ON length.leaf_id = leaf.id
LEFT JOIN messages asked ON asked.tenant_id = leaf.tenant_id AND asked.id = leaf.parent_id
ORDER BY leaf.changed_at DESC, leaf.sequence DESC
"""

# Copies keep text, times and citations; what they cost was counted once. Summaries of what was copied come along.
FORK = f"""
WITH RECURSIVE leaf AS (
    SELECT * FROM messages
    WHERE tenant_id = %(tenant)s AND id = %(message)s AND (%(visitor)s::uuid IS NULL OR visitor_id = %(visitor)s)
), branch AS (
    SELECT leaf.*, 1 AS step FROM leaf
    UNION ALL
    SELECT m.*, branch.step + 1 FROM messages m JOIN branch ON m.id = branch.parent_id WHERE m.tenant_id = %(tenant)s
), copies AS MATERIALIZED (
    SELECT branch.*, gen_random_uuid() AS copy_id FROM branch
), forked AS (
    INSERT INTO conversations AS c (tenant_id, id, assistant_id, visitor_id, metadata, created_at, updated_at,
                                    forked_from, controls)
    SELECT %(tenant)s, %(id)s, origin.assistant_id, %(owner)s::uuid, origin.metadata, %(now)s, %(now)s, leaf.id,
           origin.controls
    FROM leaf JOIN conversations origin ON origin.tenant_id = %(tenant)s AND origin.id = leaf.conversation_id
    RETURNING {CONVERSATION}
), copied AS (
    INSERT INTO messages (tenant_id, id, conversation_id, visitor_id, parent_id, role, author_id, status, text,
                          created_at, completed_at, provider, model, assistant_version, citations, moderation,
                          finish_reason, error_code, trace_id, copied_from)
    SELECT %(tenant)s, copies.copy_id, %(id)s, %(owner)s::uuid, parent.copy_id, copies.role, copies.author_id,
           CASE copies.status WHEN 'pending' THEN 'failed' ELSE copies.status END, copies.text, copies.created_at,
           copies.completed_at, copies.provider, copies.model, copies.assistant_version, copies.citations,
           copies.moderation, copies.finish_reason, copies.error_code, copies.trace_id,
           coalesce(copies.copied_from, copies.id)
    FROM copies LEFT JOIN copies parent ON parent.id = copies.parent_id
    ORDER BY copies.step DESC
), summarised AS (
    INSERT INTO conversation_summaries (tenant_id, conversation_id, last_message_id, text, model)
    SELECT %(tenant)s, %(id)s, copies.copy_id, s.text, s.model
    FROM conversation_summaries s JOIN copies ON copies.id = s.last_message_id
    WHERE s.tenant_id = %(tenant)s AND s.conversation_id = copies.conversation_id
)
SELECT * FROM forked
"""

MOVE = """
UPDATE conversations SET state = %(state)s
WHERE tenant_id = %(tenant)s AND id = %(id)s AND state = ANY (%(among)s)
"""

UPDATE_CONVERSATION_CONTROLS = """
UPDATE conversations SET controls = %(controls)s WHERE tenant_id = %(tenant)s AND id = %(id)s
"""

SELECT_MESSAGE = f"""
SELECT m.conversation_id, {MESSAGE} FROM messages m
WHERE m.tenant_id = %(tenant)s AND m.id = %(id)s AND (%(visitor)s::uuid IS NULL OR m.visitor_id = %(visitor)s)
"""

SELECT_MESSAGES = f"""
SELECT m.conversation_id, {MESSAGE} FROM messages m
WHERE m.tenant_id = %(tenant)s AND m.id = ANY (%(ids)s)
ORDER BY array_position(%(ids)s::uuid[], m.id)
"""

# A fork's copy was made as the answer was that it is copied from.
_MADE = """
FROM messages m
JOIN messages made ON made.tenant_id = %(tenant)s
    AND made.id = CASE WHEN m.copied_from IS NULL THEN m.id ELSE m.copied_from END
"""

SELECT_ROUNDS = f"""
SELECT m.id, made.context -> 'rounds' AS rounds {_MADE}
WHERE m.tenant_id = %(tenant)s AND m.id = ANY (%(ids)s) AND jsonb_array_length(made.context -> 'rounds') > 0
"""

SELECT_CONTEXT = f"""
SELECT made.context {_MADE} WHERE m.tenant_id = %(tenant)s AND m.id = %(id)s AND made.context IS NOT NULL
"""

SELECT_SUMMARY = """
SELECT conversation_id, last_message_id, text, model, created_at FROM conversation_summaries
WHERE tenant_id = %(tenant)s AND conversation_id = %(id)s AND last_message_id = ANY (%(branch)s)
ORDER BY array_position(%(branch)s::uuid[], last_message_id) DESC
LIMIT 1
"""

UPSERT_FEEDBACK = """
INSERT INTO feedback (tenant_id, message_id, rating, reason, text)
SELECT tenant_id, id, %(rating)s, %(reason)s, %(text)s FROM messages
WHERE tenant_id = %(tenant)s AND id = %(id)s AND role = 'assistant'
  AND (%(visitor)s::uuid IS NULL OR visitor_id = %(visitor)s)
ON CONFLICT (tenant_id, message_id) DO UPDATE SET
    rating = excluded.rating, reason = excluded.reason, text = excluded.text, given_at = now()
"""
