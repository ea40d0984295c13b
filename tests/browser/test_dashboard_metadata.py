"""What staff set about documents in the dashboard: titles, metadata, how they are cut, and in what order found."""

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.steps import document_row, open_place
from tests.integration.api.clients import Company, granted

GUIDE = b"Gift wrapping costs four crowns per parcel."


@pytest.fixture
async def documents(own_dashboard: Page, company: Company) -> Page:
    """The documents of a company that has one."""
    await company.ingested("guide.txt", GUIDE, metadata={"year": 2025, "draft": True})
    await expect(document_row(own_dashboard, "guide.txt")).to_be_visible()
    return own_dashboard


def entry(dialog: Locator, name: str) -> Locator:
    return dialog.get_by_role("group", name=name, exact=True)


async def test_a_document_gets_another_title_and_metadata_by_which_it_is_found(
    documents: Page, company: Company
) -> None:
    await expect(document_row(documents, "guide.txt")).to_contain_text("year: 2025 · draft: yes")
    await documents.get_by_role("button", name="Title and metadata of guide.txt").click()
    dialog = documents.get_by_role("dialog", name="Title and metadata of guide.txt")

    await dialog.get_by_label("Title", exact=True).fill("Gift guide")
    await entry(dialog, "year").get_by_label("Value").fill("2026")
    await entry(dialog, "draft").get_by_role("button", name="Remove this entry").click()
    await expect(dialog.get_by_role("button", name="Add an entry")).to_be_focused()
    await dialog.get_by_role("button", name="Add an entry").click()
    await entry(dialog, "New entry").get_by_label("Name").fill("language")
    await entry(dialog, "language").get_by_label("Value").fill("<b>de</b>")
    await dialog.get_by_role("button", name="Save").click()

    await expect(dialog).to_be_hidden()
    row = document_row(documents, "Gift guide")
    await expect(row).to_contain_text("year: 2026 · language: <b>de</b>")
    await expect(row).not_to_contain_text("draft")
    await expect(row.get_by_role("button", name="Delete Gift guide")).to_be_visible()
    filters = {"metadata": {"year": 2026, "language": "<b>de</b>"}}
    [found] = await company.found("What does gift wrapping cost?", filters=filters)
    assert found["title"] == "Gift guide"


async def test_a_wrong_entry_is_said_at_its_row_and_nothing_is_saved(documents: Page, company: Company) -> None:
    await documents.get_by_role("button", name="Title and metadata of guide.txt").click()
    dialog = documents.get_by_role("dialog")

    await entry(dialog, "year").get_by_label("Value").fill("")
    await dialog.get_by_role("button", name="Save").click()
    wrong = entry(dialog, "year").get_by_label("Value")
    await expect(wrong).to_be_focused()
    await expect(wrong).to_have_attribute("aria-invalid", "true")
    await expect(wrong).to_have_accessible_description("This needs a number.")
    await wrong.fill("99999999999999999999")
    await dialog.get_by_role("button", name="Save").click()
    await expect(wrong).to_have_accessible_description("A number lies between -2^53 and 2^53.")

    await dialog.get_by_role("button", name="Close").click()
    [document] = granted(await company.staff.get("/v1/documents"))["documents"]
    assert document["metadata"] == {"year": 2025, "draft": True}


async def test_metadata_is_set_with_the_keyboard_alone(documents: Page, company: Company) -> None:
    button = documents.get_by_role("button", name="Title and metadata of guide.txt")
    await button.focus()
    await documents.keyboard.press("Enter")
    dialog = documents.get_by_role("dialog")
    await dialog.get_by_role("button", name="Add an entry").focus()
    await documents.keyboard.press("Enter")
    await documents.keyboard.type("public")
    await documents.keyboard.press("Tab")
    await documents.keyboard.type("Yes or no")
    await documents.keyboard.press("Tab")
    await documents.keyboard.type("No")
    await documents.keyboard.press("Shift+Tab")
    await documents.keyboard.press("Shift+Tab")
    await documents.keyboard.press("Enter")

    await expect(dialog).to_be_hidden()
    await expect(button).to_be_focused()
    [document] = granted(await company.staff.get("/v1/documents"))["documents"]
    assert document["metadata"] == {"year": 2025, "draft": True, "public": False}


async def test_how_documents_are_cut_is_checked_and_kept(documents: Page, company: Company) -> None:
    await documents.get_by_role("button", name="How documents are cut").click()
    dialog = documents.get_by_role("dialog", name="How documents are cut")
    tokens, overlap = (dialog.get_by_label(label) for label in ("Longest passage", "Tokens that the next"))
    await expect(tokens).to_have_value("500")

    await tokens.fill("99")
    await dialog.get_by_role("button", name="Save").click()
    await expect(tokens).to_have_attribute("aria-invalid", "true")
    await expect(tokens).to_be_focused()
    await tokens.fill("300")
    await overlap.fill("30")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_be_hidden()

    kept = granted(await company.staff.get(f"/v1/tenants/{company.tenant_id}/chunking"))
    assert kept == {"tokens": 300, "overlap": 30}
    await documents.get_by_role("button", name="How documents are cut").click()
    await expect(tokens).to_have_value("300")


async def test_an_assistant_can_have_passages_put_in_order_anew(documents: Page, company: Company) -> None:
    await open_place(documents, "Assistant")
    switch = documents.get_by_role("checkbox", name="Have a second model order what is found")
    await expect(switch).not_to_be_checked()

    await switch.check()
    await documents.get_by_role("button", name="Save and publish").click()
    await expect(documents.get_by_text("Saved and published as version")).to_be_visible()

    stored = granted(await company.staff.get(f"/v1/assistants/{company.assistant_id}"))
    assert stored["retrieval"]["rerank"] is True
    assert stored["retrieval"]["limit"] == 5
