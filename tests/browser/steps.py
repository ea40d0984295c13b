"""What a visitor does and sees, in the words the tests use."""

from playwright.async_api import Locator, Page


async def ask(page: Page, question: str) -> None:
    """Type a question and send it with Enter."""
    field = page.get_by_role("textbox", name="Your message")
    await field.fill(question)
    await field.press("Enter")


def last_answer(page: Page) -> Locator:
    """The newest answer, with everything that belongs to it."""
    return page.locator("chat-connect .assistant").last


def answer_text(page: Page) -> Locator:
    """The newest answer's own text."""
    return last_answer(page).locator(".rich")


def complete_answer(page: Page) -> Locator:
    """The newest answer's text, once it is typed to the end."""
    return page.locator("chat-connect .assistant[aria-busy=false]").last.locator(".rich")
