"""The statements of PostgresAssistants. Each names the tenant, although the database would add it."""

_STATE = """
a.id, a.created_at, a.updated_at, a.archived_at, a.latest_version, a.published_version,
a.id = t.default_assistant_id AS is_default
"""

_ASSISTANTS = f"""
SELECT {_STATE}, v.number AS version, v.config, v.access_token
FROM assistants a
JOIN tenants t ON t.id = a.tenant_id
JOIN assistant_versions v ON v.tenant_id = a.tenant_id AND v.assistant_id = a.id AND v.number = a.published_version
WHERE a.tenant_id = %(tenant)s
"""
SELECT_ASSISTANT = f"{_ASSISTANTS} AND a.id = %(id)s"
SELECT_ASSISTANTS = f"{_ASSISTANTS} ORDER BY is_default DESC, a.created_at, a.id"

_VERSIONS = """
SELECT v.number, v.note, v.created_at, v.author_id, p.email AS author_email, v.config, v.access_token
FROM assistant_versions v LEFT JOIN accounts p ON p.id = v.author_id
WHERE v.tenant_id = %(tenant)s AND v.assistant_id = %(id)s
"""
SELECT_VERSION = f"{_VERSIONS} AND v.number = %(number)s"
SELECT_SAVES = """
SELECT v.number, v.note, v.created_at, v.author_id, p.email AS author_email
FROM assistant_versions v LEFT JOIN accounts p ON p.id = v.author_id
WHERE v.tenant_id = %(tenant)s AND v.assistant_id = %(id)s AND v.number < coalesce(%(before)s, 2147483647)
ORDER BY v.number DESC
LIMIT %(limit)s
"""

INSERT_ASSISTANT = """
WITH assistant AS (
    INSERT INTO assistants (tenant_id, id, latest_version, published_version, created_at, updated_at)
    VALUES (%(tenant)s, %(id)s, 1, 1, %(created_at)s, %(created_at)s)
)
INSERT INTO assistant_versions (tenant_id, assistant_id, number, config, access_token, access_token_key, author_id,
                                note, created_at)
VALUES (%(tenant)s, %(id)s, 1, %(config)s, %(token)s, %(token_key)s, %(author)s, %(note)s, %(created_at)s)
"""

# The update's row lock gives two saves at once two numbers; the published version is checked at commit.
SAVE = f"""
WITH a AS (
    UPDATE assistants
    SET latest_version = latest_version + 1, updated_at = %(created_at)s,
        published_version = CASE WHEN %(publish)s THEN latest_version + 1 ELSE published_version END
    WHERE tenant_id = %(tenant)s AND id = %(id)s AND latest_version = coalesce(%(expected)s, latest_version)
    RETURNING *
), version AS (
    INSERT INTO assistant_versions (tenant_id, assistant_id, number, config, access_token, access_token_key, author_id,
                                    note, created_at)
    SELECT %(tenant)s, id, latest_version, %(config)s, %(token)s, %(token_key)s, %(author)s, %(note)s, %(created_at)s
    FROM a
)
SELECT {_STATE} FROM a JOIN tenants t ON t.id = %(tenant)s
"""
PUBLISH = f"""
WITH a AS (
    UPDATE assistants
    SET published_version = %(number)s,
        updated_at = CASE WHEN published_version = %(number)s THEN updated_at ELSE %(at)s END
    WHERE tenant_id = %(tenant)s AND id = %(id)s AND latest_version = coalesce(%(expected)s, latest_version)
      AND %(number)s BETWEEN published_version AND latest_version
    RETURNING *
)
SELECT {_STATE} FROM a JOIN tenants t ON t.id = %(tenant)s
"""

# Taken before anything that depends on which assistant is the default, so that such things wait for each other.
LOCK_TENANT = "SELECT FROM tenants WHERE id = %(tenant)s FOR NO KEY UPDATE"
SET_DEFAULT = """
UPDATE tenants SET default_assistant_id = %(id)s
WHERE id = %(tenant)s
  AND EXISTS (SELECT FROM assistants WHERE tenant_id = %(tenant)s AND id = %(id)s AND archived_at IS NULL)
RETURNING default_assistant_id AS id
"""
ARCHIVE = """
UPDATE assistants a SET archived_at = coalesce(archived_at, %(at)s)
FROM tenants t
WHERE t.id = a.tenant_id AND a.tenant_id = %(tenant)s AND a.id = %(id)s AND a.id <> t.default_assistant_id
  AND NOT EXISTS (SELECT FROM widgets WHERE tenant_id = %(tenant)s AND assistant_id = %(id)s)
RETURNING a.id
"""
UNARCHIVE = "UPDATE assistants SET archived_at = NULL WHERE tenant_id = %(tenant)s AND id = %(id)s"
DELETE = """
DELETE FROM assistants a
USING tenants t
WHERE t.id = a.tenant_id AND a.tenant_id = %(tenant)s AND a.id = %(id)s AND a.id <> t.default_assistant_id
RETURNING a.id
"""
