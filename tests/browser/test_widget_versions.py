"""Questions put in other words, further answers, and the way between them."""

from playwright.async_api import Page, expect

from tests.browser.script import DONE, Hold, Refuse, answer, tokens
from tests.browser.scripted_api import ScriptedApi
from tests.browser.steps import FOCUSED, Opened, answer_text, ask, complete_answer, last_answer, questions


async def edit(page: Page, question: str, text: str) -> None:
    """Put a question in other words, with the mouse."""
    message = page.locator("chat-connect .user", has_text=question)
    await message.hover()
    await message.get_by_role("button", name="Edit", exact=True).click()
    field = page.get_by_role("textbox", name="Edit your message")
    await expect(field).to_have_value(question)
    await field.fill(text)
    await field.press("Enter")


async def test_a_question_can_be_put_in_other_words_and_both_versions_stay(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [answer("In May."), answer("For June, too."), answer("In Oslo.")]
    page = await opened()
    await ask(page, "When?")
    await expect(complete_answer(page)).to_have_text("In May.")
    await ask(page, "And June?")
    await expect(complete_answer(page)).to_have_text("For June, too.")

    await edit(page, "When?", "Where?")

    await expect(complete_answer(page)).to_have_text("In Oslo.")
    await expect(questions(page)).to_have_text(["Where?"])
    edited = api.questions[-1]
    assert (edited["message"], edited["conversation_id"], edited["parent_id"]) == ("Where?", "c1", None)

    await page.get_by_role("button", name="Previous version").click()

    await expect(questions(page)).to_have_text(["When?", "And June?"])
    await expect(page.get_by_role("group", name="Version 1 of 2")).to_have_text("1/2")
    await page.reload()
    await expect(questions(page)).to_have_text(["When?", "And June?"])


async def test_what_is_asked_on_another_version_follows_that_version(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [answer("In May."), answer("In Oslo."), answer("All of May.")]
    page = await opened()
    await ask(page, "When?")
    await expect(complete_answer(page)).to_have_text("In May.")
    await edit(page, "When?", "Where?")
    await expect(complete_answer(page)).to_have_text("In Oslo.")
    await page.get_by_role("button", name="Previous version").click()
    await expect(complete_answer(page)).to_have_text("In May.")

    await ask(page, "All of it?")

    await expect(complete_answer(page)).to_have_text("All of May.")
    assert api.questions[-1]["parent_id"] == "m1"
    await page.reload()
    await expect(questions(page)).to_have_text(["When?", "All of it?"])


async def test_a_further_answer_takes_the_place_of_the_last_which_can_be_seen_again(
    opened: Opened, api: ScriptedApi
) -> None:
    api.scripts = [answer("Yes."), answer("Perhaps."), answer("No.")]
    page = await opened()
    await ask(page, "Is it?")
    for text, position in (("Perhaps.", "2/2"), ("No.", "3/3")):
        await last_answer(page).get_by_role("button", name="Answer again").click()
        await expect(complete_answer(page)).to_have_text(text)
        await expect(last_answer(page).get_by_role("group", name="Version")).to_have_text(position)

    await page.get_by_role("button", name="Previous version").click()

    await expect(complete_answer(page)).to_have_text("Perhaps.")
    await expect(last_answer(page).get_by_role("group", name="Version 2 of 3")).to_be_visible()
    await expect(questions(page)).to_have_text(["Is it?"])
    assert [set(question) - {"idempotency_key"} for question in api.questions[1:]] == [{"regenerate"}, {"regenerate"}]
    assert [question["regenerate"] for question in api.questions[1:]] == ["m1", "m2"]
    await page.reload()
    await expect(complete_answer(page)).to_have_text("Perhaps.")


async def test_only_the_last_answer_can_be_made_again_and_nothing_changes_while_one_is_made(
    opened: Opened, api: ScriptedApi
) -> None:
    rest = Hold()
    api.scripts = [answer("Yes."), [*tokens("I am"), rest, *tokens(" thinking."), DONE]]
    page = await opened()
    await ask(page, "Is it?")
    await expect(page.get_by_role("button", name="Answer again")).to_have_count(1)
    await ask(page, "Really?")
    await expect(answer_text(page)).to_have_text("I am")

    await expect(page.get_by_role("button", name="Answer again")).to_have_count(0)
    await expect(page.get_by_role("button", name="Edit", exact=True)).to_have_count(0)
    rest.end()
    await expect(complete_answer(page)).to_have_text("I am thinking.")

    await expect(page.get_by_role("button", name="Answer again")).to_have_count(1)
    await expect(last_answer(page).get_by_role("button", name="Answer again")).to_be_visible()


async def test_editing_and_going_between_versions_needs_no_mouse(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [answer("In May."), answer("In Oslo.")]
    page = await opened()
    await ask(page, "When?")
    await expect(complete_answer(page)).to_have_text("In May.")

    async def tab_back_to(label: str) -> None:
        for _ in range(12):
            await page.keyboard.press("Shift+Tab")
            if await page.evaluate(FOCUSED) == label:
                return
        raise AssertionError(label)

    await tab_back_to("Edit")
    await page.keyboard.press("Enter")
    assert await page.evaluate(FOCUSED) == "Edit your message"
    await page.keyboard.press("Escape")
    assert await page.evaluate(FOCUSED) == "Edit"  # and the chat is still open
    await page.keyboard.press("Enter")
    await page.keyboard.press("ControlOrMeta+A")
    await page.keyboard.type("Where?")
    await page.keyboard.press("Enter")
    await expect(complete_answer(page)).to_have_text("In Oslo.")
    assert await page.evaluate(FOCUSED) == "Your message"

    await tab_back_to("Previous version")
    await page.keyboard.press("Enter")

    await expect(complete_answer(page)).to_have_text("In May.")
    assert await page.evaluate(FOCUSED) == "Next version"  # there is none before it
    await expect(page.locator("chat-connect [aria-live=polite]")).to_have_text("Version 1 of 2")
    await page.keyboard.press("Enter")
    await expect(complete_answer(page)).to_have_text("In Oslo.")
    assert await page.evaluate(FOCUSED) == "Previous version"


async def test_an_edit_that_is_given_up_or_changes_nothing_asks_nothing(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [answer("In May.")]
    page = await opened()
    await ask(page, "When?")
    await expect(complete_answer(page)).to_have_text("In May.")

    await edit(page, "When?", "When?")
    await expect(questions(page)).to_have_text(["When?"])
    await page.locator("chat-connect .user").hover()
    await page.get_by_role("button", name="Edit", exact=True).click()
    await page.get_by_role("button", name="Cancel").click()

    await expect(questions(page)).to_have_text(["When?"])
    assert len(api.questions) == 1


async def test_a_version_that_cannot_be_loaded_is_said_and_can_be_loaded_later(
    opened: Opened, api: ScriptedApi
) -> None:
    api.scripts = [answer("Yes."), answer("No.")]
    page = await opened()
    await ask(page, "Is it?")
    await last_answer(page).get_by_role("button", name="Answer again").click()
    await expect(complete_answer(page)).to_have_text("No.")
    await page.route("**/v1/conversations/*", lambda route: route.abort())
    await page.get_by_role("button", name="Previous version").click()
    await expect(page.get_by_text("Your conversation could not be loaded.")).to_be_visible()
    await page.unroute("**/v1/conversations/*")

    await page.get_by_role("button", name="Try again").click()

    await expect(complete_answer(page)).to_have_text("Yes.")
    await expect(page.get_by_text("Your conversation could not be loaded.")).to_be_hidden()


async def test_a_refused_further_answer_leaves_the_way_back(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [answer("Yes."), [Refuse(429, "rate_limited", "Too many requests.", retry_after=300)]]
    page = await opened()
    await ask(page, "Is it?")

    await last_answer(page).get_by_role("button", name="Answer again").click()
    await expect(last_answer(page)).to_contain_text("You can go on in 5 minutes.")
    await page.get_by_role("button", name="Previous version").click()

    await expect(complete_answer(page)).to_have_text("Yes.")
    await expect(page.get_by_role("group", name="Version")).to_have_count(0)


async def test_a_reload_in_the_middle_of_a_further_answer_ends_with_one(opened: Opened, api: ScriptedApi) -> None:
    rest = Hold()
    api.scripts = [answer("Yes."), [*tokens("Before the reload,"), rest, *tokens(" and after."), DONE]]
    page = await opened()
    await ask(page, "Is it?")
    await last_answer(page).get_by_role("button", name="Answer again").click()
    await expect(answer_text(page)).to_have_text("Before the reload,")

    await page.reload()
    await expect(answer_text(page)).to_have_text("Before the reload,")
    rest.end()

    await expect(complete_answer(page)).to_have_text("Before the reload, and after.")
    await expect(page.locator("chat-connect .assistant")).to_have_count(1)
    await expect(questions(page)).to_have_text(["Is it?"])
    await expect(last_answer(page).get_by_role("group", name="Version 2 of 2")).to_be_visible()
    assert len(api.questions) == 2


async def test_versions_read_in_the_widgets_own_words_and_direction(page: Page, api: ScriptedApi) -> None:
    api.config = {
        "locale": "ar",
        "texts": {
            "launcher_open": "افتح", "message": "رسالتك", "regenerate": "أجب مجددًا", "version_previous": "السابق",
            "version_next": "التالي", "version": "{number} من {count}",
        },
    }  # fmt: skip
    api.scripts = [answer("نعم"), answer("لا")]
    await page.goto(api.page_url)
    await page.get_by_role("button", name="افتح").click()
    field = page.get_by_role("textbox", name="رسالتك")
    await field.fill("هل؟")
    await field.press("Enter")

    await page.get_by_role("button", name="أجب مجددًا").click()

    await expect(complete_answer(page)).to_have_text("لا")
    await expect(last_answer(page)).to_contain_text("2 من 2")
    previous = await page.get_by_role("button", name="السابق").bounding_box()
    following = await page.get_by_role("button", name="التالي").bounding_box()
    assert previous is not None
    assert following is not None
    assert previous["x"] > following["x"]
