"""The widget, the running product behind it, and a model that does as told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from local.services.api import Api
from tests.browser.steps import PATIENT_MS, Opened, answer_text, ask, complete_answer, last_answer
from tests.integration.api.clients import Company, granted
from tests.integration.api.conftest import ENDING, Model, pieces
from tests.integration.providers.scripted import Act, ScriptedProvider, event
from tests.stack import RunningStack
from tests.waiting import until


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def model(provider: ScriptedProvider) -> Model:
    return Model(provider)


@pytest.fixture
async def company(company: Company, model: Model) -> Company:
    """A company whose assistant uses the scripted model."""
    await company.uses("openai", model.base_url, access_token="sk-of-globex")
    await company.found("anything")  # a first search also loads the embedding model
    return company


@pytest.fixture
def opened(page: Page, stack: RunningStack, company: Company, widget_file: Path) -> Opened:
    """Visit the company's page and open its chat."""
    url = f"{stack.api_url}/page-of-globex"
    script = f'<script src="/widget.js" data-key="{company.widget_key}" async></script>'

    async def serve(route: Route) -> None:
        html = f"<!doctype html><title>Globex</title>{script}<h1>Globex</h1>"
        await route.fulfill(body=html, content_type="text/html")

    async def open_chat() -> Page:
        await page.route(url, serve)
        await page.goto(url)
        await page.get_by_role("button", name="Open chat").click()
        return page

    return open_chat


async def test_edits_and_further_answers_are_kept_and_found_again(opened: Opened, model: Model) -> None:
    for text in ("In May.", "On the first of May.", "In Oslo."):
        model.says(text)
    page = await opened()
    await ask(page, "When?")
    await expect(complete_answer(page)).to_have_text("In May.")

    await page.get_by_role("button", name="Answer again").click()
    await expect(complete_answer(page)).to_have_text("On the first of May.")
    await page.locator("chat-connect .user").hover()
    await page.get_by_role("button", name="Edit", exact=True).click()
    await page.get_by_role("textbox", name="Edit your message").fill("Where?")
    await page.get_by_role("textbox", name="Edit your message").press("Enter")
    await expect(complete_answer(page)).to_have_text("In Oslo.")

    await page.locator("chat-connect .user").get_by_role("button", name="Previous version").click()
    await expect(complete_answer(page)).to_have_text("On the first of May.")
    await last_answer(page).get_by_role("button", name="Previous version").click()
    await expect(complete_answer(page)).to_have_text("In May.")
    await page.reload()

    await expect(complete_answer(page)).to_have_text("In May.")
    await expect(page.get_by_role("group", name="Version 1 of 2")).to_have_count(2)
    assert [prompt[-1]["content"] for prompt in model.prompts] == ["When?", "When?", "Where?"]


async def test_a_reload_in_the_middle_ends_with_one_whole_answer_from_one_request(
    opened: Opened, model: Model, company: Company
) -> None:
    rest = asyncio.Event()
    model.says("Before the reload,", rest, " and after.")
    page = await opened()
    await ask(page, "Tell me")
    await expect(answer_text(page)).to_have_text("Before the reload,")

    await page.reload()
    await expect(answer_text(page)).to_have_text("Before the reload,")
    rest.set()

    await expect(complete_answer(page)).to_have_text("Before the reload, and after.")
    await expect(page.locator("chat-connect .message")).to_have_count(2)
    [conversation] = granted(await company.server.get("/v1/conversations"))["conversations"]
    stored = await company.server.conversation(conversation["id"])
    assert [message["text"] for message in stored["messages"]] == ["Tell me", "Before the reload, and after."]
    assert len(model.prompts) == 1


async def test_stopping_ends_the_models_work_and_keeps_what_there_is(
    opened: Opened, model: Model, provider: ScriptedProvider
) -> None:
    model.says("A long story", 60.0, "that never ends.")
    page = await opened()
    await ask(page, "Tell me a story")
    await expect(answer_text(page)).to_have_text("A long story")

    await page.get_by_role("button", name="Stop").click()

    await expect(last_answer(page)).to_contain_text("Stopped.")
    await until(provider.client_left.is_set)
    await page.reload()
    await expect(answer_text(page)).to_have_text("A long story")
    await expect(last_answer(page)).to_contain_text("Stopped.")


async def test_the_visitor_sees_that_something_is_being_looked_up(
    opened: Opened, model: Model, company: Company
) -> None:
    found, written = asyncio.Event(), asyncio.Event()

    async def answer_in_time(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await found.wait()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\nIt left on Monday.")
        await writer.drain()
        writer.close()

    shop = await asyncio.start_server(answer_in_time, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{shop.sockets[0].getsockname()[1]}/"
    tool = {"name": "find_order", "description": "Says where it is.", "parameters": {"type": "object"}, "url": url}
    granted(await company.staff.post("/v1/tools", tool))
    await company.uses("openai", model.base_url, access_token="sk-of-globex", tools=["find_order"])
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "find_order", "arguments": "{}"}}
    model.plays(
        Act((event({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}), *ENDING)),
        Act((written, *pieces("It is on its way."), *ENDING)),
    )
    page = await opened()

    await ask(page, "Where is my order?")

    await expect(last_answer(page)).to_contain_text("Looking something up…")
    found.set()
    await expect(last_answer(page)).to_contain_text("Looked it up. Writing…")
    written.set()
    await expect(complete_answer(page)).to_have_text("It is on its way.")
    assert "It left on Monday." in json.dumps(model.prompts[-1])
    shop.close()


@asynccontextmanager
async def giving_up_after(stack: RunningStack, seconds: float) -> AsyncIterator[None]:
    """The API, which was stopped, with less patience for an answer of which nothing is heard; then as it was."""
    hasty = Api(stack.api.data_dir, stack.api.port, {**stack.settings, "ANSWER_SILENCE_SECONDS": str(seconds)})
    try:
        await hasty.start()
        yield
    finally:
        await hasty.stop()
        await stack.api.start()


async def test_a_server_that_dies_in_the_middle_leaves_a_retry_and_no_second_question(
    opened: Opened, model: Model, company: Company, stack: RunningStack
) -> None:
    model.says("The begin", 60.0, "ning")
    page = await opened()
    await ask(page, "Tell me a lot")
    await expect(answer_text(page)).to_have_text("The begin")

    async def conversations() -> Any:
        return granted(await company.server.get("/v1/conversations"))["conversations"]

    await until(conversations)
    back = asyncio.Event()

    async def once_it_is_back(route: Route) -> None:
        await back.wait()
        await route.continue_()

    await page.route("**/v1/chat/stream/*", once_it_is_back)
    await stack.api.kill()
    await expect(last_answer(page)).to_contain_text("Reconnecting…")
    async with giving_up_after(stack, seconds=1):
        back.set()
        await expect(last_answer(page)).to_contain_text("The answer was interrupted.", timeout=PATIENT_MS)
        model.says("The whole.")
        await page.get_by_role("button", name="Try again").click()
        await expect(complete_answer(page)).to_have_text("The whole.", timeout=PATIENT_MS)
    await page.reload()
    await expect(complete_answer(page)).to_have_text("The whole.")
    await expect(page.locator("chat-connect .message")).to_have_count(2)
    [conversation] = granted(await company.server.get("/v1/conversations"))["conversations"]
    branches = granted(await company.server.get(f"/v1/conversations/{conversation['id']}/branches"))["branches"]
    assert [(branch["preview"], branch["messages"]) for branch in branches] == [("Tell me a lot", 2)] * 2
