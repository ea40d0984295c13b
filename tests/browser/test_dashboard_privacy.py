"""Data rights in the dashboard: an archive, an erasure with its receipt, and how long data is kept."""

import re
import secrets

import httpx
from playwright.async_api import Page, expect

from tests.browser.steps import log_in, open_place
from tests.stack import RunningStack

PASSWORD = "correct horse battery"
WEBSITE = "http://localhost:3000"


async def a_company_with_a_visitor(api_url: str) -> tuple[str, str]:
    """The owner's address, and the id of a visitor who has asked something."""
    email = f"owner-{secrets.token_hex(4)}@globex.example"
    async with httpx.AsyncClient(base_url=api_url, timeout=30) as http:
        body = {"company": "Globex", "email": email, "password": PASSWORD}
        company = (await http.post("/v1/auth/register", json=body)).raise_for_status().json()
        path = f"/v1/widgets/{company['widget_key']}/token"
        visitor = (await http.post(path, headers={"Origin": WEBSITE})).raise_for_status().json()
        headers = {"Origin": WEBSITE, "Authorization": f"Bearer {visitor['token']}"}
        (await http.post("/v1/chat", json={"message": "Who am I?"}, headers=headers)).raise_for_status()
    return email, visitor["visitor_id"]


async def test_a_visitor_is_exported_and_erased_and_periods_are_set(page: Page, stack: RunningStack) -> None:
    email, visitor_id = await a_company_with_a_visitor(stack.api_url)
    await page.goto(stack.dashboard_url)
    await log_in(page, email, PASSWORD)
    await open_place(page, "Privacy")
    person = page.get_by_role("region", name="A visitor")
    requests = page.get_by_role("region", name="Requests")

    await person.get_by_label("The visitor's id").fill(visitor_id)
    await person.get_by_role("button", name="Export").click()
    export = requests.get_by_role("row").filter(has_text="Export")
    await expect(export).to_contain_text("Done")
    await expect(export.get_by_role("link", name="Archive")).to_have_attribute(
        "href", re.compile(r"/exports/.+\.zip\?")
    )

    await person.get_by_role("button", name="Erase").click()
    await page.get_by_role("dialog").get_by_role("button", name="Erase").click()
    erasure = requests.get_by_role("row").filter(has_text="Erasure")
    await expect(erasure).to_contain_text("Done")
    await expect(export).to_contain_text("Archive removed")
    await erasure.get_by_role("button", name="Receipt").click()
    await expect(page.get_by_role("dialog")).to_contain_text("0 left")
    await page.get_by_role("dialog").get_by_role("button", name="Close").click()

    periods = page.get_by_role("region", name="How long data is kept")
    await periods.get_by_label("Days that conversations are kept").fill("365")
    await periods.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved. What is older goes within a day.")).to_be_visible()
