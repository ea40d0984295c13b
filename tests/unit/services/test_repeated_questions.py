"""A question that comes again with its idempotency key."""

import asyncio
from dataclasses import replace

import pytest

from chatconnect.domain.conversation import MessageStatus
from chatconnect.domain.errors import Conflict, LimitReached, Unavailable
from tests.fakes import tenants
from tests.unit.services.conversing import a_question, a_world, text_of, told


async def test_a_repeated_question_gets_the_same_answer_without_another_call() -> None:
    world = await a_world("It costs 49 euros [1].")
    await world.knows("The pro plan costs 49 euros.")
    visitor, question = world.visitor(), a_question(idempotency_key="once")
    first = await told(world.chat(), visitor, question)

    again = await told(world.chat(), visitor, question)

    assert text_of(again) == text_of(first)
    assert again[0] == first[0]
    assert again[-1] == first[-1]
    assert len(world.model.prompts) == len(world.answers()) == len(world.recorded) == 1


async def test_repeats_that_race_share_one_answer() -> None:
    world = await a_world("It ", 0.02, "costs ", 0.02, "49.")
    visitor, question = world.visitor(), a_question(idempotency_key="once")

    first, second, third = await asyncio.gather(*(told(world.chat(), visitor, question) for _ in range(3)))

    assert first == second == third
    assert len(world.model.prompts) == len(world.recorded) == 1


async def test_a_key_used_for_another_question_is_refused() -> None:
    world = await a_world("Hello.")
    chat, visitor = world.chat(), world.visitor()
    await told(chat, visitor, a_question("One?", idempotency_key="once"))

    with pytest.raises(Conflict) as refused:
        await chat.ask(visitor, a_question("Two?", idempotency_key="once"))

    assert refused.value.code == "key_reused"


async def test_the_last_answer_that_a_cap_allows_is_given_again_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tenants.PLANS, "free", replace(tenants.PLANS["free"], messages_per_day=1))
    world = await a_world("Hello.")
    chat, visitor, question = world.chat(), world.visitor(), a_question(idempotency_key="once")
    first = await told(chat, visitor, question)

    again = await told(chat, visitor, question)

    assert (text_of(again), again[0]) == (text_of(first), first[0])
    with pytest.raises(LimitReached):
        await chat.ask(visitor, a_question(idempotency_key="twice"))
    assert len(world.model.prompts) == 1
    assert not world.budgets.held


async def test_two_visitors_may_use_the_same_key() -> None:
    world = await a_world("Hello.")

    for _ in range(2):
        await told(world.chat(), world.visitor(), a_question(idempotency_key="once"))

    assert len(world.model.prompts) == 2


async def test_a_failed_answer_is_repeated_as_it_failed() -> None:
    world = await a_world("It", RuntimeError())
    visitor, question = world.visitor(), a_question(idempotency_key="once")
    first = await told(world.chat(), visitor, question)

    again = await told(world.chat(), visitor, question)

    assert again[-1][0] == "error"
    assert again[-1][1]["code"] == first[-1][1]["code"]
    assert text_of(again) == "It"


async def test_a_key_stands_for_no_turn_that_never_began() -> None:
    world = await a_world("Hello.")
    chat, visitor, question = world.chat(), world.visitor(), a_question(idempotency_key="once")
    world.tenant_faults["get"] = Unavailable("the database")
    with pytest.raises(Unavailable):
        await chat.ask(visitor, question)
    world.tenant_faults.clear()

    heard = await told(chat, visitor, question)

    assert text_of(heard) == "Hello."
    assert world.answers(MessageStatus.PENDING) == []
