"""What every store of tenants' own tools does."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from chatconnect.adapters.postgres.database import PostgresDatabase
from chatconnect.adapters.postgres.tools import PostgresHttpTools
from chatconnect.domain.errors import Conflict, NotFound
from chatconnect.domain.identifiers import TenantId, ToolId, new_id
from chatconnect.domain.secret import Secret
from chatconnect.ports.tools import HttpTools
from tests.factories import a_tool, seconds
from tests.fakes.encryption import ReversingEncryption
from tests.fakes.tools import MemoryHttpTools, StoredTools

ToolsOf = Callable[[TenantId], HttpTools]


@pytest.fixture(params=["memory", "postgres"])
def tools_of(request: pytest.FixtureRequest) -> ToolsOf:
    if request.param == "memory":
        stored: StoredTools = {}
        return lambda tenant_id: MemoryHttpTools(stored, tenant_id)
    database: PostgresDatabase = request.getfixturevalue("database")
    return lambda tenant_id: PostgresHttpTools(database, tenant_id, encryption=ReversingEncryption())


async def test_a_tool_is_read_back_with_its_headers(tools_of: ToolsOf, acme: TenantId) -> None:
    tools, tool, bare = tools_of(acme), a_tool(acme), a_tool(acme, name="bare", headers={}, method="POST")

    await tools.add(tool)
    await tools.add(bare)

    assert await tools.get(tool.id) == tool
    assert await tools.list_all() == [bare, tool]


async def test_a_saved_tool_takes_the_place_of_the_earlier(tools_of: ToolsOf, acme: TenantId) -> None:
    tools, tool = tools_of(acme), a_tool(acme)
    await tools.add(tool)
    changed = replace(tool, name="orders2", enabled=False, headers={"x-key": Secret("other")}, updated_at=seconds(9))

    await tools.save(changed)

    assert await tools.list_all() == [changed]


async def test_only_named_tools_that_are_on_are_enabled(tools_of: ToolsOf, acme: TenantId) -> None:
    tools = tools_of(acme)
    wanted, off, other = a_tool(acme), a_tool(acme, name="off", enabled=False), a_tool(acme, name="other")
    for tool in (wanted, off, other):
        await tools.add(tool)

    assert await tools.enabled(["orders", "off", "unknown"]) == [wanted]


async def test_two_tools_of_a_tenant_never_have_one_name(tools_of: ToolsOf, acme: TenantId, globex: TenantId) -> None:
    tools, second = tools_of(acme), a_tool(acme, name="second")
    await tools.add(a_tool(acme))
    await tools.add(second)
    await tools_of(globex).add(a_tool(globex))

    for refused in (tools.add(a_tool(acme)), tools.save(replace(second, name="orders"))):
        with pytest.raises(Conflict) as caught:
            await refused
        assert caught.value.code == "name_taken"


async def test_a_deleted_tool_is_gone(tools_of: ToolsOf, acme: TenantId) -> None:
    tools, tool = tools_of(acme), a_tool(acme)
    await tools.add(tool)

    await tools.delete(tool.id)

    assert await tools.list_all() == []
    for missing in (tools.get(tool.id), tools.save(tool), tools.delete(ToolId(new_id()))):
        with pytest.raises(NotFound):
            await missing


async def test_another_tenants_tool_does_not_exist(tools_of: ToolsOf, acme: TenantId, globex: TenantId) -> None:
    tool = a_tool(globex)
    await tools_of(globex).add(tool)
    tools = tools_of(acme)

    for missing in (tools.get(tool.id), tools.save(tool), tools.delete(tool.id)):
        with pytest.raises(NotFound):
            await missing
    assert (await tools.list_all(), await tools.enabled(["orders"])) == ([], [])
    assert await tools_of(globex).get(tool.id) == tool


async def test_those_of_one_tenant_are_counted(tools_of: ToolsOf, acme: TenantId, globex: TenantId) -> None:
    for tenant_id, name in ((acme, "one"), (acme, "two"), (globex, "one")):
        await tools_of(tenant_id).add(a_tool(tenant_id, name=name))

    assert (await tools_of(acme).count(), await tools_of(globex).count()) == (2, 1)
