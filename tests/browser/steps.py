"""What visitors and staff do and see, in the words the tests use."""

from collections.abc import Awaitable, Callable

from playwright.async_api import FilePayload, Locator, Page

Opened = Callable[[], Awaitable[Page]]
"""Visits a page and opens its chat."""

FOCUSED = "() => document.querySelector('chat-connect').shadowRoot.activeElement?.getAttribute('aria-label')"
"""A script that tells which of the widget's controls has the focus."""

PATIENT_MS = 60_000
"""A first document or question also loads the embedding model."""


async def ask(page: Page, question: str) -> None:
    """Type a question and send it with Enter."""
    field = page.get_by_role("textbox", name="Your message")
    await field.fill(question)
    await field.press("Enter")


def questions(page: Page) -> Locator:
    """The questions of the branch that is shown."""
    return page.locator("chat-connect .user .bubble")


def last_answer(page: Page) -> Locator:
    """The newest answer, with everything that belongs to it."""
    return page.locator("chat-connect .assistant").last


def answer_text(page: Page) -> Locator:
    """The newest answer's own text."""
    return last_answer(page).locator(".rich")


def complete_answer(page: Page) -> Locator:
    """The newest answer's text, once it is typed to the end."""
    return page.locator("chat-connect .assistant[aria-busy=false]").last.locator(".rich")


async def log_in(page: Page, email: str, password: str) -> None:
    """Log in to the dashboard."""
    await page.get_by_label("E-mail address").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Log in").click()


async def open_place(page: Page, name: str) -> None:
    """Go to one of the dashboard's places by its name in the navigation."""
    await page.get_by_role("navigation", name="Dashboard").get_by_role("link", name=name).click()


def text_file(name: str, text: str) -> FilePayload:
    """A file to choose."""
    return {"name": name, "mimeType": "text/plain", "buffer": text.encode()}


async def add_files(page: Page, *files: FilePayload) -> None:
    """Choose files to upload, as new documents."""
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Choose files").click()
    await (await chooser.value).set_files(list(files))


def document_row(page: Page, title: str) -> Locator:
    """A document in the dashboard's list."""
    heading = page.get_by_role("heading", name=title, exact=True)
    return page.get_by_role("list", name="Documents").get_by_role("listitem").filter(has=heading)
