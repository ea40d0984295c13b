"""Data rights in the dashboard: an archive, an erasure with its receipt, and how long data is kept."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.browser.steps import open_place
from tests.integration.api.clients import Company, granted


async def a_visitor_of(company: Company) -> str:
    """The id of a visitor who has asked something."""
    visitor = await company.visitor()
    await visitor.ask("Who am I?")
    [conversation] = granted(await company.staff.get("/v1/conversations"))["conversations"]
    return str(conversation["visitor_id"])


@pytest.mark.usefixtures("own_dashboard")
async def test_a_visitor_is_exported_and_erased_and_periods_are_set(page: Page, company: Company) -> None:
    visitor_id = await a_visitor_of(company)
    await open_place(page, "Conversations")
    await page.get_by_role("list", name="Conversations").get_by_role("link").click()
    await expect(page.get_by_role("region", name="Conversation")).to_contain_text(visitor_id)
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
