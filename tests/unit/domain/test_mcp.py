"""What an MCP server may be called, and what is taken over of what it offers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.mcp import MAX_TOOLS, Listing, McpTool, wanted_tools
from chatconnect.domain.secret import Secret
from tests.factories import NOON, an_mcp_server

SERVER = an_mcp_server(TenantId(new_id()))
SCHEMA = {"type": "object", "properties": {"order": {"type": "string"}}}


def offered(*tools: tuple[str, str, dict[str, Any]]) -> Listing:
    return Listing.of(tools, protocol="2025-11-25", at=NOON)


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "has space"},
        {"name": "has_underscore"},
        {"name": "has/slash"},
        {"name": "x" * 33},
        {"url": "ftp://example.com"},
        {"url": "https://user:pw@example.com/"},
        {"url": "https://example.com/{order}"},
        {"headers": {"Host": Secret("internal")}},
        {"headers": {"X-Key": Secret("a\r\nHost: evil")}},
    ],
)
def test_what_could_not_be_reached_or_should_not_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        replace(SERVER, **change)


@pytest.mark.parametrize("name", ["", "*", "has space", "ünder", "a\nb", "x" * 129])
def test_a_tool_that_cannot_be_named_is_left_out(name: str) -> None:
    listing = offered((name, "Does.", SCHEMA), ("good", "Does.", SCHEMA))

    assert ([tool.name for tool in listing.tools], listing.left_out) == (["good"], 1)


def test_descriptions_are_cleaned_and_bounded_and_never_empty() -> None:
    listing = offered(("long", "a\0b\u202ec" + "x" * 5_000, SCHEMA), ("none", " ", SCHEMA))

    assert [tool.description for tool in listing.tools] == ["abc" + "x" * 997, "none"]


def test_a_tool_without_a_usable_schema_is_left_out() -> None:
    too_long = {"type": "object", "properties": {"it": {"enum": ["x" * 20_000]}}}

    listing = offered(("long", "Does.", too_long), ("good", "Does.", SCHEMA))

    assert ([tool.name for tool in listing.tools], listing.left_out) == (["good"], 1)


def test_a_name_that_comes_twice_counts_once() -> None:
    listing = offered(("twice", "First.", SCHEMA), ("twice", "Second.", SCHEMA))

    assert ([tool.description for tool in listing.tools], listing.left_out) == (["First."], 1)


def test_a_servers_tools_are_bounded_in_number_and_in_all() -> None:
    many = offered(*((f"tool{number}", "Does.", SCHEMA) for number in range(150)))
    long_schema = {"type": "object", "properties": {"it": {"enum": ["x" * 15_000]}}}
    long = offered(*((f"tool{number}", "Does.", long_schema) for number in range(20)), ("small", "Does.", SCHEMA))

    assert (len(many.tools), many.left_out) == (MAX_TOOLS, 150 - MAX_TOOLS)
    assert [tool.name for tool in long.tools] == [*(f"tool{number}" for number in range(6)), "small"]


def test_an_assistants_names_choose_tools_of_servers() -> None:
    server = replace(SERVER, listing=offered(*((name, "Does.", SCHEMA) for name in ("a", "b", "c/d"))))

    wanted = wanted_tools(["search_knowledge", "own", "shop/a", "shop/c/d", "bank/*", "shop/unknown"])

    assert wanted == {"shop": {"a", "c/d", "unknown"}, "bank": {"*"}}
    assert [tool.name for tool in server.offered(wanted["shop"])] == ["a", "c/d"]
    assert server.offered({"*"}) == list(server.tools)
    assert replace(server, listing=None).offered({"*"}) == []


@pytest.mark.parametrize(
    ("server", "tool", "name"),
    [
        ("shop", "find_order", "shop__find_order"),
        ("my-shop", "_find", "my-shop___find"),
        ("shop", "stock.of", "shop__stock_of_"),
        ("shop", "x" * 100, "shop__" + "x" * 49 + "_"),
    ],
)
def test_a_model_sees_names_that_every_provider_takes(server: str, tool: str, name: str) -> None:
    shown = replace(SERVER, name=server).model_name(McpTool(tool, "Does.", SCHEMA))

    assert shown.startswith(name)
    assert len(shown) <= 64
    assert shown.replace("_", "").replace("-", "").isalnum()


def test_names_that_look_alike_stay_apart() -> None:
    tools = ["a.b", "a/b", "a_b", "a:b", "x" * 100, "x" * 101]

    shown = {SERVER.model_name(McpTool(name, "Does.", SCHEMA)) for name in tools}

    assert len(shown) == len(tools)


@pytest.mark.parametrize(
    ("age", "doubted", "due"),
    [
        (None, False, True),
        (timedelta(minutes=59), False, False),
        (timedelta(minutes=61), False, True),
        (timedelta(seconds=59), True, False),
        (timedelta(seconds=61), True, True),
    ],
)
def test_a_listing_is_renewed_when_it_is_old_or_doubted(age: timedelta | None, doubted: bool, due: bool) -> None:
    server = replace(SERVER, checked_at=None if age is None else NOON - age)

    assert server.is_due(NOON, doubted=doubted) is due


def test_a_failure_keeps_the_earlier_listing_and_a_listing_ends_the_failure() -> None:
    later = NOON + timedelta(hours=2)

    failed = SERVER.failed("status 500", later)
    mended = failed.listed(replace(offered(), at=later))

    assert (failed.tools, failed.checked_at, failed.failure) == (SERVER.tools, later, "status 500")
    assert (mended.tools, mended.checked_at, mended.failure) == ((), later, None)
