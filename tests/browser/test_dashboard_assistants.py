"""The dashboard's assistants: drafts, what they change, publishing them and the way back."""

from playwright.async_api import Page, expect

from tests.browser.steps import open_place


async def test_a_draft_is_saved_compared_published_and_rolled_back(dashboard: Page) -> None:
    await open_place(dashboard, "Assistant")
    words = dashboard.get_by_label("When the documents do not hold the answer")
    kept = await words.input_value()
    versions = dashboard.get_by_role("list", name="Versions")
    await expect(versions.get_by_text("Published", exact=True)).to_be_visible()
    before = await versions.get_by_role("listitem").filter(has_text="Published").get_by_role("strong").inner_text()

    await words.fill("I do not know <b>that</b>.")
    await dashboard.get_by_label("What changed, and why").fill("Shorter words")
    await dashboard.get_by_role("button", name="Save draft").click()
    await expect(dashboard.get_by_text(", a draft.")).to_be_visible()
    draft = versions.get_by_role("listitem").filter(has_text="Shorter words")
    await expect(draft.get_by_text("Draft", exact=True)).to_be_visible()

    await draft.get_by_role("button", name="Changes of").click()
    changes = dashboard.get_by_role("dialog")
    await expect(changes.get_by_role("row").filter(has_text="refusal")).to_contain_text("I do not know <b>that</b>.")
    await changes.get_by_role("button", name="Close").click()
    await draft.get_by_role("button", name="Publish version").click()
    await dashboard.get_by_role("dialog").get_by_role("button", name="Publish").click()
    await expect(dashboard.get_by_text("is published.").first).to_be_visible()
    await expect(draft.get_by_text("Published", exact=True)).to_be_visible()

    await dashboard.get_by_role("button", name=f"Roll back to {before.lower()}", exact=True).click()
    await dashboard.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    await expect(dashboard.get_by_text("Rolled back:")).to_be_visible()
    await expect(words).to_have_value(kept)


async def test_the_connection_is_tested_and_another_assistant_is_made_and_archived(dashboard: Page) -> None:
    await open_place(dashboard, "Assistant")

    await dashboard.get_by_role("button", name="Test connection").click()
    await expect(dashboard.get_by_text("answers: it began after")).to_be_visible()
    await dashboard.get_by_role("button", name="New assistant").click()
    await expect(dashboard.get_by_label("Name")).to_have_value("New assistant")
    await dashboard.get_by_role("button", name="Archive").click()
    await dashboard.get_by_role("dialog").get_by_role("button", name="Archive").click()

    await expect(dashboard.get_by_role("button", name="Take back “New assistant”").first).to_be_visible()
    await expect(dashboard.get_by_label("Name")).not_to_have_value("New assistant")
