"""The dashboard as a whole: logging in, registering, saving, and a session that ends."""

import secrets

from playwright.async_api import Page, Route, expect

from tests.browser.steps import log_in, open_place
from tests.stack import RunningStack


async def test_a_wrong_password_is_said_and_the_right_one_still_works(page: Page, stack: RunningStack) -> None:
    await page.goto(stack.dashboard_url)

    await log_in(page, stack.staff_email, "not the password")
    await expect(page.get_by_role("alert")).not_to_be_empty()
    await log_in(page, stack.staff_email, stack.staff_password)

    await expect(page.get_by_role("heading", name="Documents", exact=True)).to_be_visible()


async def test_a_wrong_setting_is_marked_at_its_field_and_the_right_one_is_published(dashboard: Page) -> None:
    await open_place(dashboard, "Assistant")
    length = dashboard.get_by_label("Longest answer, in tokens")
    kept = await length.input_value()

    await length.fill("0")
    await dashboard.get_by_role("button", name="Save and publish").click()
    await expect(length).to_have_attribute("aria-invalid", "true")
    await expect(length).to_be_focused()
    await length.fill(kept)
    await dashboard.get_by_role("button", name="Save and publish").click()

    await expect(dashboard.get_by_text("Saved and published as version")).to_be_visible()
    await expect(length).not_to_have_attribute("aria-invalid", "true")


async def test_an_ended_session_leads_to_the_log_in_and_keeps_what_was_being_written(
    dashboard: Page, stack: RunningStack
) -> None:
    await open_place(dashboard, "Assistant")
    prompt = dashboard.get_by_label("System prompt")
    kept = await prompt.input_value()
    await prompt.fill(f"{kept} Mention the sea.")
    await dashboard.route("**/v1/assistants/*", _session_ended)

    await dashboard.get_by_role("button", name="Save and publish").click()
    await expect(dashboard.get_by_text("Your session has ended.")).to_be_visible()
    await dashboard.unroute("**/v1/assistants/*")
    await log_in(dashboard, stack.staff_email, stack.staff_password)

    await expect(prompt).to_have_value(f"{kept} Mention the sea.")


async def _session_ended(route: Route) -> None:
    await route.fulfill(status=401, json={"error": {"code": "token_expired", "message": "the token has run out"}})


async def test_a_company_registers_and_gets_its_keys_and_the_code_to_embed(page: Page, stack: RunningStack) -> None:
    await page.goto(stack.dashboard_url)
    await page.get_by_role("button", name="Register your company").click()
    await page.get_by_label("Company").fill("Globex")
    await page.get_by_label("E-mail address").fill(f"owner-{secrets.token_hex(4)}@globex.example")
    await page.get_by_label("Password").fill(secrets.token_urlsafe(12))
    await page.get_by_role("button", name="Register", exact=True).click()

    await expect(page.get_by_role("heading", name="Your assistant is ready")).to_be_visible()
    await expect(page.get_by_label("embed code", exact=True)).to_contain_text('/widget.js" data-key="pk_live_')
    await expect(page.get_by_label("secret key", exact=True)).to_contain_text("sk_live_")
    await page.get_by_role("button", name="Go to the dashboard").click()

    await expect(page.get_by_text("No documents yet")).to_be_visible()


async def test_no_place_is_wider_than_a_phone(dashboard: Page) -> None:
    await dashboard.set_viewport_size({"width": 390, "height": 800})
    links = dashboard.get_by_role("navigation", name="Dashboard").get_by_role("link")

    wide = []
    for name in await links.all_inner_texts():
        await open_place(dashboard, name)
        await expect(links.filter(has_text=name)).to_have_attribute("aria-current", "page")
        await expect(dashboard.get_by_role("main").get_by_text("Loading…")).to_have_count(0)
        if await dashboard.evaluate("document.documentElement.scrollWidth") > 390:
            wide.append(name)

    assert len(await links.all()) > 10
    assert wide == []
