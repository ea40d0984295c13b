"""The conversation in the widget, against a server that plays its part without a fault."""

import asyncio

from playwright.async_api import Page, expect

from tests.browser.script import ANSWER, DONE, RETURNS, Hold, answer, tokens
from tests.browser.scripted_api import ScriptedApi
from tests.browser.steps import Opened, answer_text, ask, complete_answer, last_answer


async def test_an_answer_appears_while_it_is_being_written(opened: Opened, api: ScriptedApi) -> None:
    rest = Hold()
    api.scripts = [[*tokens("The first half,"), rest, *tokens(" the second half."), DONE]]
    page = await opened()

    await ask(page, "What are the halves?")

    await expect(answer_text(page)).to_have_text("The first half,")
    await expect(last_answer(page).get_by_role("button", name="Helpful", exact=True)).to_be_hidden()
    rest.end()
    await expect(complete_answer(page)).to_have_text("The first half, the second half.")
    await expect(last_answer(page).get_by_role("button", name="Helpful", exact=True)).to_be_visible()


async def test_a_marker_leads_to_its_source(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [ANSWER]
    page = await opened()
    await ask(page, "Can I return my bicycle?")
    source = last_answer(page).locator("details", has_text="Returns policy.pdf")
    await expect(source).to_contain_text("page 2")
    await expect(source.locator("blockquote")).to_be_hidden()

    await page.get_by_role("button", name="Source 1: Returns policy.pdf").click()

    await expect(source.locator("blockquote")).to_have_text(RETURNS["quote"])


async def test_a_suggested_question_is_one_click(opened: Opened, api: ScriptedApi) -> None:
    api.config = {"suggested_questions": ["When are you open?"]}
    api.scripts = [answer("From nine to six.")]
    page = await opened()

    await page.get_by_role("button", name="When are you open?").click()

    await expect(complete_answer(page)).to_have_text("From nine to six.")
    assert [question["message"] for question in api.questions] == ["When are you open?"]


async def test_the_conversation_and_the_open_panel_survive_a_reload(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [ANSWER, answer("Yes, that too.")]
    page = await opened()
    await ask(page, "Can I return my bicycle?")
    await expect(complete_answer(page)).to_contain_text("within 30 days")

    await page.reload()

    await expect(page.get_by_role("dialog")).to_be_visible()
    await expect(page.locator("chat-connect .user")).to_contain_text("Can I return my bicycle?")
    await expect(complete_answer(page)).to_contain_text("within 30 days")
    await page.get_by_role("button", name="Source 2: Price list 2026.csv").click()
    await ask(page, "And a helmet?")
    await expect(complete_answer(page)).to_have_text("Yes, that too.")
    assert api.questions[-1]["conversation_id"] == "c1"


async def test_an_answer_that_a_reload_interrupts_is_taken_up_again(opened: Opened, api: ScriptedApi) -> None:
    rest = Hold()
    api.scripts = [[*tokens("Before the reload,"), rest, *tokens(" and after."), DONE]]
    page = await opened()
    await ask(page, "Tell me")
    await expect(answer_text(page)).to_have_text("Before the reload,")

    await page.reload()
    await expect(answer_text(page)).to_have_text("Before the reload,")
    rest.end()

    await expect(complete_answer(page)).to_have_text("Before the reload, and after.")
    await expect(page.locator("chat-connect .assistant")).to_have_count(1)


async def test_a_new_conversation_begins_empty(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [ANSWER, answer("Fresh.")]
    page = await opened()
    await ask(page, "Can I return my bicycle?")
    await expect(complete_answer(page)).to_contain_text("within 30 days")

    await page.get_by_role("button", name="New conversation").click()
    await expect(page.locator("chat-connect .message")).to_have_count(0)
    await ask(page, "Hello")

    await expect(complete_answer(page)).to_have_text("Fresh.")
    assert "conversation_id" not in api.questions[-1]


async def test_an_answer_can_be_stopped_and_keeps_what_there_is(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [[*tokens("A long story"), Hold(), *tokens(" that goes on"), DONE]]
    page = await opened()
    await ask(page, "Tell me a story")
    await expect(answer_text(page)).to_have_text("A long story")

    await page.get_by_role("button", name="Stop").click()

    await expect(last_answer(page)).to_contain_text("Stopped.")
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    assert api.cancelled == ["m1"]


async def test_feedback_reaches_the_server_with_its_reason(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [ANSWER]
    page = await opened()
    await ask(page, "Can I return my bicycle?")

    await page.get_by_role("button", name="Not helpful").click()
    await page.get_by_role("radio", name="Incomplete").check()
    await page.get_by_role("textbox", name="Tell us more").fill("What about helmets?")
    await page.get_by_role("button", name="Send feedback").click()

    await expect(page.get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "true")
    await expect(page.get_by_text("Thank you for your feedback.")).to_be_attached()
    assert api.feedback == [
        {"id": "m1", "rating": "down"},
        {"id": "m1", "rating": "down", "reason": "incomplete", "text": "What about helmets?"},
    ]


async def test_an_over_long_message_is_counted_and_not_sent(opened: Opened, api: ScriptedApi) -> None:
    page = await opened()

    await ask(page, "x" * 2_001)

    await expect(page.get_by_text("2001 of 2000 characters")).to_be_visible()
    await expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    assert api.questions == []


async def test_shift_enter_begins_a_new_line(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [answer("Fine.")]
    page = await opened()
    field = page.get_by_role("textbox", name="Your message")

    await field.fill("one")
    await field.press("Shift+Enter")
    await field.press_sequentially("two")
    await field.press("Enter")

    await expect(complete_answer(page)).to_have_text("Fine.")
    assert api.questions[0]["message"] == "one\ntwo"


async def test_enter_that_ends_a_composition_does_not_send(opened: Opened, api: ScriptedApi) -> None:
    page = await opened()
    field = page.get_by_role("textbox", name="Your message")
    await field.fill("にほん")

    await field.dispatch_event("keydown", {"key": "Enter", "isComposing": True})

    await expect(field).to_have_value("にほん")
    assert api.questions == []


async def test_a_page_can_use_the_widget_before_and_after_it_has_loaded(page: Page, api: ScriptedApi) -> None:
    api.scripts = [answer("Hello, page.")]
    await page.add_init_script(
        """
        window.heard = [];
        (window.ChatConnect ||= []).push(["on", "answer", ({ text }) => heard.push(text)]);
        ChatConnect.push(["open"]);
        """
    )
    await page.goto(api.page_url)
    await page.get_by_role("dialog").wait_for()

    sent = await page.evaluate("ChatConnect.send('Hi from the page')")
    await page.evaluate("ChatConnect.close()")

    assert sent is True
    assert await page.evaluate("heard") == ["Hello, page."]
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def test_an_expired_token_is_renewed_without_the_visitor_noticing(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [answer("One."), answer("Two.")]
    page = await opened()
    await ask(page, "First")
    await expect(complete_answer(page)).to_have_text("One.")

    api.expire_tokens()
    await ask(page, "Second")

    await expect(complete_answer(page)).to_have_text("Two.")
    assert api.tokens_given == 2


async def test_nothing_is_asked_of_the_server_until_the_visitor_asks(page: Page, api: ScriptedApi) -> None:
    await page.goto(api.page_url)
    await page.get_by_role("button", name="Open chat").click()
    await asyncio.sleep(0.2)

    assert api.tokens_given == 0
