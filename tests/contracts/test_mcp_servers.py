"""What every store of tenants' MCP servers does."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.mcp_servers import PostgresMcpServers
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import McpServerId, TenantId, new_id
from chatconnect.domain.mcp import Listing
from chatconnect.domain.secret import Secret
from chatconnect.ports.mcp import McpServers
from tests.factories import an_mcp_server, seconds
from tests.fakes.encryption import ReversingEncryption
from tests.fakes.mcp import MemoryMcpServers, StoredMcpServers

ServersOf = Callable[[TenantId], McpServers]


@pytest.fixture(params=["memory", "postgres"])
def servers_of(request: pytest.FixtureRequest) -> ServersOf:
    if request.param == "memory":
        stored: StoredMcpServers = {}
        return lambda tenant_id: MemoryMcpServers(stored, tenant_id)
    database: PostgresDatabase = request.getfixturevalue("database")
    return lambda tenant_id: PostgresMcpServers(database, tenant_id, encryption=ReversingEncryption())


async def test_a_server_is_read_back_with_its_headers_and_what_it_offers(servers_of: ServersOf, acme: TenantId) -> None:
    servers, server = servers_of(acme), an_mcp_server(acme)
    bare = an_mcp_server(acme, name="bare", headers={}, listing=None, checked_at=None)

    await servers.add(server)
    await servers.add(bare)

    assert await servers.get(server.id) == server
    assert await servers.list_all() == [bare, server]


async def test_a_saved_server_takes_the_place_of_the_earlier(servers_of: ServersOf, acme: TenantId) -> None:
    servers, server = servers_of(acme), an_mcp_server(acme)
    await servers.add(server)
    changed = replace(
        server, name="shop2", enabled=False, headers={"x-key": Secret("other")}, listing=None, updated_at=seconds(9)
    )

    await servers.save(changed)

    assert await servers.list_all() == [changed]


async def test_only_named_servers_that_are_on_are_enabled(servers_of: ServersOf, acme: TenantId) -> None:
    servers = servers_of(acme)
    wanted, off = an_mcp_server(acme), an_mcp_server(acme, name="off", enabled=False)
    for server in (wanted, off, an_mcp_server(acme, name="other")):
        await servers.add(server)

    assert await servers.enabled(["shop", "off", "unknown"]) == [wanted]


async def test_what_a_server_offers_is_kept_apart_from_the_rest(servers_of: ServersOf, acme: TenantId) -> None:
    servers, server = servers_of(acme), an_mcp_server(acme)
    await servers.add(server)
    listing = Listing.of([("other", "Does.", {"properties": {"a": {}}})], protocol="2026-07-28", at=seconds(5))

    await servers.save_listing(server.listed(listing))
    listed = await servers.get(server.id)
    await servers.save_listing(listed.failed("the server answered with status 500", seconds(6)))

    assert listed == server.listed(listing)
    assert await servers.get(server.id) == listed.failed("the server answered with status 500", seconds(6))


async def test_a_listing_of_a_server_that_was_changed_meanwhile_is_dropped(
    servers_of: ServersOf, acme: TenantId
) -> None:
    servers, server = servers_of(acme), an_mcp_server(acme)
    await servers.add(server)
    changed = replace(server, url="https://elsewhere.example.com/mcp", listing=None, updated_at=seconds(9))
    await servers.save(changed)
    gone = an_mcp_server(acme, name="gone")

    for outdated in (server, gone):
        await servers.save_listing(outdated.failed("x", seconds(10)))

    assert await servers.list_all() == [changed]


async def test_two_servers_of_a_tenant_never_have_one_name(
    servers_of: ServersOf, acme: TenantId, globex: TenantId
) -> None:
    servers, second = servers_of(acme), an_mcp_server(acme, name="second")
    await servers.add(an_mcp_server(acme))
    await servers.add(second)
    await servers_of(globex).add(an_mcp_server(globex))

    for refused in (servers.add(an_mcp_server(acme)), servers.save(replace(second, name="shop"))):
        with pytest.raises(Conflict) as caught:
            await refused
        assert caught.value.code == "name_taken"


async def test_a_deleted_server_is_gone(servers_of: ServersOf, acme: TenantId) -> None:
    servers, server = servers_of(acme), an_mcp_server(acme)
    await servers.add(server)

    await servers.delete(server.id)

    assert await servers.list_all() == []
    for missing in (servers.get(server.id), servers.save(server), servers.delete(McpServerId(new_id()))):
        with pytest.raises(NotFound):
            await missing


async def test_another_tenants_server_does_not_exist(servers_of: ServersOf, acme: TenantId, globex: TenantId) -> None:
    server = an_mcp_server(globex)
    await servers_of(globex).add(server)
    servers = servers_of(acme)

    for missing in (servers.get(server.id), servers.save(server), servers.delete(server.id)):
        with pytest.raises(NotFound):
            await missing
    await servers.save_listing(server.failed("x", seconds(1)))
    assert (await servers.list_all(), await servers.enabled(["shop"])) == ([], [])
    assert await servers_of(globex).get(server.id) == server


async def test_those_of_one_tenant_are_counted(servers_of: ServersOf, acme: TenantId, globex: TenantId) -> None:
    for tenant_id, name in ((acme, "one"), (acme, "two"), (globex, "one")):
        await servers_of(tenant_id).add(an_mcp_server(tenant_id, name=name))

    assert (await servers_of(acme).count(), await servers_of(globex).count()) == (2, 1)
