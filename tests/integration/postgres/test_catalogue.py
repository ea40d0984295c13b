"""The catalogue says whether tenants are kept apart, whatever the migrations meant."""

from collections.abc import AsyncIterator, Sequence

import psycopg
import pytest
from psycopg import AsyncConnection, sql

TENANT_TABLES = """
SELECT c.oid::regclass::text AS name, c.relrowsecurity, c.relforcerowsecurity
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')
  AND (c.relname = 'tenants' OR EXISTS (
      SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped))
"""
# Two functions remove what is due, as a role that sees the running transaction's tenant alone.
ERASED_WHEN_DUE = {"tenants", "audit_log", "data_requests", "retention_settings"}
GLOBAL_TABLES = {"plans", "accounts", "sessions", "refresh_tokens", "password_resets", "schema_migrations"}


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator[AsyncConnection]:
    async with await AsyncConnection.connect(owner_url, autocommit=True) as connection:
        yield connection


async def rows(connection: AsyncConnection, statement: str) -> Sequence[tuple[object, ...]]:
    return await (await connection.execute(statement.encode())).fetchall()


async def test_every_tenant_table_forces_row_level_security(owner: AsyncConnection) -> None:
    tables = await rows(owner, TENANT_TABLES)

    assert len(tables) > 35
    assert [name for name, enabled, forced in tables if not (enabled and forced)] == []


async def test_every_tenant_table_has_a_policy_that_reads_and_writes_its_own_tenant_only(
    owner: AsyncConnection,
) -> None:
    expected = "({} = current_tenant())"
    for name, _, _ in await rows(owner, TENANT_TABLES):
        policies = await (
            await owner.execute(
                "SELECT policyname, cmd, qual, with_check, roles::text[] FROM pg_policies WHERE tablename = %s", [name]
            )
        ).fetchall()
        rule = expected.format("id" if name == "tenants" else "tenant_id")
        assert ("own_tenant", "ALL", rule, rule, ["chatconnect_app"]) in policies, name
        due = [policy for policy in policies if policy[4] == ["chatconnect_eraser"]]
        assert all(policy[0] == "due_tenant" and policy[2] == rule for policy in due), name
        assert len(due) == (1 if name in ERASED_WHEN_DUE else 0), name
        others = [policy for policy in policies if policy[0] not in ("own_tenant", "due_tenant")]
        assert all(policy[1] == "SELECT" for policy in others), name
        assert len(others) == (1 if name in ("tenants", "members", "data_requests") else 0), name


async def test_every_other_table_is_known_to_belong_to_no_tenant(owner: AsyncConnection) -> None:
    every = await rows(owner, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    tenants = await rows(owner, TENANT_TABLES)

    assert {name for (name,) in every} - {name for name, *_ in tenants} == GLOBAL_TABLES


async def test_a_foreign_key_between_tenants_tables_holds_the_tenant(owner: AsyncConnection) -> None:
    crossing = await rows(
        owner,
        f"""
        WITH tenant_tables AS ({TENANT_TABLES})
        SELECT k.conname FROM pg_constraint k
        WHERE k.contype = 'f' AND k.conrelid::regclass::text IN (SELECT name FROM tenant_tables)
          AND k.confrelid::regclass::text IN (SELECT name FROM tenant_tables)
          AND NOT EXISTS (
              SELECT FROM unnest(k.conkey, k.confkey) AS pair (here, there)
              JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.here
              JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.there
              WHERE a.attname = CASE k.conrelid::regclass::text WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END
                AND b.attname = CASE k.confrelid::regclass::text WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END)
        """,
    )

    assert crossing == []


async def test_every_foreign_key_has_an_index(owner: AsyncConnection) -> None:
    without = await rows(
        owner,
        """
        SELECT k.conrelid::regclass::text, k.conname FROM pg_constraint k
        WHERE k.contype = 'f' AND array_length(k.conkey, 1) > 1 AND NOT EXISTS (
            SELECT FROM pg_index i WHERE i.indrelid = k.conrelid
              AND (i.indkey::int2[])[0:array_length(k.conkey, 1) - 1] @> k.conkey)
        """,
    )

    # Plans and published versions are never deleted, so nobody looks for what points at them.
    assert {name for _, name in without} <= {
        "assistants_published_version_fkey",
        "tenants_default_assistant_fkey",
    }


async def test_the_applications_role_owns_nothing_and_stands_under_every_rule(
    owner: AsyncConnection, app_url: str
) -> None:
    async with await AsyncConnection.connect(app_url) as application:
        user = application.info.user
    roles = await (
        await owner.execute(
            """
            SELECT rolname FROM pg_roles
            WHERE rolname IN ('chatconnect_app', 'chatconnect_directory', 'chatconnect_eraser', %(user)s)
              AND NOT (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
            """,
            {"user": user},
        )
    ).fetchall()
    memberships = await (
        await owner.execute("SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole", [user])
    ).fetchall()
    owned = await rows(
        owner,
        "SELECT relname FROM pg_class WHERE relowner::regrole::text IN"
        " ('chatconnect_app', 'chatconnect_directory', 'chatconnect_eraser')",
    )

    assert {name for (name,) in roles} == {"chatconnect_app", "chatconnect_directory", "chatconnect_eraser", user}
    assert memberships == [("chatconnect_app",)]
    assert owned == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id integer)",
        "ALTER TABLE messages DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_tenant ON messages",
        "TRUNCATE messages",
        "DELETE FROM audit_log",
        "UPDATE audit_log SET action = 'nothing'",
        "UPDATE plans SET requests_per_minute = 1000000",
        "UPDATE assistant_versions SET config = '{}'",
        "DELETE FROM tenants",
        "SET ROLE chatconnect_directory",
        "SET ROLE chatconnect_eraser",
        "SELECT * FROM schema_migrations",
        "CALL isolate_tenants('plans', 'name')",
        "SET row_security = off; SELECT * FROM messages",
    ],
)
async def test_the_application_may_not(app_url: str, statement: str) -> None:
    async with await AsyncConnection.connect(app_url, autocommit=True) as application:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await application.execute(statement.encode())


async def test_who_is_nobody_sees_nothing(app_url: str, owner: AsyncConnection) -> None:
    async with await AsyncConnection.connect(app_url, autocommit=True) as application:
        for name, _, _ in await rows(owner, TENANT_TABLES):
            counted = await application.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(str(name))))
            assert await counted.fetchone() == (0,), name
