"""The statements of PostgresTenants. Each names the tenant, although the database would add it."""

SELECT_TENANT = "SELECT id, name, plan, created_at, controls FROM tenants WHERE id = %(tenant)s"
UPDATE_CONTROLS = "UPDATE tenants SET controls = %(controls)s WHERE id = %(tenant)s"

SELECT_PLAN = """
SELECT p.name, p.requests_per_minute, p.provider, p.model, p.messages_per_minute, p.messages_per_hour,
       p.messages_per_day, p.tokens_per_day, p.tokens_per_month, p.microusd_per_day, p.microusd_per_month,
       coalesce((
           SELECT jsonb_agg(jsonb_build_object('measure', measure, 'period', period, 'hard', hard,
                                               'warns_from', warns_from))
           FROM spend_caps WHERE tenant_id = %(tenant)s
       ), '[]') AS own_caps
FROM tenants t JOIN plans p ON p.name = t.plan
WHERE t.id = %(tenant)s
"""

_KEYS = """
SELECT id, kind, name, hint, assistant_id, created_at, expires_at, revoked_at FROM api_keys WHERE tenant_id = %(tenant)s
"""
SELECT_KEY = f"{_KEYS} AND key_hash = %(hash)s"
SELECT_KEYS = f"{_KEYS} ORDER BY created_at DESC, id DESC"
INSERT_KEY = """
INSERT INTO api_keys (tenant_id, id, kind, key_hash, name, hint, assistant_id, created_at, expires_at, revoked_at)
VALUES (%(tenant)s, %(id)s, %(kind)s, %(hash)s, %(name)s, %(hint)s, %(assistant)s, %(created_at)s, %(expires_at)s,
        %(revoked_at)s)
"""
# The first end of a key stands.
REVOKE_KEY = """
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE tenant_id = %(tenant)s AND id = %(id)s
"""

_ASSISTANTS = """
SELECT a.id, a.created_at, a.updated_at, a.id = t.default_assistant_id AS is_default, v.number AS version, v.config,
       v.access_token
FROM assistants a
JOIN tenants t ON t.id = a.tenant_id
JOIN assistant_versions v ON v.tenant_id = a.tenant_id AND v.assistant_id = a.id AND v.number = a.published_version
WHERE a.tenant_id = %(tenant)s
"""
SELECT_ASSISTANT = f"{_ASSISTANTS} AND a.id = %(id)s"
SELECT_ASSISTANT_VERSION = SELECT_ASSISTANT.replace("v.number = a.published_version", "v.number = %(version)s")
SELECT_DEFAULT_ASSISTANT = f"{_ASSISTANTS} AND a.id = t.default_assistant_id"
SELECT_ASSISTANTS = f"{_ASSISTANTS} ORDER BY is_default DESC, a.created_at, a.id"

# The update's row lock gives two saves at once two numbers; the published version is checked at commit.
PUBLISH = """
WITH saved AS (
    UPDATE assistants
    SET latest_version = latest_version + 1, published_version = latest_version + 1, updated_at = %(updated_at)s
    WHERE tenant_id = %(tenant)s AND id = %(id)s
    RETURNING id, latest_version, created_at
), version AS (
    INSERT INTO assistant_versions (tenant_id, assistant_id, number, config, access_token, access_token_key, author_id,
                                    note, created_at)
    SELECT %(tenant)s, id, latest_version, %(config)s, %(token)s, %(token_key)s, %(author)s, %(note)s, %(updated_at)s
    FROM saved
)
SELECT saved.latest_version AS version, saved.created_at, saved.id = t.default_assistant_id AS is_default
FROM saved JOIN tenants t ON t.id = %(tenant)s
"""

_WIDGETS = """
SELECT w.id, w.assistant_id, w.name, w.config, w.updated_at FROM widgets w WHERE w.tenant_id = %(tenant)s
"""
SELECT_WIDGET = f"{_WIDGETS} AND w.id = %(id)s"
SELECT_WIDGETS = f"{_WIDGETS} ORDER BY w.created_at DESC, w.id DESC"
SELECT_WIDGET_OF = f"""{_WIDGETS}
  AND w.assistant_id = coalesce(%(assistant)s, (SELECT default_assistant_id FROM tenants WHERE id = %(tenant)s))
ORDER BY w.created_at, w.id
LIMIT 1
"""  # noqa: S608 - the piece is a constant of this module
UPDATE_WIDGET = """
WITH saved AS (
    UPDATE widgets
    SET assistant_id = %(assistant)s, name = %(name)s, config = %(config)s, version = version + 1,
        updated_at = %(updated_at)s
    WHERE tenant_id = %(tenant)s AND id = %(id)s
    RETURNING version
)
INSERT INTO widget_versions (tenant_id, widget_id, number, config, created_at)
SELECT %(tenant)s, %(id)s, saved.version, %(config)s, %(updated_at)s FROM saved
"""
