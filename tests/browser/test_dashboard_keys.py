"""The dashboard's keys and identity secrets: shown once, rotated, ended."""

import secrets

from playwright.async_api import Page, expect

from tests.browser.steps import open_place


async def test_a_new_key_is_shown_once_and_can_be_revoked(dashboard: Page) -> None:
    name = f"Till {secrets.token_hex(3)}"
    await open_place(dashboard, "Keys")

    await dashboard.get_by_label("Name").fill(name)
    await dashboard.get_by_role("button", name="Make a key").click()
    made = dashboard.get_by_role("region", name="New key")
    await expect(made).to_contain_text('data-key="pk_live_')
    await made.get_by_role("button", name="I have copied it").click()
    await dashboard.get_by_role("button", name=f"Revoke {name}").click()
    await dashboard.get_by_role("dialog").get_by_role("button", name="Revoke").click()

    row = dashboard.get_by_role("row").filter(has_text=name)
    await expect(row.get_by_text("Revoked", exact=True)).to_be_visible()


async def test_a_secret_key_is_made_for_few_things_and_rotated(dashboard: Page) -> None:
    name = f"Sync {secrets.token_hex(3)}"
    await open_place(dashboard, "Keys")

    await dashboard.get_by_label("Name").fill(name)
    await dashboard.get_by_label("Kind").select_option("secret")
    for scope in ("Chat", "Change the configuration"):
        await dashboard.get_by_role("checkbox", name=scope, exact=True).uncheck()
    await dashboard.get_by_role("button", name="Make a key").click()
    await dashboard.get_by_role("button", name=f"Rotate {name}").click()
    dialog = dashboard.get_by_role("dialog")
    await dialog.get_by_label("The old key goes on for").select_option("168")
    await dialog.get_by_role("button", name="Rotate").click()

    rows = dashboard.get_by_role("row").filter(has_text=name)
    await expect(rows).to_have_count(2)
    await expect(rows.nth(0).get_by_text("Active", exact=True)).to_be_visible()
    await expect(rows.nth(0)).not_to_contain_text("config:write")
    await expect(rows.nth(1).get_by_text("Replaced", exact=True)).to_be_visible()
    made = dashboard.get_by_role("region", name="New key")
    await expect(made.get_by_label("secret key", exact=True)).to_contain_text("sk_live_")


async def test_an_identity_secret_is_shown_once(dashboard: Page) -> None:
    await open_place(dashboard, "Keys")

    await dashboard.get_by_role("button", name="Make a secret").click()

    await expect(dashboard.get_by_label("identity secret", exact=True)).to_contain_text("ids_live_")
    await dashboard.get_by_role("button", name="I have copied it").click()
    await dashboard.reload()
    await expect(dashboard.get_by_role("button", name="Rotate the secret")).to_be_visible()
    assert "ids_live_..." in await dashboard.locator(".identity-secrets").inner_text()
