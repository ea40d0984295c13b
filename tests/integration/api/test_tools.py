"""A company's own tools: how staff keep them, and what an answer makes of them."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.integration.api.clients import Company, ended_once, granted, refused, text_of
from tests.integration.api.conftest import ENDING, Model, OpenCompany
from tests.integration.providers.scripted import Act, event

SECRET = "Bearer of-the-shop"
SCHEMA = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
ORDERS = {
    "name": "find_order",
    "description": "Says where an order is.",
    "parameters": SCHEMA,
    "url": "https://shop.example.com/orders/{order}",
    "headers": {"Authorization": SECRET},
}


@pytest.fixture(scope="module")
async def company(open_company: OpenCompany) -> Company:
    return await open_company("Hooli")


@pytest.fixture
async def no_tools(company: Company) -> None:
    for tool in granted(await company.staff.get("/v1/tools"))["tools"]:
        granted_nothing = await company.staff.delete(f"/v1/tools/{tool['id']}")
        assert granted_nothing.status_code == 204


@pytest.fixture
async def shop() -> AsyncIterator[tuple[str, list[str]]]:
    """A shop's server, and what it was asked."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\nIt left on Monday.")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    server.close()


def calling(name: str, arguments: dict[str, Any]) -> Act:
    """A model's wish to call a tool."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"index": 0, "id": "call_1", "type": "function", "function": function}
    return Act((event({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}), *ENDING))


@pytest.mark.usefixtures("no_tools")
async def test_a_tool_is_kept_changed_and_removed_and_its_secret_never_shown(company: Company) -> None:
    added = await company.staff.post("/v1/tools", ORDERS)
    tool = granted(added)
    changed = await company.staff.put(
        f"/v1/tools/{tool['id']}", ORDERS | {"description": "Finds it.", "headers": {"Authorization": None}}
    )
    listed = await company.staff.get("/v1/tools")
    gone = await company.staff.delete(f"/v1/tools/{tool['id']}")

    assert (added.status_code, gone.status_code) == (201, 204)
    assert (tool["headers"], tool["method"], tool["enabled"]) == (["Authorization"], "GET", True)
    assert granted(changed)["description"] == "Finds it."
    assert [each["id"] for each in granted(listed)["tools"]] == [tool["id"]]
    assert "of-the-shop" not in added.text + changed.text + listed.text
    refused(await company.staff.delete(f"/v1/tools/{tool['id']}"), 404, "not_found")


@pytest.mark.usefixtures("no_tools")
async def test_a_name_is_used_once(company: Company) -> None:
    granted(await company.staff.post("/v1/tools", ORDERS))

    refused(await company.staff.post("/v1/tools", ORDERS), 409, "name_taken")


@pytest.mark.usefixtures("no_tools")
async def test_a_stored_secret_does_not_move_to_another_host(company: Company) -> None:
    tool = granted(await company.staff.post("/v1/tools", ORDERS))
    moved = ORDERS | {"url": "https://elsewhere.example.com/", "headers": {"Authorization": None}}

    error = refused(await company.staff.put(f"/v1/tools/{tool['id']}", moved), 400, "invalid_request")

    assert error["details"]["field"] == "headers.Authorization"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "no spaces"}, "name"),
        ({"url": "https://{order}.example.com/"}, "url"),
        ({"url": "https://user:pw@example.com/"}, "url"),
        ({"headers": {"Host": "x"}}, "headers.Host"),
        ({"headers": {"X": "a\nb"}}, "headers.X"),
        ({"headers": {"X": None}}, "headers.X"),
        ({"parameters": {"type": "object", "default": "a\0b"}}, "parameters"),
        ({"parameters": {"type": "object", "properties": {"order": {"pattern": "(a+)+$"}}}}, "parameters"),
    ],
)
async def test_what_a_tool_may_not_be_is_refused(company: Company, change: dict[str, Any], field: str) -> None:
    error = refused(await company.staff.post("/v1/tools", ORDERS | change), 400, "invalid_request")

    assert error["details"]["field"] == field
    assert "of-the-shop" not in str(error)


async def test_visitors_have_no_business_with_tools(company: Company) -> None:
    visitor = await company.visitor()

    refused(await company.http.get("/v1/tools"), 401, "unauthenticated")
    assert (await visitor.get("/v1/tools")).status_code in (401, 403)
    assert (await visitor.post("/v1/tools", ORDERS)).status_code in (401, 403)


@pytest.mark.usefixtures("no_tools")
async def test_an_answer_uses_a_tool(company: Company, model: Model, shop: tuple[str, list[str]]) -> None:
    url, asked = shop
    granted(await company.staff.post("/v1/tools", ORDERS | {"url": f"{url}/orders/{{order}}"}))
    await company.uses("openai", model.base_url, access_token="sk-of-hooli", tools=["find_order"])
    model.plays(calling("find_order", {"order": "A 1"}))
    model.says("It left ", "on Monday.")

    events = await (await company.visitor()).stream("Where is order A 1?")

    assert text_of(events) == "It left on Monday."
    moves = [(each.data["name"], each.data["state"]) for each in events if each.name == "tool"]
    assert moves == [("find_order", "called"), ("find_order", "done")]
    assert ended_once(events).data["usage"]["input_tokens"] == 2_000
    assert asked[0].startswith("GET /orders/A%201 HTTP/1.1")
    assert SECRET in asked[0]
    assert model.prompts[1][-1] == {"role": "tool", "tool_call_id": "call_1", "content": "It left on Monday."}
    prompt = await company.staff.get(f"/v1/messages/{events[0].data['message_id']}/prompt")
    assert granted(prompt)["tools"] == model.offered[0]
    assert "of-the-shop" not in str(model.prompts) + str(events) + prompt.text


@pytest.mark.usefixtures("no_tools")
async def test_a_tool_that_is_away_is_told_to_the_model_alone(company: Company, model: Model) -> None:
    granted(await company.staff.post("/v1/tools", ORDERS | {"url": "http://127.0.0.1:9/orders/{order}"}))
    await company.uses("openai", model.base_url, access_token="sk-of-hooli", tools=["find_order"])
    model.plays(calling("find_order", {"order": "A-1"}))
    model.says("I cannot look it up now.")

    events = await (await company.visitor()).stream("Where is order A-1?")

    assert (text_of(events), ended_once(events).name) == ("I cannot look it up now.", "done")
    assert [each.data["state"] for each in events if each.name == "tool"] == ["called", "failed"]
    assert "could not be reached" in model.prompts[1][-1]["content"]
    assert "could not be reached" not in str(events)


async def test_the_search_is_a_tool_and_what_it_finds_is_cited(company: Company, model: Model) -> None:
    await company.ingested("Delivery guide.txt", b"Parcels to Iceland arrive after nine working days.")
    await company.uses(
        "openai", model.base_url, access_token="sk-of-hooli", tools=["search_knowledge"],
        retrieval={"limit": 5, "threshold": 0.3},
    )  # fmt: skip
    model.plays(calling("search_knowledge", {"query": "How long do parcels to Iceland take?"}))
    model.says("Nine working days [1].")

    events = await (await company.visitor()).stream("xyzzy?")

    assert "Iceland" in model.prompts[1][-1]["content"]
    [citation] = ended_once(events).data["citations"]
    assert citation["quote"] == "Parcels to Iceland arrive after nine working days."


async def test_the_fallback_answers_when_the_first_model_is_down(company: Company, model: Model) -> None:
    fallback = {"provider": "openai", "model": "gpt-4o"}
    await company.uses("openai", model.base_url, access_token="sk-of-hooli", fallback=fallback, tools=[])
    down = Act((b"{}",), 500, {"content-type": "application/json"})
    model.plays(down, down)
    model.says("Here I am.")

    visitor = await company.visitor()
    events = await visitor.stream("Hello?")

    assert (text_of(events), ended_once(events).name) == ("Here I am.", "done")
    thread = await visitor.conversation(events[0].data["conversation_id"])
    assert thread["messages"][-1]["model"] == "gpt-4o"
