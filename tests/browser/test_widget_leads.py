"""The widget's contact form, and what else its owner sets: languages, opening by itself, colours, pictures."""

import base64

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.script import ANSWER
from tests.browser.scripted_api import ScriptedApi
from tests.browser.steps import ask, complete_answer

FORM = {
    "fields": [
        {"name": "email", "type": "email", "required": True},
        {"name": "city", "type": "text", "required": False},
    ],
    "required": True,
    "consent": True,
}
TEXTS = {"lead_city": "Town", "lead_title": "Who are you?"}


async def test_a_visitor_fills_in_the_form_before_the_first_question_and_never_again(
    page: Page, context: BrowserContext, api: ScriptedApi
) -> None:
    api.config = {"lead_form": FORM, "texts": TEXTS, "suggested_questions": ["When?"], "locale": "en"}
    api.scripts = [ANSWER]
    api.lead_refusals = 1
    await page.goto(api.page_url)
    await page.get_by_role("button", name="Open chat").click()
    form = page.get_by_role("form", name="Who are you?")

    await expect(form.get_by_label("Email *")).to_be_focused()
    await expect(page.get_by_role("textbox", name="Your message")).to_be_hidden()
    await expect(page.get_by_role("button", name="When?")).to_be_hidden()
    await form.get_by_label("Email *").fill("ada@example.com")
    await form.get_by_label("Town").fill("Oslo")
    await form.get_by_role("button", name="Send").click()
    assert api.leads == []  # the browser asks for the consent first
    await form.get_by_role("checkbox").check()
    await form.get_by_role("button", name="Send").click()
    await expect(form.get_by_role("alert")).to_have_text("This could not be sent. Please check it and try again.")
    await form.get_by_role("button", name="Send").click()

    await expect(form).to_have_text("Thank you. We will be in touch.")
    fields = {"email": "ada@example.com", "city": "Oslo"}
    assert api.leads == [{"widget_id": "w1", "locale": "en", "fields": fields, "consent": True}]
    await expect(page.get_by_role("button", name="When?")).to_be_visible()
    await ask(page, "Can I return it?")
    await expect(complete_answer(page)).to_contain_text("You can return")
    await page.reload()
    again = await context.new_page()
    await again.goto(api.page_url)
    await again.get_by_role("button", name="Open chat").click()
    await again.get_by_role("button", name="New conversation").click()
    await expect(again.get_by_text("Hi! How can I help you?")).to_be_visible()
    await expect(again.get_by_role("form", name="Who are you?")).to_have_count(0)


async def test_a_form_that_is_not_required_stands_beside_the_chat(page: Page, api: ScriptedApi) -> None:
    api.config = {"lead_form": FORM | {"required": False, "consent": False}, "behaviour": {"open_after_seconds": 0}}
    api.scripts = [ANSWER]
    await page.goto(api.page_url)

    await expect(page.get_by_role("form", name="How can we reach you?")).to_be_visible()  # opened by itself
    await expect(page.get_by_role("checkbox")).to_have_count(0)
    await ask(page, "Can I return it?")

    await expect(complete_answer(page)).to_contain_text("You can return")
    await expect(page.get_by_role("form", name="How can we reach you?")).to_have_count(0)


async def test_a_widget_that_was_closed_does_not_open_by_itself_again(page: Page, api: ScriptedApi) -> None:
    api.config = {"behaviour": {"open_after_seconds": 0}}
    await page.goto(api.page_url)
    await page.get_by_role("button", name="Close", exact=True).click()

    await page.reload()
    await page.get_by_role("button", name="Open chat").wait_for()

    await page.evaluate("new Promise((resolve) => setTimeout(resolve))")  # what was to come after no time has come
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_the_widget_asks_for_the_pages_language_and_shows_its_own_colours_and_picture(
    page: Page, api: ScriptedApi
) -> None:
    dot = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    picture = f"data:image/png;base64,{base64.b64encode(dot).decode()}"
    api.config = {"theme": {"accent": "#123456", "on_accent": "#ffee00", "avatar_url": picture}}
    api.policy = f"{api.policy}; img-src data:"

    await page.goto(api.page_url)
    await page.get_by_role("button", name="Open chat").click()

    colour = await page.locator("chat-connect .launcher").evaluate("node => getComputedStyle(node).color")
    assert colour == "rgb(255, 238, 0)"
    await expect(page.locator("chat-connect .avatar img")).to_have_attribute("src", picture)
    assert api.locales == [await page.evaluate("document.documentElement.lang || navigator.language")]


async def test_without_sources_an_answer_shows_no_markers(page: Page, api: ScriptedApi) -> None:
    api.config = {"features": {"feedback": False, "sources": False}}
    api.scripts = [ANSWER]
    await page.goto(api.page_url)
    await page.get_by_role("button", name="Open chat").click()
    await ask(page, "Can I return it?")

    await expect(complete_answer(page)).to_contain_text("within 30 days")
    await expect(page.locator("chat-connect .marker")).to_have_count(0)
    await expect(page.get_by_role("heading", name="Sources")).to_have_count(0)
    await expect(page.get_by_role("button", name="Helpful", exact=True)).to_have_count(0)
