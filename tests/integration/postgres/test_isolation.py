"""Two tenants on shared connections: row-level security holds even where a statement forgets the tenant."""

import asyncio
import random

import psycopg
import pytest
from psycopg.types.json import Jsonb

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.assistants import PostgresAssistants
from chatconnect.adapters.postgres.conversations import PostgresConversations
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.tenants import PostgresTenants
from chatconnect.domain.identifiers import new_id
from chatconnect.domain.secret import Secret
from chatconnect.ports.tenants import NewTenant
from tests.factories import a_conversation, a_save, a_tenant, a_turn, answered
from tests.fakes.encryption import ReversingEncryption
from tests.postgres import conninfo


async def opened(database: PostgresDatabase) -> NewTenant:
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    return new


async def test_a_statement_that_forgets_the_tenant_sees_its_own_rows_only(database: PostgresDatabase) -> None:
    acme, globex = await opened(database), await opened(database)

    async with database.transaction(acme.tenant.id) as connection:
        seen = await (await connection.execute("SELECT tenant_id FROM api_keys")).fetchall()
        removed = await connection.execute("UPDATE widgets SET name = 'taken' WHERE id = %s", [globex.widget.id])

    assert set(seen) == {(acme.tenant.id,)}
    assert removed.rowcount == 0


async def test_nothing_can_be_written_for_another_tenant(database: PostgresDatabase) -> None:
    acme, globex = await opened(database), await opened(database)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction(acme.tenant.id) as connection:
            await connection.execute(
                "INSERT INTO audit_log (tenant_id, id, actor_kind, action, target_kind) VALUES (%s, %s, %s, %s, %s)",
                [globex.tenant.id, new_id(), "system", "forged", "tenant"],
            )


async def test_a_used_connection_forgets_whose_it_was(app_url: str) -> None:
    database = PostgresDatabase(conninfo(app_url), pool_size=1)
    acme = await opened(database)
    await PostgresTenants(database, acme.tenant.id, encryption=ReversingEncryption()).get()

    async with database.shared_transaction() as connection:
        seen = await (await connection.execute("SELECT count(*) FROM members")).fetchone()

    assert seen == (0,)
    await database.aclose()


async def test_a_failed_transaction_leaves_nothing_behind(database: PostgresDatabase) -> None:
    acme = await opened(database)

    async def rename_and_fail() -> None:
        async with database.transaction(acme.tenant.id) as connection:
            await connection.execute("UPDATE tenants SET name = 'changed' WHERE id = %s", [acme.tenant.id])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await rename_and_fail()

    tenants = PostgresTenants(database, acme.tenant.id, encryption=ReversingEncryption())
    assert (await tenants.get()).name == "Acme"


async def test_interleaved_tenants_never_see_each_other(database: PostgresDatabase) -> None:
    companies = [await opened(database), await opened(database)]

    async def work(new: NewTenant) -> None:
        conversations = PostgresConversations(database, new.tenant.id)
        own = set()
        for _ in range(20):
            turn = a_turn(a_conversation(new.tenant.id, new.assistant.id), text=str(new.tenant.id))
            own.add(turn.conversation.id)
            await conversations.begin(turn)
            await asyncio.sleep(random.random() / 1_000)
            await conversations.complete(answered(turn, str(new.tenant.id)))
            path = await conversations.path(turn.conversation.id)
            assert {message.text for message in path.messages} == {str(new.tenant.id)}
        listed = await conversations.list_newest(limit=1_000)
        assert {each.tenant_id for each in listed} == {new.tenant.id}
        assert own <= {each.id for each in listed}

    await asyncio.gather(*(work(companies[number % 2]) for number in range(10)))


async def test_an_access_token_is_stored_sealed_only(database: PostgresDatabase) -> None:
    acme = await opened(database)
    config = acme.assistant.config.with_access_token(Secret("sk-very-secret"))
    assistants = PostgresAssistants(database, acme.tenant.id, encryption=ReversingEncryption())

    await assistants.save(acme.assistant.id, a_save(config), publish=True)

    async with database.transaction(acme.tenant.id) as connection:
        stored = await (await connection.execute("SELECT v::text FROM assistant_versions v")).fetchall()
        keys = await (await connection.execute("SELECT access_token_key FROM assistant_versions")).fetchall()
    assert not any("very-secret" in row or b"sk-very-secret".hex() in row for (row,) in stored)
    assert ("reversing",) in keys
    with pytest.raises(psycopg.errors.CheckViolation):
        async with database.transaction(acme.tenant.id) as connection:
            await connection.execute(
                "INSERT INTO assistant_versions (tenant_id, assistant_id, number, config) VALUES (%s, %s, 9, %s)",
                [acme.tenant.id, acme.assistant.id, Jsonb({"access_token": "sk-very-secret"})],
            )
