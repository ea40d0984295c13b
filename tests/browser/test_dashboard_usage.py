"""The dashboard's plan and usage: what is used of each limit, what was used before, and limits of one's own."""

import re

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.browser.steps import open_place
from tests.integration.api.clients import Company, granted, refused


@pytest.fixture
async def usage(own_dashboard: Page, company: Company) -> Page:
    """The page of a company that has answered one question."""
    await company.server.ask("What does it cost?")
    await open_place(own_dashboard, "Plan and usage")
    return own_dashboard


def limit(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Limits").get_by_role("listitem").filter(has_text=name)


async def test_the_plan_its_limits_and_what_was_used_are_seen_and_heard(usage: Page) -> None:
    await expect(usage.get_by_role("heading", name="Your plan: free")).to_be_visible()
    await expect(usage.get_by_role("progressbar", name=re.compile("Messages today: 1 of"))).to_be_visible()
    await expect(limit(usage, "Members")).to_contain_text("1 of 10")
    days = usage.get_by_role("list", name="Answers by day").get_by_role("listitem")
    await expect(days).to_have_count(31)
    await expect(days.last).to_have_text(re.compile(": 1$"))
    await expect(days.first).to_have_text(re.compile(": 0$"))

    await usage.get_by_role("button", name="Tokens", exact=True).click()

    await expect(usage.get_by_role("button", name="Tokens", exact=True)).to_have_attribute("aria-pressed", "true")
    months = usage.get_by_role("list", name="Tokens by month").get_by_role("listitem")
    await expect(months).to_have_count(12)
    await expect(months.last).not_to_have_text(re.compile(": 0$"))
    await expect(usage.get_by_role("region", name="Month by month").get_by_role("row")).to_have_count(2)
    await usage.get_by_text("What happens at a limit").click()
    await expect(usage.get_by_text("questions are refused until it ends")).to_be_visible()
    plans = usage.get_by_role("region", name="Plans").get_by_role("columnheader")
    await expect(plans.filter(has_text="Yours")).to_contain_text("free")


async def test_a_limit_of_ones_own_is_checked_against_the_plan_and_holds(usage: Page, company: Company) -> None:
    messages = usage.get_by_label("Messages a day")
    await messages.fill("999999999999")
    await usage.get_by_role("button", name="Save").click()
    await expect(messages).to_be_focused()
    await expect(messages).to_have_accessible_description(re.compile("The plan allows"))
    await messages.fill("1")
    await usage.get_by_label("Tokens a day").press_sequentially("e")  # of which the browser makes no number
    await usage.get_by_role("button", name="Save").click()
    await expect(usage.get_by_label("Tokens a day")).to_have_attribute("aria-invalid", "true")
    await usage.get_by_label("Tokens a day").fill("")
    await usage.get_by_role("button", name="Save").click()

    await expect(limit(usage, "Messages today")).to_contain_text("1 of 1")
    await expect(limit(usage, "Messages today")).to_contain_text("Reached")
    await expect(usage.get_by_role("button", name="Save")).to_be_focused()
    await usage.reload()
    await expect(limit(usage, "Messages today")).to_contain_text("Reached")
    await expect(usage.get_by_label("Messages a day")).to_have_value("1")
    refused(await company.server.post("/v1/chat", {"message": "And now?"}), 429, "messages_per_day_reached")
    await usage.get_by_label("Messages a day").fill("")
    await usage.get_by_role("button", name="Save").click()
    await expect(limit(usage, "Messages today")).not_to_contain_text("Reached")
    granted(await company.server.post("/v1/chat", {"message": "And now?"}))


async def test_whoever_only_reads_sets_no_limits(usage: Page) -> None:
    async def as_viewer(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(json={**(await answer.json()), "role": "viewer"})

    await usage.route("**/v1/auth/me", as_viewer)
    await usage.reload()

    await expect(usage.get_by_role("heading", name="All plans")).to_be_visible()
    await expect(usage.get_by_role("button", name="Save")).to_have_count(0)
