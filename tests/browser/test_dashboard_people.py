"""People in the dashboard: invited by mail, staying logged in, and logged out."""

import re
import secrets

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.steps import log_in, open_place
from tests.integration.api.clients import PASSWORD, Company
from tests.stack import RunningStack


def link_in_mail_to(email: str, stack: RunningStack) -> str:
    """The link in the newest mail to an address."""
    mails = [path.read_text() for path in sorted(stack.services.mails.glob("*.eml"))]
    found = re.search(r"http\S+#\S+", [mail for mail in mails if f"To: {email}" in mail][-1])
    assert found
    return found[0]


@pytest.mark.usefixtures("own_dashboard")
async def test_somebody_is_invited_joins_by_the_mails_link_and_is_removed(
    page: Page, browser: Browser, stack: RunningStack, company: Company
) -> None:
    guest = f"eve-{secrets.token_hex(4)}@globex.example"
    await open_place(page, "Members")
    await page.get_by_label("E-mail address").fill(guest)
    await page.get_by_role("combobox", name="Role", exact=True).select_option("agent")
    await page.get_by_role("button", name="Invite").click()
    await expect(page.get_by_role("region", name="Open invitations")).to_contain_text(guest)

    other = await (await browser.new_context()).new_page()
    problems: list[str] = []
    other.on("pageerror", lambda error: problems.append(str(error)))
    await other.goto(link_in_mail_to(guest, stack))
    await expect(other.get_by_role("heading", name="Join Globex")).to_be_visible()
    assert "#" not in other.url
    await other.get_by_label("Choose a password").fill(PASSWORD)
    await other.get_by_role("button", name="Join").click()
    await expect(other.get_by_role("heading", name="Documents", exact=True)).to_be_visible()
    assert problems == []

    await page.reload()
    row = page.get_by_role("region", name="Members").get_by_role("row").filter(has_text=guest)
    await expect(row).to_be_visible()
    await row.get_by_role("button", name="Remove").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(row).to_have_count(0)
    await open_place(other, "Keys")
    await expect(other.get_by_text("Your session has ended.")).to_be_visible()
    await other.context.close()


@pytest.mark.usefixtures("own_dashboard")
async def test_a_new_tab_goes_on_with_the_session_and_logging_out_ends_it_everywhere(
    page: Page, stack: RunningStack, company: Company
) -> None:
    tab = await page.context.new_page()
    await tab.goto(f"{stack.dashboard_url}#account")
    await expect(tab.get_by_role("region", name="Devices")).to_contain_text("This device")
    await expect(tab.get_by_title(company.email)).to_be_visible()
    assert "rt_" not in await tab.evaluate(
        "document.cookie + JSON.stringify(sessionStorage) + JSON.stringify(localStorage)"
    )
    await tab.get_by_role("button", name="Log out", exact=True).click()
    await expect(tab.get_by_role("heading", name="Log in")).to_be_visible()

    await open_place(page, "Keys")
    await expect(page.get_by_text("Your session has ended.")).to_be_visible()


@pytest.mark.usefixtures("own_dashboard")
async def test_a_token_that_runs_out_is_renewed_without_a_word(page: Page) -> None:
    await page.evaluate(
        """() => {
            const kept = JSON.parse(sessionStorage.getItem("chatconnect.session"));
            sessionStorage.setItem("chatconnect.session", JSON.stringify({...kept, token: "not a token any more"}));
        }"""
    )

    await page.reload()

    await open_place(page, "Keys")
    await expect(page.get_by_role("row").filter(has_text="Website")).to_be_visible()


async def test_a_forgotten_password_is_set_anew_by_the_mails_link(
    page: Page, stack: RunningStack, company: Company
) -> None:
    await page.goto(stack.dashboard_url)
    await page.get_by_role("button", name="I forgot it").click()
    await page.get_by_label("E-mail address").fill(company.email)
    await page.get_by_role("button", name="Send me a link").click()
    await expect(page.get_by_text("a mail with a link is on its way")).to_be_visible()

    await page.goto("about:blank")
    await page.goto(link_in_mail_to(company.email, stack))
    await page.get_by_label("New password").fill("staple, and a horse")
    await page.get_by_role("button", name="Set the password").click()
    await page.get_by_role("button", name="Go to the log-in").click()
    await log_in(page, company.email, "staple, and a horse")

    await expect(page.get_by_role("heading", name="Documents", exact=True)).to_be_visible()
