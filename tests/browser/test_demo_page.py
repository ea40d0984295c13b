"""The demo page and the real stack behind it, through a visitor's eyes."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.steps import PATIENT_MS, ask, complete_answer, last_answer
from tests.stack import RunningStack

pytestmark = pytest.mark.usefixtures("widget_file")


async def test_a_question_from_the_demo_page_gets_an_answer_with_its_source(page: Page, stack: RunningStack) -> None:
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.goto(stack.demo_url)

    await page.get_by_role("button", name="Can I return a bicycle that I have already ridden?").first.click()

    await expect(complete_answer(page)).not_to_be_empty(timeout=PATIENT_MS)
    source = last_answer(page).locator("details").first
    await source.locator("summary").click()
    await expect(source.locator("blockquote")).not_to_be_empty()
    assert problems == []


async def test_the_demo_conversation_survives_a_reload_and_goes_on(page: Page, stack: RunningStack) -> None:
    await page.goto(stack.demo_url)
    await page.get_by_role("button", name="Open chat").click()
    await ask(page, "How long is the warranty on the frame?")
    await expect(complete_answer(page)).not_to_be_empty(timeout=PATIENT_MS)
    first = await complete_answer(page).inner_text()

    await page.reload()
    await expect(complete_answer(page)).to_have_text(first, use_inner_text=True)
    await ask(page, "What does the Touring 500 cost?")

    await expect(page.locator("chat-connect .assistant[aria-busy=false]")).to_have_count(2, timeout=PATIENT_MS)
    await expect(last_answer(page).locator("details")).not_to_have_count(0)


async def test_an_opinion_on_an_answer_is_kept(page: Page, stack: RunningStack) -> None:
    await page.goto(stack.demo_url)
    await page.get_by_role("button", name="Open chat").click()
    await ask(page, "What does the Touring 500 cost?")
    await expect(complete_answer(page)).not_to_be_empty(timeout=PATIENT_MS)
    helpful = last_answer(page).get_by_role("button", name="Helpful", exact=True)

    async with page.expect_response(lambda response: response.url.endswith("/feedback")) as sent:
        await helpful.click()

    assert (await sent.value).ok
    await expect(helpful).to_have_attribute("aria-pressed", "true")
