"""What is put into tables by hand, and the tables of a tenant."""

TABLES = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND NOT a.attisdropped
"""
PLANTED = "sk-planted-secret"
# What no adapter writes yet, or not in a line.
BY_HAND = (
    "INSERT INTO identity_secrets (tenant_id, id, hint, secret, secret_key, created_at)"
    " VALUES (%(tenant)s, gen_random_uuid(), 'hint', %(secret)s, 'key', now())",
    "INSERT INTO webhooks (tenant_id, id, direction, secret, secret_key)"
    " VALUES (%(tenant)s, gen_random_uuid(), 'incoming', %(secret)s, 'key')",
    "INSERT INTO webhook_deliveries (tenant_id, id, webhook_id, event, payload)"
    " SELECT tenant_id, gen_random_uuid(), id, 'x', '{}' FROM webhooks WHERE tenant_id = %(tenant)s",
    "INSERT INTO curated_answers (tenant_id, id, question, answer) VALUES (%(tenant)s, gen_random_uuid(), 'q', 'a')",
    "INSERT INTO question_topics (tenant_id, id, title) VALUES (%(tenant)s, gen_random_uuid(), 't')",
    "INSERT INTO unanswered_questions (tenant_id, message_id, assistant_id, question, asked_at)"
    " SELECT m.tenant_id, m.id, c.assistant_id, 'unanswered', now() FROM messages m JOIN conversations c"
    " ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id WHERE m.tenant_id = %(tenant)s",
    "INSERT INTO test_sets (tenant_id, id, name) VALUES (%(tenant)s, gen_random_uuid(), 'set')",
    "INSERT INTO test_questions (tenant_id, id, test_set_id, position, question)"
    " SELECT tenant_id, gen_random_uuid(), id, 0, 'q' FROM test_sets WHERE tenant_id = %(tenant)s",
    "INSERT INTO test_runs (tenant_id, id, test_set_id, assistant_id, assistant_version)"
    " SELECT s.tenant_id, gen_random_uuid(), s.id, v.assistant_id, v.number FROM test_sets s"
    " JOIN assistant_versions v ON v.tenant_id = s.tenant_id WHERE s.tenant_id = %(tenant)s",
    "INSERT INTO test_results (tenant_id, test_set_id, test_run_id, test_question_id, answer)"
    " SELECT r.tenant_id, r.test_set_id, r.id, q.id, 'a' FROM test_runs r JOIN test_questions q"
    " ON q.tenant_id = r.tenant_id WHERE r.tenant_id = %(tenant)s",
    "INSERT INTO daily_analytics (tenant_id, assistant_id, day)"
    " SELECT tenant_id, id, current_date FROM assistants WHERE tenant_id = %(tenant)s",
    "INSERT INTO invitations (tenant_id, id, email, role, token_hash, invited_by, created_at, expires_at)"
    " SELECT tenant_id, gen_random_uuid(), 'eve@example.com', 'viewer', %(hash)s, id, now(), now() + interval '1 day'"
    " FROM members WHERE tenant_id = %(tenant)s",
    "INSERT INTO ingestion_events (tenant_id, version_id, kind)"
    " SELECT tenant_id, id, 'received' FROM document_versions WHERE tenant_id = %(tenant)s",
    "INSERT INTO audit_log (tenant_id, id, actor_kind, action, target_kind)"
    " VALUES (%(tenant)s, gen_random_uuid(), 'system', 'x', 'tenant')",
    "INSERT INTO spend_caps (tenant_id, measure, period, hard) VALUES (%(tenant)s, 'messages', 'day', 9)",
    "INSERT INTO widget_versions (tenant_id, widget_id, number, config, created_at)"
    " SELECT tenant_id, id, 99, '{}', now() FROM widgets WHERE tenant_id = %(tenant)s",
)
LEAD = (
    "INSERT INTO leads (tenant_id, id, widget_id, visitor_id, fields, created_at)"
    " SELECT %(tenant)s, gen_random_uuid(), gen_random_uuid(), %(visitor)s, '{}', %(at)s"
)
OF_VISITORS = (
    "INSERT INTO leads (tenant_id, id, widget_id, visitor_id, fields, created_at)"
    " SELECT tenant_id, gen_random_uuid(), gen_random_uuid(), id, '{}', now() FROM visitors"
    " WHERE tenant_id = %(tenant)s",
    "INSERT INTO handovers (tenant_id, id, conversation_id, requested_by)"
    " SELECT tenant_id, gen_random_uuid(), id, 'visitor' FROM conversations WHERE tenant_id = %(tenant)s",
    "INSERT INTO abuse_signals (tenant_id, visitor_id, kind, hour, score, times, reasons, throttled, first_seen_at,"
    " last_seen_at) SELECT tenant_id, id, 'probing', now(), 40, 1, '{}', false, now(), now() FROM visitors"
    " WHERE tenant_id = %(tenant)s",
    "INSERT INTO blocked_visitors (tenant_id, visitor_id, reason) SELECT tenant_id, id, 'rude' FROM visitors"
    " WHERE tenant_id = %(tenant)s",
    "INSERT INTO conversation_summaries (tenant_id, conversation_id, last_message_id, text, model)"
    " SELECT tenant_id, conversation_id, id, 'summary of ' || text, 'x' FROM messages WHERE tenant_id = %(tenant)s",
    "INSERT INTO feedback (tenant_id, message_id, rating, text) SELECT tenant_id, id, 'up', 'feedback on ' || text"
    " FROM messages WHERE tenant_id = %(tenant)s AND role = 'assistant'",
)
