"""The widget and the page around it leave each other alone, and hostile text stays text."""

import gzip
from pathlib import Path
from typing import Literal

from playwright.async_api import Page, expect

from tests.browser.script import ANSWER, answer
from tests.browser.scripted_api import ScriptedApi
from tests.browser.steps import Opened, ask, complete_answer

WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
"""

RUDE_STYLES = """
<style>
  * { color: rgb(255, 0, 0) !important; font-size: 40px !important; letter-spacing: 9px; }
  html { --accent: rgb(255, 0, 0); --surface: rgb(255, 0, 0); direction: rtl; }
  div, section, button, p, chat-connect { display: none !important; border: 9px solid red; opacity: 0; }
</style>
<article id="probe">probe</article>
"""

HOSTILE = """<img src=x onerror="window.broken=1"> <script>window.broken=1</script>

[click me](javascript:window.broken=1) and [data](data:text/html,<script>window.broken=1</script>)

![tracker](https://tracker.example/pixel.png?secret=1)

<a href="javascript:window.broken=1">link</a> <style>body { display: none }</style>"""


def test_the_widget_weighs_less_than_20_kilobytes(widget_file: Path) -> None:
    zipped = gzip.compress(widget_file.read_bytes(), compresslevel=9)

    assert len(zipped) < 20_000


async def test_it_works_under_a_policy_that_forbids_styles_and_html_strings(page: Page, api: ScriptedApi) -> None:
    api.scripts = [ANSWER]
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.add_init_script(WATCH)

    await page.goto(api.page_url)
    await page.get_by_role("button", name="Open chat").click()
    await ask(page, "Can I return my bicycle?")
    await page.get_by_role("button", name="Source 1: Returns policy.pdf").click()
    await page.get_by_role("button", name="Not helpful").click()

    await expect(page.locator("chat-connect .feedback")).to_be_visible()
    panel = await page.get_by_role("dialog").bounding_box()
    assert panel is not None
    assert panel["width"] == 400  # it is styled all the same
    assert await page.evaluate("violations") == []
    assert problems == []


async def test_it_works_on_a_page_of_another_origin_than_the_interface(page: Page, api: ScriptedApi) -> None:
    api.scripts = [ANSWER]
    await page.goto(api.page_url.replace("127.0.0.1", "localhost"))
    await page.get_by_role("button", name="Open chat").click()

    await ask(page, "Can I return my bicycle?")

    await expect(complete_answer(page)).to_contain_text("within 30 days")


async def test_hostile_text_in_an_answer_is_only_text(opened: Opened, api: ScriptedApi, page: Page) -> None:
    api.scripts = [answer(HOSTILE)]
    api.policy = ""  # so that nothing but the widget itself stands in the way
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    await opened()

    await ask(page, "Show me")

    await expect(complete_answer(page)).to_contain_text('<img src=x onerror="window.broken=1">')
    text = complete_answer(page)
    await expect(text).to_contain_text("[click me](javascript:window.broken=1)")
    for dangerous in ("img", "script", "a", "style", "iframe"):
        await expect(text.locator(dangerous)).to_have_count(0)
    assert await page.evaluate("window.broken") is None
    assert not [url for url in requested if not url.startswith(api.origin)]


async def test_links_open_elsewhere_and_give_nothing_away(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [answer("See [our terms](https://northwind.example/terms).")]
    page = await opened()

    await ask(page, "Terms?")

    link = page.get_by_role("link", name="our terms")
    await expect(link).to_have_attribute("target", "_blank")
    await expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")


async def test_the_pages_styles_do_not_reach_the_widget(opened: Opened, api: ScriptedApi) -> None:
    api.page, api.policy = RUDE_STYLES, ""
    api.config = {"theme": {"accent": "#0b6e4f", "mode": "light"}}
    page = await opened()

    async def style(
        role: Literal["button", "link", "dialog", "textbox", "heading"], name: str, *properties: str
    ) -> list[str]:
        node = page.get_by_role(role, name=name, exact=True)
        read = "(node, names) => names.map((name) => getComputedStyle(node)[name])"
        styles: list[str] = await node.evaluate(read, properties)
        return styles

    title = await style("heading", "Nora", "color", "fontSize", "letterSpacing", "direction")
    assert title == ["rgb(21, 24, 30)", "16px", "normal", "ltr"]
    assert await style("button", "Close chat", "backgroundColor", "opacity") == ["rgb(11, 110, 79)", "1"]


async def test_the_widgets_styles_do_not_reach_the_page(page: Page, api: ScriptedApi) -> None:
    api.page, api.policy = "<header>head</header><h2>title</h2><button class='send'>b</button><textarea></textarea>", ""
    measure = """() => [...document.querySelectorAll("body > :not(chat-connect)")].map((node) => {
        const style = getComputedStyle(node);
        return [...style].map((name) => name + style.getPropertyValue(name)).join();
    })"""
    await page.route("**/widget.js", lambda route: route.abort())
    await page.goto(api.page_url)
    before = await page.evaluate(measure)
    await page.unroute("**/widget.js")

    await page.reload()
    await page.get_by_role("button", name="Open chat").wait_for()

    assert await page.evaluate(measure) == before


async def test_the_pages_keyboard_shortcuts_stay_silent_while_the_visitor_types(
    opened: Opened, api: ScriptedApi
) -> None:
    page = await opened()
    await page.evaluate("window.pressed = []; addEventListener('keydown', ({ key }) => pressed.push(key))")

    await page.get_by_role("textbox", name="Your message").press_sequentially("s/?")

    assert await page.evaluate("pressed") == []


async def test_an_unknown_key_leaves_the_page_as_it_was(page: Page, api: ScriptedApi) -> None:
    await page.route("**/config?*", lambda route: route.fulfill(status=404, json={"error": {"code": "not_found"}}))

    async with page.expect_console_message(lambda message: "could not start" in message.text):
        await page.goto(api.page_url)

    await expect(page.locator("chat-connect")).to_have_count(0)
