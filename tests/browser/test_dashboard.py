"""The dashboard and the real stack behind it, through a staff member's eyes."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import httpx
import pytest
from playwright.async_api import FilePayload, Page, Request, Route, expect

from tests.browser.steps import add_files, document_row, log_in, open_place
from tests.files import make_pdf

PATIENT_MS = 60_000
"""A first document also loads the embedding model."""

SECRET = "The lighthouse keeper's code word is tangerine."


class Stack(Protocol):
    """What these tests need of the running stack."""

    api_url: str
    dashboard_url: str
    secret_key: str
    staff_email: str
    staff_password: str


@pytest.fixture
async def dashboard(page: Page, stack: Stack) -> AsyncIterator[Page]:
    """The dashboard, logged in, its policy never broken; documents that the test adds are deleted after it."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console", lambda message: problems.append(message.text) if "Content Security Policy" in message.text else None
    )
    async with forgotten_documents(stack):
        await page.goto(stack.dashboard_url)
        await log_in(page, stack.staff_email, stack.staff_password)
        await expect(page.get_by_role("heading", name="Documents", exact=True)).to_be_visible()
        yield page
    assert problems == []


@asynccontextmanager
async def forgotten_documents(stack: Stack) -> AsyncIterator[None]:
    async with httpx.AsyncClient(
        base_url=stack.api_url, headers={"Authorization": f"Bearer {stack.secret_key}"}, timeout=30
    ) as http:
        before = {each["id"] for each in (await http.get("/v1/documents")).json()["documents"]}
        yield
        for document in (await http.get("/v1/documents")).json()["documents"]:
            if document["id"] not in before:
                await http.delete(f"/v1/documents/{document['id']}")


def text_file(name: str, text: str = SECRET) -> FilePayload:
    return {"name": name, "mimeType": "text/plain", "buffer": text.encode()}


async def test_a_wrong_password_is_said_and_the_right_one_still_works(page: Page, stack: Stack) -> None:
    await page.goto(stack.dashboard_url)

    await log_in(page, stack.staff_email, "not the password")
    await expect(page.get_by_role("alert")).not_to_be_empty()
    await log_in(page, stack.staff_email, stack.staff_password)

    await expect(page.get_by_role("heading", name="Documents", exact=True)).to_be_visible()


async def test_an_uploaded_file_becomes_ready_is_found_and_after_its_deletion_no_more(dashboard: Page) -> None:
    await add_files(dashboard, text_file("lighthouse.txt"))
    row = document_row(dashboard, "lighthouse.txt")
    await expect(row.get_by_text("Ready", exact=True)).to_be_visible(timeout=PATIENT_MS)

    await open_place(dashboard, "Try a search")
    await dashboard.get_by_label("Question or words").fill("What is the code word of the lighthouse keeper?")
    await dashboard.get_by_role("button", name="Search").click()
    found = dashboard.get_by_role("list", name="Results").get_by_role("listitem").first
    await expect(found).to_contain_text(SECRET, timeout=PATIENT_MS)
    await expect(found).to_contain_text("lighthouse.txt")

    await open_place(dashboard, "Documents")
    await row.get_by_role("button", name="Delete").click()
    await dashboard.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(row).to_have_count(0)

    await open_place(dashboard, "Try a search")
    await dashboard.get_by_label("Question or words").fill("What is the code word of the lighthouse keeper?")
    async with dashboard.expect_response("**/v1/knowledge/search") as answered:
        await dashboard.get_by_role("button", name="Search").click()
    assert SECRET not in await (await answered.value).text()


async def test_a_file_that_cannot_be_read_says_why_and_hinders_no_other(dashboard: Page) -> None:
    locked: FilePayload = {
        "name": "locked.pdf",
        "mimeType": "application/pdf",
        "buffer": make_pdf(["nobody reads this"], password="sesame"),
    }

    await add_files(dashboard, locked, text_file("open.txt"))

    failed = document_row(dashboard, "locked.pdf")
    await expect(failed.get_by_text("Failed", exact=True)).to_be_visible(timeout=PATIENT_MS)
    await expect(failed).to_contain_text("protected by a password")
    await expect(failed.get_by_text("encrypted", exact=True)).to_be_visible()
    await expect(document_row(dashboard, "open.txt").get_by_text("Ready", exact=True)).to_be_visible(timeout=PATIENT_MS)


async def test_a_file_of_a_kind_that_is_not_supported_is_refused_before_it_is_sent(dashboard: Page) -> None:
    await add_files(dashboard, {"name": "song.mp3", "mimeType": "audio/mpeg", "buffer": b"ID3"})

    await expect(dashboard.get_by_role("list", name="Uploads")).to_contain_text("not supported")
    await expect(document_row(dashboard, "song.mp3")).to_have_count(0)


async def test_a_refusal_by_the_store_is_said_in_words_and_leaves_no_document(dashboard: Page) -> None:
    async def refuse(route: Route) -> None:
        xml = "<Error><Code>EntityTooLarge</Code><Message>too large</Message></Error>"
        await route.fulfill(status=400, body=xml, headers={"access-control-allow-origin": "*"})

    await dashboard.route(_is_upload, refuse)
    await add_files(dashboard, text_file("huge.txt"))

    await expect(dashboard.get_by_role("list", name="Uploads")).to_contain_text("larger than allowed")
    await expect(document_row(dashboard, "huge.txt")).to_have_count(0)
    await dashboard.unroute(_is_upload)
    await dashboard.get_by_role("button", name="Try again").click()
    await expect(document_row(dashboard, "huge.txt").get_by_text("Ready", exact=True)).to_be_visible(timeout=PATIENT_MS)


def _is_upload(url: str) -> bool:
    return "/v1/" not in url and "/dashboard" not in url


async def test_a_new_version_replaces_what_the_document_says(dashboard: Page) -> None:
    await add_files(dashboard, text_file("hours.txt", "The workshop opens at nine."))
    row = document_row(dashboard, "hours.txt")
    await expect(row.get_by_text("Ready", exact=True)).to_be_visible(timeout=PATIENT_MS)

    async with dashboard.expect_file_chooser() as chooser:
        await row.get_by_role("button", name="Upload a new version").click()
    await (await chooser.value).set_files([text_file("hours.txt", "The workshop opens at ten.")])

    await expect(row).to_contain_text("version 2", timeout=PATIENT_MS)
    await expect(row.get_by_text("Ready", exact=True)).to_be_visible(timeout=PATIENT_MS)
    await row.get_by_role("button", name="View chunks").click()
    await expect(dashboard.get_by_role("dialog")).to_contain_text("The workshop opens at ten.")
    await expect(dashboard.get_by_role("dialog")).not_to_contain_text("nine")


async def test_documents_are_chosen_by_title_and_ticked_ones_deleted_together(dashboard: Page) -> None:
    await add_files(dashboard, text_file("buoy one.txt"), text_file("buoy two.txt"), text_file("anchor.txt"))
    for name in ("buoy one.txt", "buoy two.txt", "anchor.txt"):
        await expect(document_row(dashboard, name).get_by_text("Ready", exact=True)).to_be_visible(timeout=PATIENT_MS)

    await dashboard.get_by_label("Search titles").fill("BUOY")
    await expect(document_row(dashboard, "anchor.txt")).to_have_count(0)
    await expect(dashboard.get_by_role("button", name="Ready 2")).to_be_visible()
    await dashboard.get_by_label("Order").select_option("title")
    titles = dashboard.get_by_role("list", name="Documents").get_by_role("heading")
    await expect(titles).to_have_text(["buoy one.txt", "buoy two.txt"])
    await dashboard.get_by_label("Tick buoy one.txt").check()
    await dashboard.get_by_role("button", name="Tick all shown").click()
    await dashboard.get_by_role("button", name="Delete ticked").click()
    await dashboard.get_by_role("dialog").get_by_role("button", name="Delete").click()

    await expect(dashboard.get_by_text("2 documents are deleted.")).to_be_visible()
    await expect(dashboard.get_by_text("No such documents")).to_be_visible()
    await dashboard.get_by_label("Search titles").fill("")
    await expect(document_row(dashboard, "anchor.txt")).to_be_visible()


async def test_a_documents_versions_are_shown_and_its_file_is_saved_under_its_name(dashboard: Page) -> None:
    await add_files(dashboard, text_file("ledger.txt"))
    row = document_row(dashboard, "ledger.txt")
    await expect(row.get_by_text("Ready", exact=True)).to_be_visible(timeout=PATIENT_MS)

    async with dashboard.expect_download() as saved:
        await row.get_by_role("button", name="Download").click()
    await row.get_by_role("button", name="Versions of").click()

    file = await saved.value
    assert file.suggested_filename == "ledger.txt"
    assert (await file.path()).read_text() == SECRET
    versions = dashboard.get_by_role("dialog").get_by_role("list", name="Versions")
    await expect(versions.get_by_role("listitem")).to_have_count(1)
    await expect(versions).to_contain_text("Answers")


async def test_the_list_is_asked_for_again_only_while_something_is_in_progress(dashboard: Page) -> None:
    await add_files(dashboard, text_file("quiet.txt"))
    row = document_row(dashboard, "quiet.txt")
    await expect(row.get_by_text("Ready", exact=True)).to_be_visible(timeout=PATIENT_MS)
    await dashboard.wait_for_timeout(1_500)

    asked: list[Request] = []
    dashboard.on("request", lambda request: asked.append(request))
    await dashboard.wait_for_timeout(2_500)

    assert asked == []


async def test_a_document_title_is_shown_as_text_whatever_it_says(dashboard: Page) -> None:
    hostile = "=img src=x onerror=alert(1)= & 'quoted'.txt"

    await add_files(dashboard, text_file(hostile, "<b>bold</b> <script>alert(1)</script>"))

    row = document_row(dashboard, hostile)
    await expect(row.get_by_text("Ready", exact=True)).to_be_visible(timeout=PATIENT_MS)
    await row.get_by_role("button", name="View chunks").click()
    await expect(dashboard.get_by_role("dialog")).to_contain_text("<script>alert(1)</script>")


async def test_a_wrong_setting_is_marked_at_its_field_and_the_right_one_is_published(dashboard: Page) -> None:
    await open_place(dashboard, "Assistant")
    length = dashboard.get_by_label("Longest answer, in tokens")
    kept = await length.input_value()

    await length.fill("0")
    await dashboard.get_by_role("button", name="Save and publish").click()
    await expect(length).to_have_attribute("aria-invalid", "true")
    await expect(length).to_be_focused()
    await length.fill(kept)
    await dashboard.get_by_role("button", name="Save and publish").click()

    await expect(dashboard.get_by_text("Saved and published as version")).to_be_visible()
    await expect(length).not_to_have_attribute("aria-invalid", "true")


async def test_an_ended_session_leads_to_the_log_in_and_keeps_what_was_being_written(
    dashboard: Page, stack: Stack
) -> None:
    await open_place(dashboard, "Assistant")
    prompt = dashboard.get_by_label("System prompt")
    kept = await prompt.input_value()
    await prompt.fill(f"{kept} Mention the sea.")
    await dashboard.route("**/v1/assistants/*", _session_ended)

    await dashboard.get_by_role("button", name="Save and publish").click()
    await expect(dashboard.get_by_text("Your session has ended.")).to_be_visible()
    await dashboard.unroute("**/v1/assistants/*")
    await log_in(dashboard, stack.staff_email, stack.staff_password)

    await expect(prompt).to_have_value(f"{kept} Mention the sea.")


async def _session_ended(route: Route) -> None:
    await route.fulfill(status=401, json={"error": {"code": "token_expired", "message": "the token has run out"}})


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


async def test_a_company_registers_and_gets_its_keys_and_the_code_to_embed(page: Page, stack: Stack) -> None:
    await page.goto(stack.dashboard_url)
    await page.get_by_role("button", name="Register your company").click()
    await page.get_by_label("Company").fill("Globex")
    await page.get_by_label("E-mail address").fill(f"owner-{secrets.token_hex(4)}@globex.example")
    await page.get_by_label("Password").fill(secrets.token_urlsafe(12))
    await page.get_by_role("button", name="Register", exact=True).click()

    await expect(page.get_by_role("heading", name="Your assistant is ready")).to_be_visible()
    await expect(page.get_by_label("embed code", exact=True)).to_contain_text('/widget.js" data-key="pk_live_')
    await expect(page.get_by_label("secret key", exact=True)).to_contain_text("sk_live_")
    await page.get_by_role("button", name="Go to the dashboard").click()

    await expect(page.get_by_text("No documents yet")).to_be_visible()


async def test_staff_read_a_conversation_with_its_sources_and_its_cost(dashboard: Page, stack: Stack) -> None:
    async with httpx.AsyncClient(
        base_url=stack.api_url, headers={"Authorization": f"Bearer {stack.secret_key}"}, timeout=60
    ) as http:
        asked = await http.post("/v1/chat", json={"message": "How long is the warranty?"})
    assert asked.status_code == 200, asked.text

    await open_place(dashboard, "Conversations")
    await dashboard.get_by_role("list", name="Conversations").get_by_role("link").first.click()

    conversation = dashboard.get_by_role("region", name="Conversation")
    await expect(conversation).to_contain_text("How long is the warranty?")
    await conversation.get_by_role("list", name="Sources").locator("summary").first.click()
    await expect(conversation.locator("blockquote").first).not_to_be_empty()
    await expect(conversation).to_contain_text("Cost")


async def test_staff_go_between_the_versions_of_an_answer_and_see_what_it_was_made_of(
    dashboard: Page, stack: Stack
) -> None:
    async with httpx.AsyncClient(
        base_url=stack.api_url, headers={"Authorization": f"Bearer {stack.secret_key}"}, timeout=60
    ) as http:
        asked = (await http.post("/v1/chat", json={"message": "What does the Touring 500 cost?"})).json()
        again = await http.post("/v1/chat", json={"regenerate": asked["message_id"]})
    assert again.status_code == 200, again.text
    await open_place(dashboard, "Conversations")
    await dashboard.get_by_role("list", name="Conversations").get_by_role("link").first.click()
    conversation = dashboard.get_by_role("region", name="Conversation")
    await expect(conversation.get_by_role("group", name="Versions")).to_contain_text("Answer 2 of 2")

    await conversation.get_by_role("button", name="Previous version").click()
    await expect(conversation.get_by_role("group", name="Versions")).to_contain_text("Answer 1 of 2")
    await expect(conversation.get_by_role("button", name="Next version")).to_be_focused()
    await conversation.get_by_text("Why this answer").click()

    await expect(conversation.locator("pre").last).to_have_text("What does the Touring 500 cost?")
    await expect(conversation.get_by_text("Searched for: What does the Touring 500 cost?")).to_be_visible()
