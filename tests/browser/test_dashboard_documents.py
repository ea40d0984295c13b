"""The dashboard's documents and the real stack behind them, through a staff member's eyes."""

import asyncio

from playwright.async_api import FilePayload, Page, Request, Route, expect

from tests.browser.steps import PATIENT_MS, add_files, document_row, open_place, text_file
from tests.files import make_pdf

SECRET = "The lighthouse keeper's code word is tangerine."


async def test_an_uploaded_file_becomes_ready_is_found_and_after_its_deletion_no_more(dashboard: Page) -> None:
    await add_files(dashboard, text_file("lighthouse.txt", SECRET))
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

    await add_files(dashboard, locked, text_file("open.txt", SECRET))

    failed = document_row(dashboard, "locked.pdf")
    await expect(failed.get_by_text("Failed", exact=True)).to_be_visible(timeout=PATIENT_MS)
    await expect(failed).to_contain_text("protected by a password")
    await expect(failed.get_by_text("encrypted", exact=True)).to_be_visible()
    await expect(document_row(dashboard, "open.txt").get_by_text("Ready", exact=True)).to_be_visible(timeout=PATIENT_MS)


async def test_a_file_of_a_kind_that_is_not_supported_is_refused_before_it_is_sent(dashboard: Page) -> None:
    await add_files(dashboard, {"name": "song.mp3", "mimeType": "audio/mpeg", "buffer": b"ID3"})

    await expect(dashboard.get_by_role("list", name="Uploads")).to_contain_text("not supported")
    await open_place(dashboard, "Try a search")
    async with dashboard.expect_response("**/v1/documents?*") as listed:
        await open_place(dashboard, "Documents")
    assert "song.mp3" not in await (await listed.value).text()
    await expect(document_row(dashboard, "song.mp3")).to_have_count(0)


async def test_a_refusal_by_the_store_is_said_in_words_and_leaves_no_document(dashboard: Page) -> None:
    async def refuse(route: Route) -> None:
        xml = "<Error><Code>EntityTooLarge</Code><Message>too large</Message></Error>"
        await route.fulfill(status=400, body=xml, headers={"access-control-allow-origin": "*"})

    await dashboard.route(_is_upload, refuse)
    await add_files(dashboard, text_file("huge.txt", SECRET))

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
    await add_files(
        dashboard, text_file("buoy one.txt", SECRET), text_file("buoy two.txt", SECRET), text_file("anchor.txt", SECRET)
    )
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
    await add_files(dashboard, text_file("ledger.txt", SECRET))
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


async def more_within(asked: list[Request], *, milliseconds: int, page: Page) -> bool:
    """Whether anything more is asked for within a time."""
    before = len(asked)
    await page.wait_for_timeout(milliseconds)
    return len(asked) > before


async def test_the_list_is_asked_for_again_only_while_something_is_in_progress(dashboard: Page) -> None:
    await add_files(dashboard, text_file("quiet.txt", SECRET))
    row = document_row(dashboard, "quiet.txt")
    await expect(row.get_by_text("Ready", exact=True)).to_be_visible(timeout=PATIENT_MS)

    asked: list[Request] = []
    dashboard.on("request", lambda request: asked.append(request))
    await dashboard.clock.install()
    await dashboard.reload()
    await expect(row.get_by_text("Ready", exact=True)).to_be_visible()
    async with asyncio.timeout(PATIENT_MS / 1000):
        while await more_within(asked, milliseconds=1_000, page=dashboard):
            pass
    asked.clear()
    await dashboard.clock.fast_forward(60_000)
    await dashboard.wait_for_timeout(1_000)

    assert asked == []


async def test_a_document_title_is_shown_as_text_whatever_it_says(dashboard: Page) -> None:
    hostile = "=img src=x onerror=alert(1)= & 'quoted'.txt"

    await add_files(dashboard, text_file(hostile, "<b>bold</b> <script>alert(1)</script>"))

    row = document_row(dashboard, hostile)
    await expect(row.get_by_text("Ready", exact=True)).to_be_visible(timeout=PATIENT_MS)
    await row.get_by_role("button", name="View chunks").click()
    await expect(dashboard.get_by_role("dialog")).to_contain_text("<script>alert(1)</script>")
