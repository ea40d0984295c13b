"""The dashboard's conversations: read with their sources, costs, versions and prompts."""

import httpx
from playwright.async_api import Page, expect

from tests.browser.steps import open_place
from tests.stack import RunningStack


async def test_staff_read_a_conversation_with_its_sources_and_its_cost(dashboard: Page, stack: RunningStack) -> None:
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
    dashboard: Page, stack: RunningStack
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
