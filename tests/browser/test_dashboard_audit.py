"""The audit log in the dashboard: what was changed is found there, and can be taken out."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.steps import open_place
from tests.integration.api.clients import Company, granted


async def revoke_a_key(company: Company, name: str) -> None:
    """Make a key and revoke it."""
    key = granted(await company.staff.post("/v1/keys", {"kind": "secret", "name": name}))
    assert (await company.staff.delete(f"/v1/keys/{key['id']}")).is_success


@pytest.mark.usefixtures("own_dashboard")
async def test_a_change_is_found_read_field_by_field_and_taken_out(
    page: Page, company: Company, tmp_path: Path
) -> None:
    await revoke_a_key(company, "<b>Shop</b>")
    await open_place(page, "Audit log")
    rows = page.get_by_role("table").get_by_role("row")
    await expect(rows.filter(has_text="Tenant created")).to_have_count(1)

    await page.get_by_label("Contains").fill("shop")
    await page.get_by_role("button", name="Search").click()

    await expect(rows.filter(has_text="Tenant created")).to_have_count(0)
    revoked, made = rows.filter(has_text="Key revoked"), rows.filter(has_text="Key created")
    await expect(revoked).to_contain_text(company.email)
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
