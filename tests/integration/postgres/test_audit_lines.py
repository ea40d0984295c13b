"""Each line of the audit log says who and from where, comes into the right log, and stays there."""

import psycopg
import pytest
from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.audit import SELECT_ENTRIES, PostgresRefusedLogIns
from chatconnect.adapters.postgres.database import PostgresDatabase, _with_numbers
from chatconnect.adapters.postgres.operators import PostgresOperatedTenants
from chatconnect.adapters.postgres.tools import PostgresHttpTools
from chatconnect.domain.audit import Actor, ActorKind, Origin
from chatconnect.domain.identifiers import new_id
from chatconnect.domain.secret import Secret
from chatconnect.ports.audit import acts, origin
from chatconnect.ports.tenants import NewTenant
from tests.factories import a_tenant, a_tool
from tests.fakes.encryption import ReversingEncryption
from tests.integration.postgres.audit_lines import acme, all_told, fields, no_origin, told

__all__ = ["acme", "no_origin"]


async def test_a_line_says_who_from_which_network_and_in_which_trace(
    database: PostgresDatabase, acme: NewTenant
) -> None:
    (key, _), tools = acme.secret_key, PostgresHttpTools(database, acme.tenant.id, encryption=ReversingEncryption())

    await tools.add(a_tool(acme.tenant.id, name="by-nobody"))
    origin.set(Origin("203.0.113.0/24", "trace-1"))
    acts(ActorKind.MEMBER, acme.account.id)
    await tools.add(a_tool(acme.tenant.id, name="by-ada"))
    acts(ActorKind.KEY, key.id)
    await tools.add(a_tool(acme.tenant.id, name="by-server"))

    by_server, by_ada, by_nobody = await told(database, acme.tenant.id, "tool")
    assert by_nobody.actor == Actor(ActorKind.SYSTEM)
    assert by_ada.actor == Actor(ActorKind.MEMBER, acme.account.id, acme.account.email)
    assert by_server.actor == Actor(ActorKind.KEY, key.id, key.name)
    assert (by_nobody.address, by_nobody.trace_id) == (None, None)
    assert (by_ada.address, by_ada.trace_id) == ("203.0.113.0/24", "trace-1")
    assert by_nobody.at < by_ada.at < by_server.at


async def test_an_operator_is_told_of_but_not_named(database: PostgresDatabase, acme: NewTenant) -> None:
    globex = a_tenant("Globex")
    await PostgresAccounts(database).open_tenant(globex)

    origin.set(Origin(None, "t"))
    acts(ActorKind.OPERATOR, globex.account.id)
    await PostgresOperatedTenants(database).set_suspended(acme.tenant.id, suspended=True)
    await PostgresOperatedTenants(database).set_suspended(acme.tenant.id, suspended=False)

    resumed, suspended, _ = await told(database, acme.tenant.id, "tenant")
    assert (suspended.action, resumed.action) == ("tenant.suspended", "tenant.resumed")
    assert suspended.actor == Actor(ActorKind.OPERATOR, globex.account.id)


async def test_what_concerns_a_person_is_told_to_each_of_their_tenants_and_to_no_other(
    database: PostgresDatabase, acme: NewTenant
) -> None:
    globex, initech = a_tenant("Globex"), a_tenant("Initech")
    for new in (globex, initech):
        await PostgresAccounts(database).open_tenant(new)
    async with database.transaction(globex.tenant.id) as connection:
        await connection.execute(
            "INSERT INTO members (tenant_id, id, account_id, role) VALUES (%s, %s, %s, 'agent')",
            [globex.tenant.id, new_id(), acme.account.id],
        )

    origin.set(Origin("203.0.113.0/24", "t"))
    await PostgresRefusedLogIns(database).note_refusal(acme.account.id)
    await PostgresRefusedLogIns(database).note_refusal(None)
    await PostgresAccounts(database).set_password(acme.account.id, Secret("new-hash"), keep=None)

    for new in (acme, globex):
        [refused] = await told(database, new.tenant.id, "session.refused")
        [changed] = await told(database, new.tenant.id, "account.changed")
        assert (refused.object_id, refused.actor) == (acme.account.id, Actor(ActorKind.ANONYMOUS))
        assert fields(changed) == {"password_hash": ("(hidden)", "(hidden)")}
        assert changed.actor == Actor(ActorKind.MEMBER, acme.account.id, acme.account.email)
    assert await told(database, initech.tenant.id, "session") == []
    assert await told(database, initech.tenant.id, "account") == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_log WHERE tenant_id = current_tenant()",
        "UPDATE audit_log SET details = '{}' WHERE tenant_id = current_tenant()",
        "TRUNCATE audit_log",
        "ALTER TABLE tools DISABLE TRIGGER audited",
        "SET LOCAL session_replication_role = replica",
        "DROP TRIGGER audited ON tools",
    ],
)
async def test_the_application_can_only_add(database: PostgresDatabase, acme: NewTenant, statement: str) -> None:
    before = await all_told(database, acme.tenant.id)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await database.run(acme.tenant.id, statement, {})

    assert await all_told(database, acme.tenant.id) == before


async def test_no_line_comes_into_another_tenants_log(database: PostgresDatabase, acme: NewTenant) -> None:
    globex = a_tenant("Globex")
    await PostgresAccounts(database).open_tenant(globex)
    before = await all_told(database, globex.tenant.id)

    await PostgresHttpTools(database, acme.tenant.id, encryption=ReversingEncryption()).add(a_tool(acme.tenant.id))

    assert await all_told(database, globex.tenant.id) == before
    assert len(await told(database, acme.tenant.id, "tool.created")) == 1


async def test_of_a_tenant_that_is_being_erased_nothing_is_told_any_more(
    database: PostgresDatabase, acme: NewTenant
) -> None:
    async with database.transaction(acme.tenant.id) as connection:
        await connection.execute(
            "INSERT INTO data_requests (tenant_id, id, kind, status, requested_at) "
            "VALUES (%s, %s, 'erase', 'open', now())",
            [acme.tenant.id, new_id()],
        )
    before = await all_told(database, acme.tenant.id)

    async with database.transaction(acme.tenant.id) as connection:
        await connection.execute("UPDATE tenants SET controls = %s", [Jsonb({"messages": ["x"]})])
        await connection.execute("DELETE FROM widgets WHERE tenant_id = %s", [acme.tenant.id])

    assert await all_told(database, acme.tenant.id) == before


async def test_a_page_is_read_from_its_place_on_and_not_from_the_newest_line(
    database: PostgresDatabase, acme: NewTenant
) -> None:
    statement, _ = _with_numbers(SELECT_ENTRIES)
    async with database.transaction(acme.tenant.id) as connection:
        for other in ("seqscan", "bitmapscan"):  # what is as good for the few lines here
            await connection.execute(f"SET LOCAL enable_{other} = off".encode())
        plan = await (await connection.execute(b"EXPLAIN (GENERIC_PLAN) " + statement)).fetchall()

    [looked_up] = [line for (line,) in plan if "Index Cond" in line and "happened_at" in line]
    assert "ROW(happened_at, id) < ROW(" in looked_up
    assert "happened_at >=" in looked_up
