"""The widget when something goes wrong between it and the server."""

import re

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.script import DONE, Drop, Hold, Refuse, answer, tokens
from tests.browser.scripted_api import ScriptedApi
from tests.browser.steps import Opened, answer_text, ask, complete_answer, last_answer


async def test_a_dropped_stream_goes_on_without_losing_or_repeating_a_word(opened: Opened, api: ScriptedApi) -> None:
    words = " ".join(f"word{number}" for number in range(60))
    parts = [words[:100], words[100:250], words[250:]]
    breaks = Hold(), Hold()
    first, second, third = (tokens(part) for part in parts)
    api.scripts = [[*first, breaks[0], Drop(), *second, breaks[1], Drop(), *third, DONE]]
    page = await opened()

    await ask(page, "Count to sixty")
    for seen, line in zip((words[:100], words[:250]), breaks, strict=True):
        await expect(answer_text(page)).to_have_text(seen)
        line.end()

    await expect(complete_answer(page)).to_have_text(words)
    assert len(api.questions) == 1
    assert len(api.resumed_after) == 2


async def test_a_line_that_breaks_at_once_does_not_ask_twice(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [[Drop(), *tokens("Only once."), DONE]]
    page = await opened()

    await ask(page, "How often?")

    await expect(complete_answer(page)).to_have_text("Only once.")
    assert len(api.questions) == 1


async def test_a_server_that_is_briefly_away_is_waited_for(opened: Opened, api: ScriptedApi) -> None:
    away = Refuse(503, "unavailable", "The service is starting.")
    back = Hold()
    api.scripts = [[*tokens("Half"), Drop(), away, back, *tokens(" and whole."), DONE]]
    page = await opened()

    await ask(page, "Still there?")

    await expect(last_answer(page)).to_contain_text("Reconnecting")
    back.end()
    await expect(complete_answer(page)).to_have_text("Half and whole.")


async def test_a_failed_answer_can_be_tried_again(opened: Opened, api: ScriptedApi) -> None:
    failure = ("error", {"code": "provider_unavailable", "detail": "The model is busy right now.", "retryable": True})
    api.scripts = [[failure], answer("Here it is.")]
    page = await opened()
    await ask(page, "Well?")
    await expect(last_answer(page)).to_contain_text("The model is busy right now.")

    await page.get_by_role("button", name="Try again").click()

    await expect(complete_answer(page)).to_have_text("Here it is.")
    await expect(page.get_by_role("button", name="Try again")).to_be_hidden()
    first, second = api.questions
    assert second["regenerate"] == "m1"  # the question is known already
    assert first["idempotency_key"] != second["idempotency_key"]
    await expect(page.locator("chat-connect .user")).to_have_count(1)
    await expect(page.get_by_role("group", name="Version")).to_have_count(0)  # a failure is no version to read


async def test_a_question_that_was_never_taken_is_sent_again(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [[Refuse(503, "unavailable", "the database is not available")], answer("Here it is.")]
    page = await opened()
    await ask(page, "Well?")
    await expect(last_answer(page)).to_contain_text("I cannot answer at the moment.")

    await page.get_by_role("button", name="Try again").click()

    await expect(complete_answer(page)).to_have_text("Here it is.")
    assert [question["message"] for question in api.questions] == ["Well?", "Well?"]


async def test_a_failed_answer_is_shown_as_failed_after_a_reload_and_can_be_tried_again_then(
    opened: Opened, api: ScriptedApi
) -> None:
    failure = ("error", {"code": "answer_not_json", "detail": "not JSON", "retryable": True})
    api.scripts = [[*tokens("Half an ans"), failure], answer("Whole.")]
    page = await opened()
    await ask(page, "Well?")
    await expect(last_answer(page)).to_contain_text("The answer did not come out in the right form.")

    await page.reload()

    await expect(last_answer(page)).to_contain_text("The answer did not come out in the right form.")
    await page.get_by_role("button", name="Try again").click()
    await expect(complete_answer(page)).to_have_text("Whole.")
    assert len(api.questions) == 2


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (Refuse(403, "visitor_blocked", "this visitor is blocked"), "You cannot send messages here."),
        (Refuse(409, "conversation_archived", "this conversation is archived"), "This conversation is closed."),
        (Refuse(429, "money_per_day_reached", "used up", retry_after=40_000), "Please come back later."),
        (Refuse(400, "some_new_code", "the words of the server"), "The words of the server."),
    ],
)
async def test_a_refusal_is_said_in_words_and_never_as_a_code(
    opened: Opened, api: ScriptedApi, refusal: Refuse, words: str
) -> None:
    api.scripts = [[refusal]]
    page = await opened()

    await ask(page, "Well?")

    await expect(last_answer(page)).to_contain_text(words)
    await expect(last_answer(page)).not_to_contain_text(refusal.code)
    await expect(page.get_by_role("button", name="Try again")).to_be_hidden()


async def test_whoever_is_asked_to_slow_down_sees_the_wait(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [[Refuse(429, "slow_down", "Slow down.", retry_after=300)]]
    page = await opened()

    await ask(page, "Quick")

    await expect(last_answer(page)).to_contain_text("You can go on in 5 minutes.")
    await expect(page.get_by_role("button", name="Try again")).to_be_disabled()


async def test_a_failure_that_trying_again_cannot_help_offers_no_retry(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [[("error", {"code": "refused", "detail": "This cannot be answered.", "retryable": False})]]
    page = await opened()

    await ask(page, "Well?")

    await expect(last_answer(page)).to_contain_text("This cannot be answered.")
    await expect(page.get_by_role("button", name="Try again")).to_be_hidden()


async def test_too_many_messages_say_how_long_to_wait(opened: Opened, api: ScriptedApi, page: Page) -> None:
    api.scripts = [[Refuse(429, "rate_limited", "Too many requests.", retry_after=60)], answer("Now it works.")]
    await page.clock.install()
    await opened()
    await ask(page, "Quick")
    retry = page.get_by_role("button", name="Try again")
    await expect(last_answer(page)).to_contain_text(re.compile(r"You can go on in \d+ seconds?\."))
    await expect(retry).to_be_disabled()
    await page.clock.fast_forward(60_000)

    await expect(last_answer(page)).to_contain_text("You can go on now.")
    await retry.click()

    await expect(complete_answer(page)).to_have_text("Now it works.")


async def test_a_question_asked_offline_is_sent_when_the_line_is_back(
    opened: Opened, api: ScriptedApi, context: BrowserContext
) -> None:
    api.scripts = [answer("Welcome back.")]
    page = await opened()
    await context.set_offline(True)
    await expect(page.get_by_text("You are offline.")).to_be_visible()
    await ask(page, "Anyone?")
    await expect(last_answer(page)).to_contain_text("Reconnecting")

    await context.set_offline(False)

    await expect(complete_answer(page)).to_have_text("Welcome back.")
    await expect(page.get_by_text("You are offline.")).to_be_hidden()


async def test_the_field_sends_nothing_while_an_answer_is_under_way(opened: Opened, api: ScriptedApi) -> None:
    rest = Hold()
    api.scripts = [[*tokens("Slowly"), rest, *tokens(" done."), DONE]]
    page = await opened()
    await ask(page, "First")
    await expect(answer_text(page)).to_have_text("Slowly")

    await ask(page, "Second")
    rest.end()

    await expect(complete_answer(page)).to_have_text("Slowly done.")
    await expect(page.get_by_role("textbox", name="Your message")).to_have_value("Second")
    assert len(api.questions) == 1


async def test_a_conversation_that_cannot_be_loaded_can_be_loaded_later(opened: Opened, api: ScriptedApi) -> None:
    api.scripts = [answer("Remember this.")]
    page = await opened()
    await ask(page, "What?")
    await expect(complete_answer(page)).to_have_text("Remember this.")
    await page.route("**/v1/conversations/*", lambda route: route.abort())
    await page.reload()
    await expect(page.get_by_text("Your conversation could not be loaded.")).to_be_visible()
    await page.unroute("**/v1/conversations/*")

    await page.get_by_role("button", name="Try again").click()

    await expect(complete_answer(page)).to_have_text("Remember this.")
    await expect(page.get_by_text("Your conversation could not be loaded.")).to_be_hidden()


async def test_an_answer_can_be_stopped_while_the_line_is_away(opened: Opened, api: ScriptedApi) -> None:
    line = Hold()
    api.scripts = [[*tokens("Half"), line, Drop(), *tokens(" and whole."), DONE]]
    page = await opened()
    await page.route("**/v1/chat/stream/*", lambda route: route.abort())
    await ask(page, "Still there?")
    await expect(answer_text(page)).to_have_text("Half")
    line.end()
    await expect(last_answer(page)).to_contain_text("Reconnecting")

    await page.get_by_role("button", name="Stop").click()

    await expect(last_answer(page)).to_contain_text("Stopped.")
    await expect(answer_text(page)).to_have_text("Half")
