"""The dashboard's widgets: another one, its words and its form, the way back, and what visitors left."""

import re

import httpx
from playwright.async_api import Page, expect

from tests.browser.steps import open_place
from tests.stack import RunningStack


async def test_a_widget_is_made_set_up_brought_back_and_deleted(dashboard: Page) -> None:
    await open_place(dashboard, "Widget")
    await dashboard.get_by_role("button", name="New widget").click()
    await expect(dashboard.get_by_label("Name", exact=True)).to_have_value("Widget 2")

    await dashboard.get_by_label("Greeting").fill("Hello!")
    await dashboard.get_by_label("Fields").fill("email, email, required")
    await dashboard.get_by_role("button", name="Add a language").click()
    await dashboard.get_by_label("Language", exact=True).fill("de")
    await dashboard.get_by_label("Words", exact=True).fill("greeting = Guten Tag!")
    await dashboard.get_by_label("Colour on the accent").fill("#2f6fee")
    await expect(dashboard.locator(".preview")).to_have_attribute("style", re.compile("--preview-ink: #2f6fee"))
    await dashboard.get_by_role("button", name="Save").click()
    await expect(dashboard.get_by_text("contrast of the two colours").first).to_be_visible()
    await dashboard.get_by_label("Colour on the accent").fill("")
    await dashboard.get_by_role("button", name="Save").click()
    await expect(dashboard.get_by_text("Saved. Websites show it").first).to_be_visible()

    await dashboard.reload()
    await dashboard.get_by_label("Widget", exact=True).select_option("Widget 2")
    await expect(dashboard.get_by_label("Words", exact=True)).to_have_value("greeting = Guten Tag!")
    await expect(dashboard.get_by_label("Fields")).to_have_value("email, email, required")
    await dashboard.get_by_role("button", name="Make a key for this widget").click()
    await expect(dashboard.get_by_label("embed code", exact=True)).not_to_contain_text("pk_live_…")
    await dashboard.get_by_text("Earlier versions").click()
    await dashboard.get_by_role("button", name="Bring back version 1").click()
    await expect(dashboard.get_by_label("Greeting")).to_have_value("")
    await dashboard.get_by_role("button", name="Delete this widget").click()
    await dashboard.get_by_role("dialog").get_by_role("button", name="Delete").click()

    await expect(dashboard.get_by_label("Name", exact=True)).not_to_have_value("Widget 2")


async def test_staff_read_what_visitors_left_and_forget_it(dashboard: Page, stack: RunningStack) -> None:
    staff = {"Authorization": f"Bearer {stack.secret_key}"}
    async with httpx.AsyncClient(base_url=stack.api_url, timeout=60) as http:
        form = {
            "name": "Asking",
            "allowed_domains": ["localhost"],
            "lead_form": {"fields": [{"name": "email", "type": "email"}]},
        }
        widget = (await http.post("/v1/widgets", json=form, headers=staff)).json()["id"]
        key = {"kind": "publishable", "name": "Asking", "widget_id": widget}
        key = (await http.post("/v1/keys", json=key, headers=staff)).json()["key"]
        website = {"Origin": "http://localhost:3000"}
        token = (await http.post(f"/v1/widgets/{key}/token", headers=website)).json()["token"]
        lead = {"widget_id": widget, "fields": {"email": "ada@example.com"}, "consent": True}
        left = await http.post("/v1/leads", json=lead, headers=website | {"Authorization": f"Bearer {token}"})
        assert left.status_code == 204, left.text
        await http.delete(f"/v1/widgets/{widget}", headers=staff)

    await open_place(dashboard, "Contacts")
    row = dashboard.get_by_role("row").filter(has_text="ada@example.com")
    await expect(row).to_contain_text("I agree that these details are stored")
    await row.get_by_role("button", name="Delete").click()
    await dashboard.get_by_role("dialog").get_by_role("button", name="Delete").click()

    await expect(dashboard.get_by_text("The contact is deleted.")).to_be_visible()
    await expect(row).to_have_count(0)
