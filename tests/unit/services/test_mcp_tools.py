"""Answers whose model calls the tools of MCP servers."""

from dataclasses import replace
from typing import Any

import pytest

from chatconnect.domain.errors import Unavailable
from chatconnect.domain.mcp import Listing, McpServer
from chatconnect.domain.tool import SEARCH_KNOWLEDGE
from chatconnect.services.mcp_tools import MAX_OFFERED
from tests.factories import NOON, a_tool, an_mcp_server
from tests.unit.services.conversing import World, a_question, a_world, text_of, told
from tests.unit.services.test_tool_rounds import ORDER, RoundsModel, call, moves
from tests.waiting import until

SCHEMA = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}


async def a_world_with_servers(*rounds: Any, tools: tuple[str, ...] = ("shop/*",), **config: Any) -> World:
    """A world with the server "shop", which offers find_order and stock, listed just now."""
    world = await a_world(model=RoundsModel(*rounds), tools=tools, **config)
    world.mcp.offers["shop"] = [("find_order", "Says where.", SCHEMA), ("stock", "Says how many.", SCHEMA)]
    world.mcp.answers["find_order"] = "It left on Monday."
    attach(world, an_mcp_server(world.tenant_id, listing=offering("find_order", "stock"), checked_at=world.clock()))
    return world


def offering(*names: str) -> Listing:
    return Listing.of([(name, "Does.", SCHEMA) for name in names], protocol="2025-11-25", at=NOON)


def attach(world: World, server: McpServer) -> McpServer:
    world.mcp_servers[world.tenant_id, server.id] = server
    return server


def kept(world: World) -> McpServer:
    [server] = world.mcp_servers.values()
    return server


def shown(world: World) -> list[str]:
    """What the model was told of, by name."""
    return [tool.name for tool in world.model.prompts[0].tools]


async def test_a_servers_answer_goes_to_the_model_and_its_answer_to_the_visitor() -> None:
    world = await a_world_with_servers([call("shop__find_order")], ["It left on Monday."])

    heard = await told(world.chat(), world.visitor(), a_question("Where is order A-1?"))

    assert moves(heard) == [("shop__find_order", "called"), ("shop__find_order", "done")]
    assert text_of(heard) == "It left on Monday."
    assert world.mcp.calls == [("shop", "find_order", ORDER)]
    [result] = world.model.prompts[1].messages[-1].results
    assert (result.text, result.failed) == ("It left on Monday.", False)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("shop/*",), ["shop__find_order", "shop__stock"]),
        (("shop/stock",), ["shop__stock"]),
        (("shop/gone", "unknown/*", "unknown/find_order", "shop"), []),
        (("bank/*", "shop/stock", SEARCH_KNOWLEDGE), [SEARCH_KNOWLEDGE, "bank__pay_me_", "shop__stock"]),
    ],
)
async def test_an_assistant_names_the_tools_that_it_uses(names: tuple[str, ...], expected: list[str]) -> None:
    world = await a_world_with_servers(["Hello."], tools=names)
    attach(world, an_mcp_server(world.tenant_id, name="bank", listing=offering("pay.me"), checked_at=world.clock()))

    await told(world.chat(), world.visitor(), a_question())

    assert [name[: len(end)] for name, end in zip(shown(world), expected, strict=True)] == expected


async def test_a_server_of_another_tenant_or_one_that_is_off_is_none() -> None:
    world, other = await a_world_with_servers(["Hello."], tools=("foreign/*", "off/*")), await a_world()
    foreign = an_mcp_server(other.tenant_id, name="foreign")
    world.mcp_servers[other.tenant_id, foreign.id] = foreign
    attach(world, an_mcp_server(world.tenant_id, name="off", enabled=False))

    await told(world.chat(), world.visitor(), a_question())

    assert shown(world) == []


async def test_a_tool_called_like_one_of_the_tenants_own_gives_way() -> None:
    world = await a_world_with_servers(["Hello."], tools=("shop/*", "shop__stock"))
    own = a_tool(world.tenant_id, name="shop__stock", description="Our own.")
    world.tools[world.tenant_id, own.id] = own

    await told(world.chat(), world.visitor(), a_question())

    tools = {tool.name: tool.description for tool in world.model.prompts[0].tools}
    assert tools == {"shop__stock": "Our own.", "shop__find_order": "Does."}


async def test_no_more_tools_are_offered_than_providers_take() -> None:
    world = await a_world_with_servers(["Hello."], tools=("shop/*", "bank/*"))
    listing = offering(*(f"tool{number}" for number in range(100)))
    attach(world, an_mcp_server(world.tenant_id, name="bank", listing=listing, checked_at=world.clock()))

    await told(world.chat(), world.visitor(), a_question())

    assert len(shown(world)) == MAX_OFFERED


async def test_a_server_that_fails_is_told_to_the_model_and_not_to_the_visitor() -> None:
    world = await a_world_with_servers([call("shop__stock")], ["I cannot say."])

    heard = await told(world.chat(), world.visitor(), a_question())

    [result] = world.model.prompts[1].messages[-1].results
    assert (result.failed, "status 500" in result.text) == (True, True)
    assert "status 500" not in str(heard)
    assert moves(heard)[-1] == ("shop__stock", "failed")
    assert (text_of(heard), heard[-1][0]) == ("I cannot say.", "done")


async def test_all_calls_of_an_answer_share_a_session_that_ends_with_it() -> None:
    world = await a_world_with_servers(
        [call("shop__find_order"), call("shop__find_order", number=2)], [call("shop__stock")], ["Done."]
    )

    await told(world.chat(), world.visitor(), a_question())

    assert len(world.mcp.calls) == 3
    assert (world.mcp.opened, world.mcp.closed) == (1, 1)


async def test_the_session_ends_with_an_answer_that_fails() -> None:
    world = await a_world_with_servers([call("shop__find_order")], [Unavailable("the model")])

    heard = await told(world.chat(), world.visitor(), a_question())

    assert heard[-1][0] == "error"
    assert (world.mcp.opened, world.mcp.closed) == (1, 1)


async def test_an_assistant_without_servers_asks_for_none() -> None:
    world = await a_world_with_servers(["Hello."], tools=())
    world.tool_faults["enabled"] = AssertionError("nobody needs it")

    heard = await told(world.chat(), world.visitor(), a_question())

    assert heard[-1][0] == "done"
    assert world.mcp.listed == []


async def test_without_the_list_of_servers_there_is_an_error() -> None:
    world = await a_world_with_servers(["never"])

    world.tool_faults["enabled"] = Unavailable("the database")
    heard = await told(world.chat(), world.visitor(), a_question())

    assert heard[-1][1]["code"] == "unavailable"


# Listing anew


async def test_tools_listed_lately_are_not_listed_again() -> None:
    world = await a_world_with_servers([call("shop__find_order")], ["Done."])

    await told(world.chat(), world.visitor(), a_question())

    assert world.mcp.listed == []


async def test_tools_an_hour_old_are_used_and_listed_anew_after_the_answer() -> None:
    world = await a_world_with_servers(["Hello."])
    world.clock.advance(3_660)
    world.mcp.offers["shop"] = [("other", "Does.", SCHEMA)]

    await told(world.chat(), world.visitor(), a_question())
    await until(lambda: kept(world).tools[0].name == "other")

    assert shown(world) == ["shop__find_order", "shop__stock"]
    assert world.mcp.listed == ["shop"]


async def test_a_tool_that_fails_has_its_server_asked_again_but_not_each_time() -> None:
    world = await a_world_with_servers([call("shop__stock")], ["Sorry."], [call("shop__stock")], ["Sorry."])
    world.clock.advance(120)
    world.mcp.now = world.clock()

    for _ in range(2):
        await told(world.chat(), world.visitor(), a_question())
        await until(lambda: kept(world).checked_at == world.clock())

    assert world.mcp.listed == ["shop"]


async def test_a_server_that_was_never_listed_is_asked_after_the_first_answer() -> None:
    world = await a_world_with_servers(["Hello."])
    attach(world, replace(kept(world), listing=None, checked_at=None))

    await told(world.chat(), world.visitor(), a_question())
    await until(lambda: kept(world).tools)

    assert shown(world) == []


async def test_a_server_that_does_not_answer_is_not_asked_after_every_answer() -> None:
    world = await a_world_with_servers(["Hello."])
    world.mcp.offers["shop"] = None
    world.clock.advance(7_200)

    for _ in range(2):
        await told(world.chat(), world.visitor(), a_question())
        await until(lambda: kept(world).failure)

    assert world.mcp.listed == ["shop"]
    assert shown(world) == ["shop__find_order", "shop__stock"]


async def test_a_listing_that_breaks_is_reported_to_us(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await a_world_with_servers(["Hello."])
    world.clock.advance(7_200)
    bug = RuntimeError("bug")

    async def broken(*_: object) -> Listing:
        raise bug

    monkeypatch.setattr(world.mcp, "listing", broken)
    heard = await told(world.chat(), world.visitor(), a_question())
    await until(lambda: world.faults)

    assert world.faults == [bug]
    assert heard[-1][0] == "done"
