"""What the widget shows beside an answer's text: tools, warnings, an early end, and what other tabs do."""

import re

from playwright.async_api import BrowserContext, expect

from tests.browser.script import DONE, Hold, answer, tokens
from tests.browser.scripted_api import ScriptedApi
from tests.browser.steps import Opened, answer_text, ask, complete_answer, last_answer, questions


async def test_a_stopped_answer_is_still_said_to_be_stopped_after_a_reload(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [[*tokens("A long story"), Hold(), DONE]]
    page = await opened()
    await ask(page, "Tell me a story")
    await expect(answer_text(page)).to_have_text("A long story")
    await page.get_by_role("button", name="Stop").click()
    await expect(last_answer(page)).to_contain_text("Stopped.")

    await page.reload()

    await expect(answer_text(page)).to_have_text("A long story")
    await expect(last_answer(page)).to_contain_text("Stopped.")


async def test_tools_show_as_one_quiet_line_until_the_answer_comes(opened: Opened, api: ScriptedApi) -> None:
    def tool(name: str, state: str) -> tuple[str, dict[str, str]]:
        return "tool", {"name": name, "state": state}

    both = [tool("opening_hours", "called"), tool("stock", "called"), tool("stock", "done")]
    looking, failing = Hold(), Hold()
    api.scripts = [[*both, looking, tool("opening_hours", "failed"), failing, *tokens("We are open."), DONE]]
    page = await opened()

    await ask(page, "Are you open?")

    await expect(last_answer(page)).to_contain_text("Looking something up…")
    await expect(page.locator("chat-connect [aria-live=polite]")).to_have_text("Looking something up…")
    looking.end()
    await expect(last_answer(page)).to_contain_text("That could not be looked up. Going on…")
    failing.end()
    await expect(complete_answer(page)).to_have_text("We are open.")
    await expect(last_answer(page)).not_to_contain_text(re.compile("look", re.IGNORECASE))
    await expect(last_answer(page)).not_to_contain_text("opening_hours")


async def test_a_warning_is_said_once(opened: Opened, api: ScriptedApi) -> None:
    warning = ("warning", {"code": "tokens_per_day_nearly_reached", "detail": "most of the tokens are used"})
    api.scripts = [[warning, *answer("One.")], [warning, *answer("Two.")]]
    page = await opened()

    for question, text in (("First", "One."), ("Second", "Two.")):
        await ask(page, question)
        await expect(complete_answer(page)).to_have_text(text)

    await expect(page.get_by_text("This chat is close to its limit for now.")).to_have_count(1)


async def test_a_second_tab_shows_what_the_first_one_asks(
    opened: Opened, api: ScriptedApi, context: BrowserContext
) -> None:
    rest = Hold()
    api.scripts = [answer("In May."), [*tokens("First half,"), rest, *tokens(" second half."), DONE]]
    first = await opened()
    await ask(first, "When?")
    await expect(complete_answer(first)).to_have_text("In May.")
    second = await context.new_page()
    await second.goto(api.page_url)
    await second.get_by_role("button", name="Open chat").click()
    await expect(complete_answer(second)).to_have_text("In May.")

    await ask(first, "And in full?")

    await expect(answer_text(second)).to_have_text("First half,")
    rest.end()
    for page in (first, second):
        await expect(complete_answer(page)).to_have_text("First half, second half.")
        await expect(questions(page)).to_have_text(["When?", "And in full?"])
    assert len(api.questions) == 2
    assert api.reads <= 4


async def test_a_tab_asks_the_server_nothing_when_no_other_tab_has_done_anything(
    opened: Opened, api: ScriptedApi
) -> None:
    api.scripts = [answer("In May.")]
    page = await opened()
    await ask(page, "When?")
    await expect(complete_answer(page)).to_have_text("In May.")

    for _ in range(3):
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await page.get_by_role("button", name="Close", exact=True).click()
    await page.get_by_role("button", name="Open chat").click()
    await page.wait_for_timeout(200)

    assert api.reads == 0
