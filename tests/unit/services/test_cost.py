"""What an answer costs, however it ends, and what a tenant's plan allows."""

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import orjson
import pytest

from chatconnect.domain.budget import Measure
from chatconnect.domain.conversation import MessageStatus, Usage
from chatconnect.domain.errors import Conflict, LimitReached, ProviderBusy, ProviderFailed
from chatconnect.domain.identifiers import MessageId
from chatconnect.domain.pricing import PriceTable
from chatconnect.domain.tenant import Plan
from chatconnect.ports.models import Finished, PromptRead
from tests.fakes import tenants
from tests.fakes.models import FINISHED, ScriptedModel, Step, words
from tests.unit.services.conversing import World, a_question, a_world, names, told
from tests.waiting import until

PRICE = PriceTable.published().find("openai", "gpt-5-mini", date(2026, 3, 14))
UNLIMITED = Plan("free", 100, "openai", "gpt-5-mini")


def planned(monkeypatch: pytest.MonkeyPatch, **limits: Any) -> None:
    monkeypatch.setitem(tenants.PLANS, "free", replace(UNLIMITED, **limits))


def used(world: World) -> dict[Measure, int]:
    return {measure: world.budgets.used[world.tenant_id, measure] for measure in Measure}


def cost(input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> int:
    assert PRICE is not None
    return PRICE.of(input_tokens=input_tokens, output_tokens=output_tokens, cached_tokens=cached_tokens)


def prompt_words(world: World) -> int:
    [prompt] = world.model.prompts
    return words(prompt.system) + sum(words(message.text) for message in prompt.messages) + 4 * 2


async def test_an_answer_that_is_cut_is_counted_by_what_the_provider_said_of_its_prompt() -> None:
    world = await a_world(PromptRead(500, 300), "one two ", "three four", ProviderFailed())

    await told(world.chat(), world.visitor(), a_question())

    [answer] = world.answers(MessageStatus.PARTIAL)
    assert figures(answer.usage) == (500, 4, 300, cost(500, 4, 300), True)


async def test_an_answer_that_is_cut_is_estimated_where_the_provider_said_nothing() -> None:
    world = await a_world("one two ", "three four", ProviderFailed())

    await told(world.chat(), world.visitor(), a_question())

    [answer] = world.answers(MessageStatus.PARTIAL)
    assert figures(answer.usage) == (prompt_words(world), 4, 0, cost(prompt_words(world), 4), True)


async def test_a_model_that_goes_far_beyond_its_bound_is_cut_off_and_counted() -> None:
    world = await a_world(*["word " * 100] * 1_000, max_tokens=100)

    heard = await told(world.chat(), world.visitor(), a_question())

    [answer] = world.answers()
    assert (heard[-1][0], answer.finish_reason) == ("done", "length")
    assert 0 < len(answer.text) <= 40 * 100
    assert (answer.usage.output_tokens, answer.usage.estimated) == (900, True)
    assert world.model.closed == 1


async def test_an_answer_that_is_cancelled_costs_what_was_generated() -> None:
    world = await a_world(PromptRead(500), "one two ", asyncio.Event())
    chat, visitor = world.chat(), world.visitor()

    async for frame in await chat.ask(visitor, a_question()):
        if frame.name == "start":
            message_id = MessageId(UUID(orjson.loads(frame.data)["message_id"]))
        if frame.name == "token":
            await chat.cancel(visitor, message_id)
    await chat.drain()

    assert figures(world.message(message_id).usage) == (500, 2, 0, cost(500, 2), True)


async def test_a_refused_call_costs_nothing() -> None:
    world = await a_world(ProviderBusy())

    await told(world.chat(), world.visitor(), a_question())

    [answer] = world.answers(MessageStatus.FAILED)
    assert figures(answer.usage) == (0, 0, 0, 0, False)


async def test_a_providers_own_estimate_is_marked() -> None:
    world = await a_world(model=ScriptedModel("Hello.", end=Finished("stop", 10, 5, estimated=True)))

    heard = await told(world.chat(), world.visitor(), a_question())

    assert heard[-1][1]["usage"]["estimated"] is True


@pytest.mark.parametrize("script", [("Hello.",), ("one two", ProviderFailed()), (ProviderBusy(),)])
async def test_the_budget_holds_what_the_messages_say(
    script: tuple[Step, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(monkeypatch, tokens_per_day=100_000, microusd_per_month=1_000_000)
    world = await a_world(*script)

    await told(world.chat(), world.visitor(), a_question())

    [answer] = world.answers()
    usage = answer.usage
    assert used(world) == {
        Measure.MESSAGES: 1,
        Measure.TOKENS: usage.input_tokens + usage.output_tokens,
        Measure.MONEY: usage.cost_microusd,
    }
    assert not world.budgets.held


async def test_a_used_up_plan_refuses_before_anything_is_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, messages_per_day=1)
    world = await a_world("Hello.")
    chat = world.chat()
    await told(chat, world.visitor(), a_question())

    with pytest.raises(LimitReached) as caught:
        await chat.ask(world.visitor(), a_question())

    assert caught.value.code == "messages_per_day_reached"
    assert caught.value.retry_after is not None
    assert (len(world.model.prompts), len(world.answers())) == (1, 1)


async def test_the_answer_is_cut_to_what_the_plan_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, tokens_per_day=6_300)
    world = await a_world("Hello.", max_tokens=800)

    await told(world.chat(), world.visitor(), a_question())

    [options] = world.model.options
    assert 16 <= options.max_tokens < 300


async def test_a_plan_that_is_nearly_used_up_warns_in_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, messages_per_hour=2)
    world = await a_world("Hello.")
    chat = world.chat()
    first = await told(chat, world.visitor(), a_question())

    second = await told(chat, world.visitor(), a_question())

    assert "warning" not in names(first)
    assert names(second)[:2] == ["start", "warning"]
    assert second[1][1]["code"] == "messages_per_hour_nearly_reached"


async def test_a_repeated_request_takes_nothing_from_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    planned(monkeypatch, messages_per_day=10, tokens_per_day=100_000)
    world = await a_world("Hello.")
    chat, visitor = world.chat(), world.visitor()
    await told(chat, visitor, a_question(idempotency_key="once"))

    await told(chat, visitor, a_question(idempotency_key="once"))
    with pytest.raises(Conflict):
        await chat.ask(visitor, a_question("Another?", idempotency_key="once"))

    expected = FINISHED.input_tokens + FINISHED.output_tokens
    assert (used(world)[Measure.MESSAGES], used(world)[Measure.TOKENS]) == (1, expected)
    await until(lambda: not world.budgets.held)


def figures(usage: Usage) -> tuple[int, int, int, int, bool]:
    return usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.cost_microusd, usage.estimated
