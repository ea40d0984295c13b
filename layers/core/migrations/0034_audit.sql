-- migrate:up

SET LOCAL lock_timeout = '3s';
SET LOCAL statement_timeout = '60s';

-- The log is written by triggers: within the transaction of the change itself, and by no code that could forget it.
-- A table takes part by one CALL audit_changes(...), in the migration that creates it.
ALTER TABLE audit_log ADD COLUMN actor_address text;
ALTER TABLE audit_log ADD COLUMN target_name text;
COMMENT ON COLUMN audit_log.actor_id IS 'A member''s or an operator''s account, or a key';
COMMENT ON COLUMN audit_log.actor_address IS 'The network that the request came from, never the whole address';
COMMENT ON COLUMN audit_log.target_name IS 'What the object was called then';
COMMENT ON COLUMN audit_log.details IS 'Object of the fields that changed, with "before" and "after"; secrets hidden, long texts cut';
-- squawk-ignore ban-drop-constraint
ALTER TABLE audit_log DROP CONSTRAINT audit_log_actor_kind_check;
ALTER TABLE audit_log ADD CONSTRAINT audit_log_actor_kind_check
    CHECK (actor_kind IN ('member', 'key', 'operator', 'anonymous', 'system')) NOT VALID;

-- Nothing has written the table so far.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX audit_log_tenant_id_happened_at_idx;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ON audit_log (tenant_id, happened_at, id);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX ON audit_log (tenant_id, actor_id, happened_at);

-- The fields of a row, those of JSON objects within it as "column.field".
CREATE FUNCTION audit_fields(stored jsonb) RETURNS TABLE (field text, held jsonb)
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
    AS $$
WITH RECURSIVE fields (field, held) AS (
    SELECT key, value FROM jsonb_each(coalesce(stored, '{}'))
    UNION ALL
    SELECT outer_one.field || '.' || key, value
    FROM fields AS outer_one
    CROSS JOIN LATERAL jsonb_each(
        CASE jsonb_typeof(outer_one.held) WHEN 'object' THEN outer_one.held ELSE '{}' END
    )
)
SELECT field, held FROM fields WHERE held NOT IN ('null', '{}') AND jsonb_typeof(held) <> 'object'
$$;

-- A value as the log may hold it. Binary columns are sealed secrets and hashes. Addresses lose their query and their
-- user, which hold keys at times; everything else is cut to 200 characters.
CREATE FUNCTION audit_shown(field text, held jsonb, private jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
    AS $$
SELECT CASE
    WHEN held IS NULL THEN NULL
    WHEN private ? split_part(field, '.', 1) OR held #>> '{}' LIKE '\\x%'
        OR field ~* '(^|[._-])(secret|password|token|hash|api_?key|authorization|credentials?|cookie)($|[._-])'
        THEN '"(hidden)"'
    WHEN jsonb_typeof(held) = 'string' THEN to_jsonb(
        regexp_replace(left(addressed, 200), '^(https?://[^?#]*)[?#].*$', '\1?…')
        || CASE WHEN length(addressed) > 200 AND addressed !~ '^https?://[^?#]{0,199}[?#]' THEN '…' ELSE '' END
    )
    WHEN length(held::text) > 200 THEN to_jsonb(left(held::text, 200) || '…')
    ELSE held
END
FROM (SELECT regexp_replace(held #>> '{}', '^(https?://)[^/?#]*@', '\1') AS addressed) AS text
$$;

-- The fields in which two states of a row differ, at most 100, without those that rules ignore.
CREATE FUNCTION audit_difference(before jsonb, after jsonb, rules jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
    AS $$
WITH changed AS (
    SELECT field, earlier.held AS was, later.held AS is_now
    FROM public.audit_fields(before) AS earlier FULL JOIN public.audit_fields(after) AS later USING (field)
    WHERE earlier.held IS DISTINCT FROM later.held
      AND split_part(field, '.', 1) NOT IN ('tenant_id', 'id', 'created_at', 'updated_at')
      AND NOT coalesce(rules -> 'ignore', '[]') ? split_part(field, '.', 1)
    ORDER BY field
    LIMIT 100
)
SELECT coalesce(jsonb_object_agg(left(field, 200), jsonb_build_object(
    'before', public.audit_shown(field, was, coalesce(rules -> 'private', '[]')),
    'after', public.audit_shown(field, is_now, coalesce(rules -> 'private', '[]'))
)), '{}')
FROM changed
$$;

-- Adds one line to a tenant's log. Who, from where and in which trace is what the transaction says of itself; by_itself
-- is the account that acts by what it does, a log-in say. Of a tenant that is erased nothing is written any more.
CREATE FUNCTION audit_entry(
    tenant uuid, what text, kind text, target uuid, target_called text, changes jsonb, by_itself uuid DEFAULT NULL
) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    origin jsonb := nullif(current_setting('app.origin', true), '')::jsonb;
    running_for text := coalesce(current_setting('app.tenant_id', true), '');
BEGIN
    PERFORM set_config('app.tenant_id', tenant::text, true);
    INSERT INTO public.audit_log (tenant_id, id, actor_kind, actor_id, actor_address, action, target_kind, target_id,
                                  target_name, details, trace_id, happened_at)
    SELECT tenant, gen_random_uuid(),
           CASE
               WHEN origin ? 'actor' THEN origin ->> 'actor'
               WHEN origin IS NULL THEN 'system'
               WHEN by_itself IS NULL THEN 'anonymous'
               ELSE 'member'
           END,
           CASE WHEN origin ? 'actor' THEN (origin ->> 'id')::uuid WHEN origin IS NOT NULL THEN by_itself END,
           origin ->> 'address', what, kind, target, left(target_called, 200), changes, origin ->> 'trace',
           clock_timestamp()
    WHERE EXISTS (SELECT FROM public.tenants AS t WHERE t.id = tenant) AND NOT EXISTS (
        SELECT FROM public.data_requests AS r
        WHERE r.tenant_id = tenant AND r.kind = 'erase' AND r.visitor_id IS NULL AND r.status = 'open'
    );
    PERFORM set_config('app.tenant_id', running_for, true);
END
$$;

-- Adds a line about a person to the log of each tenant in which they have a place.
CREATE FUNCTION audit_person(account uuid, what text, changes jsonb, by_itself uuid DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    running_for text := coalesce(current_setting('app.account_id', true), '');
    place uuid;
BEGIN
    PERFORM set_config('app.account_id', coalesce(account::text, ''), true);
    FOR place IN SELECT m.tenant_id FROM public.members AS m WHERE m.account_id = account ORDER BY m.tenant_id LOOP
        PERFORM public.audit_entry(place, what, 'account', account, NULL, changes, by_itself);
    END LOOP;
    PERFORM set_config('app.account_id', running_for, true);
END
$$;

-- What rules may say:
--   object    what the log calls a row; actions are object.created, .changed and .deleted
--   verbs     other words for these: {"created": "saved"}
--   moments   columns whose filling and emptying have words of their own: {"revoked_at": ["revoked", "restored"]}
--   id, name  the columns of the object's id and of what it is called, "id" and none unless told
--   tenant    the column of the tenant, "tenant_id" unless told
--   account   the column of the person whose tenants all learn of it, in place of one tenant
--   by        the column of the account that does this by itself, when nobody has logged in yet
--   ignore    columns that are bookkeeping; a change of nothing else leaves no line
--   private   columns of which only the change is told
--   previous  true: rows are versions with a number, each compared with the one before
CREATE FUNCTION audit_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET bytea_output = 'hex'
    AS $$
DECLARE
    rules jsonb := TG_ARGV[0]::jsonb;
    before jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    after jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    stored jsonb := coalesce(after, before);
    target uuid := (stored ->> coalesce(rules ->> 'id', 'id'))::uuid;
    verb text := CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'changed' ELSE 'deleted' END;
    by_itself uuid := (stored ->> (rules ->> 'by'))::uuid;
    changes jsonb;
    what text;
BEGIN
    IF rules ? 'previous' THEN
        EXECUTE format('SELECT to_jsonb(v) FROM %s AS v WHERE tenant_id = $1 AND %I = $2 AND number = $3 - 1',
                       TG_RELID::regclass, rules ->> 'id')
            INTO before USING NEW.tenant_id, target, NEW.number;
    END IF;
    changes := public.audit_difference(before, after, rules);
    IF TG_OP = 'UPDATE' AND changes = '{}' THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT CASE WHEN after ->> key IS NULL THEN value ->> 1 ELSE value ->> 0 END INTO what
        FROM jsonb_each(coalesce(rules -> 'moments', '{}'))
        WHERE before ->> key IS DISTINCT FROM after ->> key
        ORDER BY key DESC LIMIT 1;
    END IF;
    what := (rules ->> 'object') || '.' || coalesce(what, rules -> 'verbs' ->> verb, verb);
    IF rules ? 'account' THEN
        PERFORM public.audit_person((stored ->> (rules ->> 'account'))::uuid, what, changes, by_itself);
    ELSE
        PERFORM public.audit_entry((stored ->> coalesce(rules ->> 'tenant', 'tenant_id'))::uuid, what, rules ->> 'object',
                                   target, stored #>> string_to_array(rules ->> 'name', '.'), changes, by_itself);
    END IF;
    RETURN NULL;
END
$$;

-- Called once for each table whose changes are to be told, with the events that can be one.
CREATE PROCEDURE audit_changes(audited regclass, rules jsonb, events text DEFAULT 'INSERT OR UPDATE OR DELETE')
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
    AS $$
BEGIN
    EXECUTE format(
        'CREATE TRIGGER audited AFTER %s ON %s FOR EACH ROW EXECUTE FUNCTION public.audit_change(%L)',
        events, audited, rules
    );
END
$$;

REVOKE ALL ON FUNCTION audit_fields(jsonb), audit_shown(text, jsonb, jsonb), audit_difference(jsonb, jsonb, jsonb),
    audit_entry(uuid, text, text, uuid, text, jsonb, uuid), audit_person(uuid, text, jsonb, uuid), audit_change()
    FROM PUBLIC;
REVOKE ALL ON PROCEDURE audit_changes(regclass, jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION audit_fields(jsonb), audit_shown(text, jsonb, jsonb), audit_difference(jsonb, jsonb, jsonb),
    audit_entry(uuid, text, text, uuid, text, jsonb, uuid), audit_person(uuid, text, jsonb, uuid), audit_change()
    TO chatconnect_app;

-- People
CALL audit_changes('tenants', '{"object": "tenant", "tenant": "id", "name": "name", "ignore": ["knowledge_version"],
    "moments": {"suspended_at": ["suspended", "resumed"]}}', 'INSERT OR UPDATE');
CALL audit_changes('retention_settings', '{"object": "retention", "id": "tenant_id"}');
CALL audit_changes('members', '{"object": "member", "by": "account_id"}');
CALL audit_changes('invitations', '{"object": "invitation", "name": "email",
    "moments": {"accepted_at": ["accepted"], "revoked_at": ["revoked"]}}');
CALL audit_changes('accounts', '{"object": "account", "account": "id", "by": "id",
    "moments": {"disabled_at": ["disabled", "enabled"]}}', 'UPDATE');
CALL audit_changes('password_resets', '{"object": "account", "account": "account_id", "id": "account_id",
    "verbs": {"created": "reset_asked"}, "private": ["token_hash"], "ignore": ["account_id"]}', 'INSERT');
CALL audit_changes('sessions', '{"object": "session", "tenant": "chosen_tenant", "by": "account_id",
    "verbs": {"created": "opened"}, "ignore": ["last_used_at", "device"],
    "moments": {"ended_at": ["ended"], "chosen_tenant": ["moved"]}}', 'INSERT OR UPDATE OF ended_at, chosen_tenant');

-- Keys and configuration
CALL audit_changes('api_keys', '{"object": "key", "name": "name", "ignore": ["last_used_at"],
    "moments": {"revoked_at": ["revoked"], "replaced_by": ["rotated"]}}');
CALL audit_changes('identity_secrets', '{"object": "identity_secret", "name": "hint"}');
CALL audit_changes('assistants', '{"object": "assistant", "ignore": ["latest_version"],
    "moments": {"archived_at": ["archived", "unarchived"], "published_version": ["published", "withdrawn"]}}');
CALL audit_changes('assistant_versions', '{"object": "assistant", "id": "assistant_id", "name": "config.name",
    "verbs": {"created": "saved"}, "ignore": ["assistant_id", "author_id"], "previous": true}', 'INSERT');
CALL audit_changes('widgets', '{"object": "widget", "name": "name"}');
CALL audit_changes('tools', '{"object": "tool", "name": "name"}');
CALL audit_changes('mcp_servers', '{"object": "mcp_server", "name": "name",
    "ignore": ["listing", "checked_at", "failure"]}');
CALL audit_changes('spend_caps', '{"object": "cap", "name": "measure"}');
CALL audit_changes('webhooks', '{"object": "webhook"}');

-- Knowledge: what people do, not what processing makes of it
CALL audit_changes('knowledge_sources', '{"object": "knowledge_source", "name": "name"}');
CALL audit_changes('documents', '{"object": "document", "name": "title", "ignore": ["active_version_id"],
    "moments": {"deleted_at": ["deleted"]}}', 'INSERT OR UPDATE OF title, metadata, deleted_at');
CALL audit_changes('document_versions', '{"object": "document", "id": "document_id", "name": "filename",
    "verbs": {"created": "version_added"}, "ignore": ["document_id", "status", "progress_done", "progress_total",
    "progress_unit", "embedding_tokens", "embedding_cost_microusd"]}', 'INSERT');
CALL audit_changes('curated_answers', '{"object": "curated_answer", "private": ["question", "answer"],
    "ignore": ["author_id"]}');

-- Visitors: that something was done, not what was written of them
CALL audit_changes('conversations', '{"object": "conversation", "private": ["controls"],
    "verbs": {"changed": "instructed"}}', 'UPDATE OF controls');
CALL audit_changes('blocked_visitors', '{"object": "visitor", "id": "visitor_id", "private": ["reason"],
    "ignore": ["visitor_id", "blocked_by", "blocked_at"],
    "verbs": {"created": "blocked", "changed": "blocked", "deleted": "unblocked"}}');
CALL audit_changes('data_requests', '{"object": "data_request", "name": "kind",
    "ignore": ["progress", "receipt", "signature", "next_at", "requested_by", "requested_at"]}');

-- migrate:down
