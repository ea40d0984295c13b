"""The statements of PostgresMembers. Each names the tenant, although the database would add it."""

# One who changes the people of a tenant at a time: who counts the owners counts right.
LOCK_PEOPLE = "SELECT pg_advisory_xact_lock(hashtextextended('people ' || %(tenant)s::text, 0))"

_MEMBERS = """
SELECT m.id, m.account_id, m.role, m.created_at, a.email FROM members m JOIN accounts a ON a.id = m.account_id
WHERE m.tenant_id = %(tenant)s
"""
SELECT_MEMBERS = f"{_MEMBERS} ORDER BY (m.role = 'owner') DESC, m.created_at, m.id"
SELECT_MEMBER = f"{_MEMBERS} AND m.id = %(id)s"
SELECT_MEMBER_BY_EMAIL = f"{_MEMBERS} AND a.email = %(email)s"
SELECT_OTHER_OWNER = "SELECT id FROM members WHERE tenant_id = %(tenant)s AND role = 'owner' AND id <> %(id)s LIMIT 1"
UPDATE_ROLE = "UPDATE members SET role = %(role)s WHERE tenant_id = %(tenant)s AND id = %(id)s AND role = %(was)s"
DELETE_MEMBER = "DELETE FROM members WHERE tenant_id = %(tenant)s AND id = %(id)s AND role = %(was)s"
SELECT_FULL = """
SELECT p.members FROM tenants t JOIN plans p ON p.name = t.plan
WHERE t.id = %(tenant)s AND p.members <= (SELECT count(*) FROM members WHERE tenant_id = %(tenant)s)
"""

_INVITATIONS = """
SELECT id, email, role, invited_by, created_at, expires_at, accepted_at, revoked_at FROM invitations
WHERE tenant_id = %(tenant)s
"""
_UNANSWERED = "accepted_at IS NULL AND revoked_at IS NULL"
SELECT_INVITATIONS = f"{_INVITATIONS} AND {_UNANSWERED} ORDER BY created_at DESC, id DESC"
SELECT_INVITATION = f"{_INVITATIONS} AND id = %(id)s"
SELECT_INVITATION_BY_TOKEN = f"{_INVITATIONS} AND token_hash = %(hash)s"
SELECT_OPEN_BY_EMAIL = f"{_INVITATIONS} AND email = %(email)s AND {_UNANSWERED}"
INSERT_INVITATION = """
INSERT INTO invitations (tenant_id, id, email, role, token_hash, invited_by, created_at, expires_at)
VALUES (%(tenant)s, %(id)s, %(email)s, %(role)s, %(hash)s, %(invited_by)s, %(created_at)s, %(expires_at)s)
"""
RENEW_INVITATION = f"""
UPDATE invitations SET token_hash = %(hash)s, expires_at = %(expires_at)s
WHERE tenant_id = %(tenant)s AND id = %(id)s AND {_UNANSWERED}
"""
REVOKE_INVITATION = f"""
UPDATE invitations SET revoked_at = now() WHERE tenant_id = %(tenant)s AND id = %(id)s AND {_UNANSWERED}
"""
REVOKE_EXPIRED = f"""
UPDATE invitations SET revoked_at = now()
WHERE tenant_id = %(tenant)s AND email = %(email)s AND expires_at <= %(created_at)s AND {_UNANSWERED}
"""
REVOKE_SENT_BY = f"""
UPDATE invitations SET revoked_at = now() WHERE tenant_id = %(tenant)s AND invited_by = %(id)s AND {_UNANSWERED}
"""
ACCEPT_INVITATION = f"""
UPDATE invitations SET accepted_at = now()
WHERE tenant_id = %(tenant)s AND token_hash = %(hash)s AND expires_at > now() AND {_UNANSWERED}
RETURNING role, accepted_at
"""
