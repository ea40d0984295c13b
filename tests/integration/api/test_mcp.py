"""A company's MCP servers: how staff attach them, and what answers make of their tools."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from local.configuration import DATABASE
from tests.integration.api.clients import Caller, Company, ended_once, granted, refused, text_of
from tests.integration.api.conftest import Model, OpenCompany
from tests.integration.api.test_tools import calling
from tests.mcp_server import TOKEN, RunningServer, mcp_server
from tests.mcp_shops import old_shop, shop
from tests.stack import RunningStack
from tests.waiting import until

__all__ = ["old_shop", "shop"]

QUESTION = "Where is shipping order A-1?"


@pytest.fixture(scope="module")
async def company(open_company: OpenCompany) -> Company:
    return await open_company("Massive Dynamic")


@pytest.fixture
async def no_servers(company: Company) -> None:
    for server in granted(await company.staff.get("/v1/mcp-servers"))["servers"]:
        assert (await company.staff.delete(f"/v1/mcp-servers/{server['id']}")).status_code == 204


@pytest.fixture(scope="module", params=["handshake", "modern"])
def kind(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    with mcp_server(modern=request.param == "modern") as running:
        yield running


def described(shop: RunningServer, token: str = TOKEN, **more: Any) -> dict[str, Any]:
    return {"name": "shop", "url": shop.url, "headers": {"Authorization": token}} | more


async def attached(company: Company, shop: RunningServer, **more: Any) -> dict[str, Any]:
    server: dict[str, Any] = granted(await company.staff.post("/v1/mcp-servers", described(shop, **more)))
    return server


async def visitor_of(company: Company, base_url: str, *tools: str, provider: str = "openai") -> Caller:
    """A visitor of an assistant that names these tools."""
    await company.uses(provider, base_url, access_token="sk-of-massive", tools=list(tools))
    return await company.visitor()


@pytest.mark.usefixtures("no_servers")
async def test_a_server_is_attached_shown_changed_and_detached_and_its_secret_never_shown(
    company: Company, shop: RunningServer
) -> None:
    added = await company.staff.post("/v1/mcp-servers", described(shop))
    server = granted(added)
    path = f"/v1/mcp-servers/{server['id']}"
    shown = await company.staff.get(path)
    changed = await company.staff.put(path, described(shop, headers={"Authorization": None}, name="store"))
    listed = await company.staff.get("/v1/mcp-servers")
    gone = await company.staff.delete(path)

    assert (added.status_code, gone.status_code) == (201, 204)
    assert granted(shown) == server
    assert (server["headers"], server["enabled"], server["failure"]) == (["Authorization"], True, None)
    assert server["tools"][0] == {
        "name": "find_order",
        "model_name": "shop__find_order",
        "description": "Says where an order is.",
    }
    assert server["listed_at"] == server["checked_at"]
    assert granted(changed)["tools"][0]["model_name"] == "store__find_order"
    assert [each["name"] for each in granted(listed)["servers"]] == ["store"]
    assert "of-the-mcp-server" not in added.text + shown.text + changed.text + listed.text
    for missing in (company.staff.get(path), company.staff.delete(path), company.staff.post(f"{path}/refresh")):
        refused(await missing, 404, "not_found")


@pytest.mark.usefixtures("no_servers")
async def test_a_server_that_refuses_is_kept_with_the_reason_until_it_is_mended(
    company: Company, shop: RunningServer
) -> None:
    server = await attached(company, shop, token="wrong")
    path = f"/v1/mcp-servers/{server['id']}"

    again = granted(await company.staff.post(f"{path}/refresh"))
    mended = granted(await company.staff.put(path, described(shop)))

    assert (server["tools"], server["failure"]) == ([], "the server answered with status 401")
    assert (again["failure"], again["listed_at"]) == (server["failure"], None)
    assert (len(mended["tools"]), mended["failure"]) == (7, None)


@pytest.mark.usefixtures("no_servers")
async def test_a_refresh_finds_what_is_new(company: Company, shop: RunningServer) -> None:
    server = await attached(company, shop)
    shop.mcp.add_tool(lambda: "new", name="brand_new", description="New.")
    try:
        refreshed = granted(await company.staff.post(f"/v1/mcp-servers/{server['id']}/refresh"))
    finally:
        shop.mcp.remove_tool("brand_new")

    assert refreshed["tools"][-1]["name"] == "brand_new"
    assert granted(await company.staff.get(f"/v1/mcp-servers/{server['id']}")) == refreshed


@pytest.mark.usefixtures("no_servers")
async def test_a_name_is_used_once(company: Company, shop: RunningServer) -> None:
    await attached(company, shop)

    refused(await company.staff.post("/v1/mcp-servers", described(shop)), 409, "name_taken")


@pytest.mark.usefixtures("no_servers")
async def test_a_stored_secret_does_not_move_to_another_host(company: Company, shop: RunningServer) -> None:
    server = await attached(company, shop)
    moved = described(shop, url="https://elsewhere.example.com/", headers={"Authorization": None})

    error = refused(await company.staff.put(f"/v1/mcp-servers/{server['id']}", moved), 400, "invalid_request")

    assert error["details"]["field"] == "headers.Authorization"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "no_underscores"}, "name"),
        ({"url": "ftp://mcp.example.com/"}, "url"),
        ({"url": "https://user:pw@example.com/"}, "url"),
        ({"headers": {"Host": "x"}}, "headers.Host"),
        ({"headers": {"X": None}}, "headers.X"),
    ],
)
async def test_what_a_server_may_not_be_is_refused(
    company: Company, shop: RunningServer, change: dict[str, Any], field: str
) -> None:
    error = refused(await company.staff.post("/v1/mcp-servers", described(shop) | change), 400, "invalid_request")

    assert error["details"]["field"] == field
    assert "of-the-mcp-server" not in str(error)


async def test_visitors_have_no_business_with_servers(company: Company, shop: RunningServer) -> None:
    visitor = await company.visitor()

    refused(await company.http.get("/v1/mcp-servers"), 401, "unauthenticated")
    assert (await visitor.get("/v1/mcp-servers")).status_code in (401, 403)
    assert (await visitor.post("/v1/mcp-servers", described(shop))).status_code in (401, 403)


@pytest.mark.usefixtures("no_servers")
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_an_answer_uses_a_servers_tool_in_each_providers_format(
    company: Company, shop: RunningServer, stack: RunningStack, provider: str
) -> None:
    await stack.providers.reset()
    call = {"id": "call_7", "name": "shop__find_order", "arguments": '{"order": "A-1"}'}
    await stack.providers.script(
        {"match": {"toolCallId": "call_7"}, "response": {"content": "It left on Monday."}},
        {"match": {"userMessage": "shipping", "toolName": "shop__find_order"}, "response": {"toolCalls": [call]}},
    )
    await attached(company, shop)
    shop.requests.clear()
    base_url = stack.providers.openai_url if provider == "openai" else stack.providers.url
    visitor = await visitor_of(company, base_url, "shop/*", provider=provider)

    events = await visitor.stream(QUESTION)

    assert text_of(events) == "It left on Monday."
    moves = [(each.data["name"], each.data["state"]) for each in events if each.name == "tool"]
    assert moves == [("shop__find_order", "called"), ("shop__find_order", "done")]
    assert ended_once(events).name == "done"
    assert shop.calls == ["A-1"]
    assert {token for _, token in shop.requests} == {TOKEN}
    first, second = [each["body"] for each in await stack.providers.requests() if each["method"] == "POST"]
    assert "shop__find_order" in str(first["tools"])
    assert "Order A-1 left on Monday." in str(second["messages"])
    assert "of-the-mcp-server" not in f"{events} {first} {second}"


@pytest.mark.usefixtures("no_servers")
async def test_the_model_is_told_only_of_the_tools_that_the_assistant_names(
    company: Company, shop: RunningServer, model: Model
) -> None:
    await attached(company, shop)
    visitor = await visitor_of(company, model.base_url, "shop/stock.of", "unknown/*")
    model.says("Hello.")

    await visitor.ask(QUESTION)

    [tool] = model.offered[-1]
    name = tool["name"]
    assert name.startswith("shop__stock_of_")
    assert tool["parameters"]["required"] == ["article"]
    model.plays(calling(name, {"article": "bell"}))
    model.says("Seven.")
    assert (await visitor.ask("How many bells are there?"))["text"] == "Seven."
    assert '"pieces": 7' in model.prompts[-1][-1]["content"]


@pytest.mark.usefixtures("no_servers")
@pytest.mark.parametrize(
    ("tool", "told"),
    [
        ("refuse", "there is no such article"),
        ("huge", "more than 1,024 kB"),
    ],
)
async def test_a_tool_that_fails_is_told_to_the_model_alone(
    company: Company, shop: RunningServer, model: Model, tool: str, told: str
) -> None:
    await attached(company, shop)
    visitor = await visitor_of(company, model.base_url, "shop/*")
    model.plays(calling(f"shop__{tool}", {}))
    model.says("I cannot look it up now.")

    events = await visitor.stream(QUESTION)

    assert (text_of(events), ended_once(events).name) == ("I cannot look it up now.", "done")
    assert [each.data["state"] for each in events if each.name == "tool"] == ["called", "failed"]
    assert told in model.prompts[1][-1]["content"]
    assert told not in str(events)


@pytest.mark.usefixtures("no_servers")
async def test_a_server_that_hangs_costs_an_answer_some_seconds_and_not_its_end(
    company: Company, old_shop: RunningServer, model: Model
) -> None:
    await attached(company, old_shop)
    visitor = await visitor_of(company, model.base_url, "shop/*")
    old_shop.hanging = True
    for _ in range(2):
        model.plays(calling("shop__find_order", {"order": "A-1"}))
    model.says("I cannot look it up now.")

    begun = time.perf_counter()
    events = await visitor.stream(QUESTION)

    assert (text_of(events), ended_once(events).name) == ("I cannot look it up now.", "done")
    assert [each.data["state"] for each in events if each.name == "tool"] == ["called", "failed"] * 2
    assert "did not answer within 12 seconds" in model.prompts[1][-1]["content"]
    assert time.perf_counter() - begun < 23
    assert old_shop.calls == []


@pytest.mark.usefixtures("no_servers")
async def test_tools_an_hour_old_are_used_once_more_and_listed_anew(
    company: Company, shop: RunningServer, model: Model, stack: RunningStack
) -> None:
    server = await attached(company, shop)
    visitor = await visitor_of(company, model.base_url, "shop/*")
    with psycopg.connect(stack.services.postgres.database_url(DATABASE), autocommit=True) as owner:
        owner.execute(
            "UPDATE mcp_servers SET checked_at = checked_at - interval '2 hours', listing = jsonb_set(listing, "
            "'{tools,0,name}', '\"old_name\"') WHERE id = %s",
            [server["id"]],
        )
    model.says("Hello.")
    model.says("Hello again.")

    await visitor.ask(QUESTION)

    async def listed_anew() -> bool:
        shown = granted(await company.staff.get(f"/v1/mcp-servers/{server['id']}"))
        return bool(shown["tools"] == server["tools"])

    await until(listed_anew)
    await visitor.ask("And now?")

    assert [tools[0]["name"] for tools in model.offered] == ["shop__old_name", "shop__find_order"]


@pytest.mark.usefixtures("no_servers")
async def test_a_server_detached_is_passed_over(company: Company, shop: RunningServer, model: Model) -> None:
    server = await attached(company, shop)
    visitor = await visitor_of(company, model.base_url, "shop/*")
    await company.staff.delete(f"/v1/mcp-servers/{server['id']}")
    model.says("Hello.")

    await visitor.ask(QUESTION)

    assert model.offered == [[]]
