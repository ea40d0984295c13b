"""What is sealed is sealed anew with the key in use, in every column that there is, while it stays readable."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import psycopg
import pytest
from psycopg import sql

from chatconnect.adapters.postgres.accounts import PostgresAccounts
from chatconnect.adapters.postgres.assistants import PostgresAssistants
from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.knowledge_sources import PostgresKnowledgeSources
from chatconnect.adapters.postgres.mcp_servers import PostgresMcpServers
from chatconnect.adapters.postgres.sealed import SEALED, PostgresSealedValues
from chatconnect.adapters.postgres.tools import PostgresHttpTools
from chatconnect.domain.errors import Unavailable
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.secret import Secret
from chatconnect.ports.tenants import NewTenant
from chatconnect.services.resealing import ResealingService
from tests.factories import a_knowledge_source, a_save, a_tenant, a_tool, an_mcp_server, seconds
from tests.fakes.encryption import ReversingEncryption

OLD, NEW = ReversingEncryption("old"), ReversingEncryption("new")
NOT_SECRET = {"salt"}  # and hashes


async def opened(database: PostgresDatabase) -> NewTenant:
    new = a_tenant()
    await PostgresAccounts(database).open_tenant(new)
    return new


async def has_a_token(database: PostgresDatabase, new: NewTenant, encryption: ReversingEncryption, token: str) -> None:
    config = new.assistant.config.with_access_token(Secret(token))
    assistants = PostgresAssistants(database, new.tenant.id, encryption=encryption)
    await assistants.save(new.assistant.id, a_save(config), publish=True)


async def seal_one_of_each(database: PostgresDatabase, new: NewTenant) -> None:
    """Put a value into every sealed column, as far as there is code for it."""
    tenant_id = new.tenant.id
    await has_a_token(database, new, OLD, "sk-of-the-assistant")
    await PostgresHttpTools(database, tenant_id, encryption=OLD).add(a_tool(tenant_id))
    await PostgresMcpServers(database, tenant_id, encryption=OLD).add(an_mcp_server(tenant_id))
    await PostgresKnowledgeSources(database, tenant_id, encryption=OLD).add(a_knowledge_source(tenant_id))
    by_hand = {
        "identity_secrets": ("hint, created_at", "'hint', now()"),
        "webhooks": ("direction", "'incoming'"),
    }
    async with database.transaction(tenant_id) as connection:
        for table, (columns, values) in by_hand.items():
            names = f"tenant_id, id, secret, secret_key, {columns}"
            statement = f"INSERT INTO {table} ({names}) VALUES (%s, %s, %s, 'old', {values})"
            await connection.execute(
                statement.encode(), [tenant_id, new_id(), await OLD.encrypt(tenant_id, b"by hand")]
            )


def a_service(
    database: PostgresDatabase, *tenants: NewTenant, encryption: ReversingEncryption = NEW
) -> ResealingService:
    class Directory:
        async def tenant_ids(self) -> AsyncIterator[TenantId]:
            for new in tenants:
                yield new.tenant.id

    return ResealingService(
        directory=Directory(),
        sealed_of=partial(PostgresSealedValues, database),
        encryption=encryption,
        on_fault=lambda what, fault: None,
    )


async def keys_in_use(database: PostgresDatabase, new: NewTenant) -> dict[str, set[str]]:
    found = {}
    async with database.transaction(new.tenant.id) as connection:
        for column in SEALED.values():
            statement = sql.SQL("SELECT {} FROM {} WHERE {} IS NOT NULL").format(
                *map(sql.Identifier, (column.key, column.table, column.value))
            )
            found[column.table] = {key for (key,) in await (await connection.execute(statement)).fetchall()}
    return found


async def test_every_column_of_bytes_is_sealed_and_known_as_such_or_no_secret(owner_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(owner_url) as owner:
        listed = await owner.execute(
            """
            SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT a.attisdropped
              AND a.atttypid = 'bytea'::regtype
            """
        )
        columns = {(table, name) for table, name in await listed.fetchall() if not name.endswith("_hash")}
        named = await owner.execute(
            """
            SELECT table_name, column_name FROM information_schema.columns
            WHERE table_schema = 'public' AND column_name LIKE '%\\_key' AND data_type = 'text'
            """
        )
        keys = set(await named.fetchall())

    known = {(column.table, column.value) for column in SEALED.values()}
    assert {column for column in columns if column[1] not in NOT_SECRET} == known
    assert {(column.table, column.key) for column in SEALED.values()} <= keys
    assert {table for table, key in keys if (table, key.removesuffix("_key")) in columns} == set(SEALED)


async def test_every_sealed_value_gets_the_new_key_and_opens_as_before(database: PostgresDatabase) -> None:
    acme = await opened(database)
    await seal_one_of_each(database, acme)
    assert await keys_in_use(database, acme) == {table: {"old"} for table in SEALED}

    figures = await a_service(database, acme).reseal_all()

    assert figures == {"resealed": len(SEALED), "left": 0, "unreadable": 0}
    assert await keys_in_use(database, acme) == {table: {"new"} for table in SEALED}
    tenant_id = acme.tenant.id
    assistants = PostgresAssistants(database, tenant_id, encryption=NEW)
    config = (await assistants.get(acme.assistant.id)).assistant.config
    assert config.access_token == Secret("sk-of-the-assistant")
    [tool] = await PostgresHttpTools(database, tenant_id, encryption=NEW).list_all()
    assert tool.headers == a_tool(tenant_id).headers
    [server] = await PostgresMcpServers(database, tenant_id, encryption=NEW).list_all()
    assert server.headers == an_mcp_server(tenant_id).headers
    [source] = await PostgresKnowledgeSources(database, tenant_id, encryption=NEW).list_all()
    assert source.api_key == a_knowledge_source(tenant_id).api_key
    assert await a_service(database, acme).reseal_all() == {"resealed": 0, "left": 0, "unreadable": 0}


async def test_a_run_that_is_cut_short_tells_what_is_left_and_the_next_one_goes_on(database: PostgresDatabase) -> None:
    acme, globex = await opened(database), await opened(database)
    for new in (acme, globex):
        for number in range(3):
            await has_a_token(database, new, OLD, f"sk-number-{number}")

    class Failing(ReversingEncryption):
        """Works four times."""

        uses = 0

        async def encrypt(self, tenant_id: TenantId, value: bytes) -> bytes:
            self.uses += 1
            if self.uses > 4:
                raise Unavailable("the key store")
            return await super().encrypt(tenant_id, value)

    with pytest.raises(Unavailable):
        await a_service(database, acme, globex, encryption=Failing("new")).reseal_all()
    left = await PostgresSealedValues(database, globex.tenant.id).count_older("new")
    readable = await PostgresAssistants(database, globex.tenant.id, encryption=NEW).version(globex.assistant.id, 4)
    figures = await a_service(database, acme, globex).reseal_all()

    assert left == 2
    assert readable.config.access_token == Secret("sk-number-2")
    assert figures == {"resealed": 2, "left": 0, "unreadable": 0}


async def test_a_run_without_time_counts_what_is_left(database: PostgresDatabase) -> None:
    acme = await opened(database)
    await has_a_token(database, acme, OLD, "sk-of-the-assistant")
    service = a_service(database, acme)
    service._seconds = 0

    assert await service.reseal_all() == {"resealed": 0, "left": 1, "unreadable": 0}


async def test_a_value_that_does_not_open_stops_none_of_the_others(database: PostgresDatabase) -> None:
    acme, globex = await opened(database), await opened(database)
    await has_a_token(database, acme, OLD, "sk-of-the-assistant")
    await PostgresHttpTools(database, acme.tenant.id, encryption=OLD).add(a_tool(acme.tenant.id))
    async with database.transaction(acme.tenant.id) as connection:
        stranger = await OLD.encrypt(globex.tenant.id, b"of somebody else")
        await connection.execute("UPDATE assistant_versions SET access_token = %s WHERE number = 2", [stranger])

    figures = await a_service(database, acme).reseal_all()

    assert figures == {"resealed": 1, "left": 0, "unreadable": 1}


async def test_a_value_that_was_replaced_meanwhile_stays_as_it_was_left(database: PostgresDatabase) -> None:
    acme = await opened(database)
    tools = PostgresHttpTools(database, acme.tenant.id, encryption=OLD)
    tool = a_tool(acme.tenant.id)
    await tools.add(tool)
    values = PostgresSealedValues(database, acme.tenant.id)
    [seen] = await values.older("new", skip=0, limit=10)
    changed = replace(tool, headers={"authorization": Secret("Bearer changed")}, updated_at=seconds(9))
    await tools.save(changed)

    replaced = await values.replace(seen, await NEW.encrypt(acme.tenant.id, b"stale"), "new")

    assert not replaced
    assert (await tools.get(tool.id)).headers == changed.headers


async def test_two_runs_at_once_do_no_harm(database: PostgresDatabase) -> None:
    acme = await opened(database)
    await seal_one_of_each(database, acme)

    both = await asyncio.gather(*(a_service(database, acme).reseal_all() for _ in range(2)))

    assert sum(figures["resealed"] for figures in both) == len(SEALED)
    assert await keys_in_use(database, acme) == {table: {"new"} for table in SEALED}


async def test_another_tenants_values_are_out_of_reach(database: PostgresDatabase) -> None:
    acme, globex = await opened(database), await opened(database)
    await has_a_token(database, globex, OLD, "sk-of-globex")
    [theirs] = await PostgresSealedValues(database, globex.tenant.id).older("new", skip=0, limit=10)
    own = PostgresSealedValues(database, acme.tenant.id)

    assert await own.count_older("new") == 0
    assert await own.older("new", skip=0, limit=10) == []
    assert not await own.replace(theirs, b"sealed by somebody else", "new")
