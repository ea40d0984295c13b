"""The statements of PostgresTenants. Each names the tenant, although the database would add it."""

SELECT_TENANT = """
SELECT id, name, plan, created_at, controls, suspended_at,
       ARRAY(SELECT DISTINCT jsonb_array_elements_text(config -> 'allowed_domains')
             FROM widgets WHERE tenant_id = %(tenant)s ORDER BY 1) AS websites
FROM tenants WHERE id = %(tenant)s
"""
UPDATE_CONTROLS = "UPDATE tenants SET controls = %(controls)s WHERE id = %(tenant)s"

PLAN = """
    p.name, p.requests_per_minute, p.provider, p.model, p.messages_per_minute, p.messages_per_hour, p.messages_per_day,
    p.tokens_per_day, p.tokens_per_month, p.microusd_per_day, p.microusd_per_month, p.allowed_models, p.features,
    p.documents, p.storage_bytes, p.members, p.price
"""
SELECT_PLAN = f"""
SELECT {PLAN},
       coalesce((
           SELECT jsonb_agg(jsonb_build_object('subject', subject, 'measure', measure, 'period', period,
                                               'hard', hard, 'warns_from', warns_from))
           FROM spend_caps WHERE tenant_id = %(tenant)s
       ), '[]') AS own_caps,
       t.suspended_at IS NOT NULL AS suspended
FROM tenants t JOIN plans p ON p.name = t.plan
WHERE t.id = %(tenant)s
"""

_ASSISTANTS = """
SELECT a.id, a.created_at, a.updated_at, a.id = t.default_assistant_id AS is_default, v.number AS version, v.config,
       v.access_token
FROM assistants a
JOIN tenants t ON t.id = a.tenant_id
JOIN assistant_versions v ON v.tenant_id = a.tenant_id AND v.assistant_id = a.id AND v.number = a.published_version
WHERE a.tenant_id = %(tenant)s
"""
_ANSWERING = f"{_ASSISTANTS} AND a.archived_at IS NULL"
SELECT_ASSISTANT = f"{_ANSWERING} AND a.id = %(id)s"
SELECT_ASSISTANT_VERSION = f"{_ASSISTANTS} AND a.id = %(id)s".replace(
    "v.number = a.published_version", "v.number = %(version)s"
)
SELECT_NEWEST_ASSISTANT = SELECT_ASSISTANT.replace("v.number = a.published_version", "v.number = a.latest_version")
SELECT_DEFAULT_ASSISTANT = f"{_ANSWERING} AND a.id = t.default_assistant_id"
SELECT_ASSISTANTS = f"{_ANSWERING} ORDER BY is_default DESC, a.created_at, a.id"
