"""The widget for everyone: keyboard, screen reader, direction of writing, small screens, dark and still."""

from typing import Literal

from playwright.async_api import Browser, Page, expect

from tests.browser.script import ANSWER, DONE, Hold, answer, tokens
from tests.browser.scripted_api import ScriptedApi
from tests.browser.steps import FOCUSED, Opened, answer_text, ask, complete_answer


async def test_everything_can_be_done_with_the_keyboard(page: Page, api: ScriptedApi) -> None:
    api.scripts = [ANSWER]
    await page.goto(api.page_url)
    await page.get_by_role("button", name="Open chat").wait_for()

    await page.keyboard.press("Tab")
    assert await page.evaluate(FOCUSED) == "Open chat"
    await page.keyboard.press("Enter")
    assert await page.evaluate(FOCUSED) == "Your message"
    await page.keyboard.type("Can I return my bicycle?")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Helpful", exact=True)).to_be_visible()
    assert await page.evaluate(FOCUSED) == "Your message"

    visited = []
    for _ in range(12):
        await page.keyboard.press("Shift+Tab")
        visited.append(await page.evaluate(FOCUSED))
        if visited[-1] == "Source 1: Returns policy.pdf":
            break
    assert {"Helpful", "Not helpful", "Source 2: Price list 2026.csv"} <= set(visited)
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Unridden bicycles may be returned")).to_be_visible()
    await page.keyboard.press("Escape")

    await expect(page.get_by_role("dialog")).to_be_hidden()
    assert await page.evaluate(FOCUSED) == "Open chat"


async def test_the_focus_goes_back_from_the_feedbacks_form_to_its_button(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [ANSWER]
    page = await opened()
    await ask(page, "Can I return my bicycle?")

    for action in ("Cancel", "Send feedback"):
        await page.get_by_role("button", name="Not helpful").press("Enter")
        await page.get_by_role("button", name=action).press("Enter")
        assert await page.evaluate(FOCUSED) == "Not helpful"


async def test_a_screen_reader_hears_the_whole_answer_once(opened: Opened, api: ScriptedApi) -> None:
    rest = Hold()
    api.scripts = [[*tokens("One half"), rest, *tokens(" and the other."), DONE]]
    page = await opened()
    live = page.locator("chat-connect [aria-live=polite]")

    await ask(page, "Well?")
    await expect(answer_text(page)).to_have_text("One half")
    await expect(live).to_have_text("")
    rest.end()

    await expect(live).to_have_text("Nora said: One half and the other.")
    await expect(page.get_by_role("dialog", name="Nora")).to_be_visible()
    await expect(page.get_by_role("log", name="Conversation")).to_be_visible()


async def test_a_right_to_left_language_mirrors_the_widget_and_uses_its_own_words(page: Page, api: ScriptedApi) -> None:
    api.config = {
        "locale": "ar",
        "texts": {"launcher_open": "افتح المحادثة", "message": "رسالتك", "greeting": "مرحبًا!", "close": "إغلاق"},
    }
    api.scripts = [answer("يمكنك الإرجاع خلال 30 يومًا.")]
    await page.goto(api.page_url)

    await page.get_by_role("button", name="افتح المحادثة").click()
    field = page.get_by_role("textbox", name="رسالتك")
    close = await page.get_by_role("button", name="إغلاق").bounding_box()
    title = await page.get_by_role("heading", name="Nora").bounding_box()
    assert close is not None
    assert title is not None
    assert close["x"] < title["x"]
    await field.fill("هل يمكنني إرجاع الدراجة؟")
    await field.press("Enter")

    await expect(complete_answer(page)).to_have_text("يمكنك الإرجاع خلال 30 يومًا.")
    direction = await complete_answer(page).locator("p").evaluate("node => getComputedStyle(node).direction")
    assert direction == "rtl"


async def test_on_a_small_screen_the_chat_is_the_screen_and_keeps_the_focus(browser: Browser, api: ScriptedApi) -> None:
    api.page = "<a href='#'>A link behind</a>"
    page = await browser.new_page(viewport={"width": 390, "height": 780}, reduced_motion="reduce")
    await page.goto(api.page_url)

    await page.get_by_role("button", name="Open chat").click()

    panel = await page.get_by_role("dialog").bounding_box()
    assert panel == {"x": 0, "y": 0, "width": 390, "height": 780}
    for _ in range(8):
        await page.keyboard.press("Tab")
        assert await page.evaluate(FOCUSED) is not None
    await page.get_by_role("button", name="Close", exact=True).click()
    await expect(page.get_by_role("button", name="Open chat")).to_be_visible()
    await page.close()


async def test_it_is_dark_when_the_visitor_or_the_tenant_wants_it(browser: Browser, api: ScriptedApi) -> None:
    surface = "node => getComputedStyle(node).backgroundColor"
    seen = {}
    schemes: list[tuple[Literal["dark", "light"], str]] = [
        ("dark", "auto"),
        ("light", "auto"),
        ("light", "dark"),
        ("dark", "light"),
    ]
    for visitor, tenant in schemes:
        api.config = {"theme": {"mode": tenant}}
        page = await browser.new_page(color_scheme=visitor)
        await page.goto(api.page_url)
        await page.get_by_role("button", name="Open chat").click()
        seen[visitor, tenant] = await page.get_by_role("dialog").evaluate(surface)
        await page.close()

    dark, light = "rgb(23, 25, 29)", "rgb(255, 255, 255)"
    assert list(seen.values()) == [dark, light, dark, light]


async def test_whoever_prefers_less_motion_sees_none(browser: Browser, api: ScriptedApi) -> None:
    page = await browser.new_page(reduced_motion="reduce")
    await page.goto(api.page_url)

    await page.get_by_role("button", name="Open chat").click()

    assert await page.get_by_role("dialog").evaluate("node => node.getAnimations({ subtree: true }).length") == 0
    await page.close()
