"""The audit log in the dashboard: what was changed is found there, and can be taken out."""

import secrets
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from tests.browser.steps import log_in, open_place
from tests.stack import RunningStack

PASSWORD = "correct horse battery"


@pytest.fixture
async def owner(stack: RunningStack) -> str:
    """The address of the owner of a company that has made a key and revoked it."""
    email = f"owner-{secrets.token_hex(4)}@globex.example"
    async with httpx.AsyncClient(base_url=stack.api_url, timeout=30) as http:
        body = {"company": "Globex", "email": email, "password": PASSWORD}
        session = (await http.post("/v1/auth/register", json=body)).json()
        headers = {"Authorization": f"Bearer {session['access_token']}"}
        wish = {"kind": "secret", "name": "<b>Shop</b>"}
        key = (await http.post("/v1/keys", headers=headers, json=wish)).json()
        assert (await http.delete(f"/v1/keys/{key['id']}", headers=headers)).is_success
    return email


async def test_a_change_is_found_read_field_by_field_and_taken_out(
    page: Page, stack: RunningStack, owner: str, tmp_path: Path
) -> None:
    await page.goto(stack.dashboard_url)
    await log_in(page, owner, PASSWORD)
    await open_place(page, "Audit log")
    rows = page.get_by_role("table").get_by_role("row")
    await expect(rows.filter(has_text="Tenant created")).to_have_count(1)

    await page.get_by_label("Contains").fill("shop")
    await page.get_by_role("button", name="Search").click()

    await expect(rows.filter(has_text="Tenant created")).to_have_count(0)
    revoked, made = rows.filter(has_text="Key revoked"), rows.filter(has_text="Key created")
    await expect(revoked).to_contain_text(owner)
    await expect(revoked).to_contain_text("<b>Shop</b>")
    await made.get_by_text("fields").click()
    await expect(made.get_by_role("definition").filter(has_text="(hidden)")).to_be_visible()

    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Download as CSV").click()
    download = await downloading.value
    assert download.suggested_filename == "audit.csv"
    await download.save_as(tmp_path / "audit.csv")
    lines = (tmp_path / "audit.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in lines] == ["action", "key.revoked", "key.created"]
