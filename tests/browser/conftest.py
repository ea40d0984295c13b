"""A browser, the built widget, the scripted server that most widget tests talk to, and the dashboard."""

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from local.chromium import FLAGS, ROOT, find_or_install
from tests.browser.scripted_api import WIDGET, ScriptedApi, serving
from tests.browser.steps import Opened, log_in
from tests.integration.api.clients import PASSWORD, Company
from tests.stack import RunningStack

WEB = ROOT / "web"
PATIENCE_MS = 10_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def widget_file() -> Path:
    """The widget as it is shipped, built anew when a source is younger."""
    sources = [*WEB.glob("widget/*"), WEB / "build.js", WEB / "package-lock.json"]
    if not WIDGET.exists() or WIDGET.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        environment = {**os.environ, "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        if not (WEB / "node_modules").exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=WEB, env=environment, check=True)
        subprocess.run(["npm", "run", "--silent", "build"], cwd=WEB, env=environment, check=True)
    return WIDGET


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_or_install(), args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def api(widget_file: Path) -> AsyncIterator[ScriptedApi]:
    async with serving(ScriptedApi()) as api:
        yield api


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A visitor with nothing remembered."""
    context = await browser.new_context(viewport={"width": 1100, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    yield context
    await context.close()


@pytest.fixture
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


@pytest.fixture
def opened(page: Page, api: ScriptedApi) -> Opened:
    """Visit the host page and open its chat."""

    async def open_chat() -> Page:
        await page.goto(api.page_url)
        await page.get_by_role("button", name="Open chat").click()
        await page.get_by_role("dialog").wait_for()
        return page

    return open_chat


@pytest.fixture
async def company(stack: RunningStack) -> AsyncIterator[Company]:
    """A new company on the running stack."""
    async with httpx.AsyncClient(base_url=stack.api_url, timeout=30, trust_env=False) as http:
        yield await Company.opened(http)


@pytest.fixture
async def own_dashboard(page: Page, stack: RunningStack, company: Company) -> Page:
    """The new company's dashboard, its owner logged in."""
    await page.goto(stack.dashboard_url)
    await log_in(page, company.email, PASSWORD)
    await expect(page.get_by_role("heading", name="Documents", exact=True)).to_be_visible()
    return page


@pytest.fixture
async def dashboard(page: Page, stack: RunningStack) -> AsyncIterator[Page]:
    """The demo company's dashboard, its policy never broken; documents that the test adds are deleted after it."""
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
async def forgotten_documents(stack: RunningStack) -> AsyncIterator[None]:
    async with httpx.AsyncClient(
        base_url=stack.api_url, headers={"Authorization": f"Bearer {stack.secret_key}"}, timeout=30
    ) as http:
        before = {each["id"] for each in (await http.get("/v1/documents")).json()["documents"]}
        yield
        for document in (await http.get("/v1/documents")).json()["documents"]:
            if document["id"] not in before:
                await http.delete(f"/v1/documents/{document['id']}")
