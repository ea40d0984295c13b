"""Answers that are given again, through the product: at no cost, and not a moment longer than they hold."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.integration.api.clients import Caller, Company, Event, ended_once, granted, text_of
from tests.integration.api.conftest import GUIDE, Model, OpenCompany
from tests.stack import RunningStack
from tests.waiting import until

QUESTION = "How do parcels get to Iceland?"


@pytest.fixture(scope="module")
async def company(open_company: OpenCompany) -> Company:
    company = await open_company("Vandelay")
    await company.ingested("Delivery guide.txt", GUIDE.encode())
    await company.ingested("Spare guide.txt", b"Spare parts for parcel scales are sold in Tromso.")
    return company


@pytest.fixture
async def redis(stack: RunningStack) -> AsyncIterator[Redis]:
    async with Redis.from_url(stack.services.redis.url) as client:
        yield client


@pytest.fixture
async def kept(company: Company, model: Model, redis: Redis) -> Callable[[str], Awaitable[list[Event]]]:
    """Ask a question that is answered by the model, and wait until the answer is kept."""
    await told(company, messages=[])
    await publish(company, model)

    async def ask(question: str) -> list[Event]:
        before = await count(redis, company)
        model.says("By ship [1].")
        events = await (await company.visitor()).stream(question)
        assert ended_once(events).data["usage"]["from_cache"] is False

        async def is_kept() -> bool:
            return await count(redis, company) > before

        await until(is_kept)
        return events

    return ask


async def publish(company: Company, model: Model, **settings: Any) -> None:
    await company.uses("openai", model.base_url, access_token="sk-of-vandelay", answer_cache=True, **settings)


async def count(redis: Redis, company: Company) -> int:
    return len([key async for key in redis.scan_iter(f"{{{company.tenant_id}}}:given:*")])


Kept = Callable[[str], Awaitable[list[Event]]]


async def test_another_visitor_who_asks_the_same_gets_the_same_answer_at_no_cost(
    company: Company, model: Model, kept: Kept
) -> None:
    first = await kept(QUESTION)

    visitor = await company.visitor()
    events = await visitor.stream(f"  {QUESTION.upper()} ")
    whole = await company.server.ask(QUESTION)

    end = ended_once(events)
    assert [event.name for event in events] == ["start", "citation", "token", "done"]
    assert (text_of(events), end.data["finish_reason"]) == (text_of(first), "stop")
    assert end.data["citations"] == ended_once(first).data["citations"] != []
    usage = end.data["usage"]
    assert usage["from_cache"] is True
    names = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "cost_microusd")
    assert [usage[name] for name in names] == [0] * 5
    assert (whole["text"], whole["usage"]["from_cache"]) == (text_of(first), True)
    assert len(model.prompts) == 1
    assert events[0].data["message_id"] != first[0].data["message_id"]
    question, answer = (await visitor.conversation(events[0].data["conversation_id"]))["messages"]
    assert question["text"] == QUESTION.upper()
    assert (answer["text"], answer["status"], answer["usage"]) == (text_of(first), "complete", usage)
    assert answer["citations"] == end.data["citations"]


async def test_an_answer_that_was_given_again_can_be_resumed_rated_and_talked_about(
    company: Company, model: Model, kept: Kept
) -> None:
    await kept(QUESTION)
    visitor = await company.visitor()
    events = await visitor.stream(QUESTION)
    message_id = events[0].data["message_id"]
    model.says("After nine working days.")

    resumed = await visitor.resume(message_id, 0)
    rated = await visitor.post(f"/v1/messages/{message_id}/feedback", {"rating": "up"})
    later = await visitor.ask("And when?", conversation_id=events[0].data["conversation_id"])

    assert resumed == events
    assert rated.status_code == 204
    assert later["text"] == "After nine working days."
    assert [message["content"] for message in model.prompts[-1]][1:] == [QUESTION, "By ship.", "And when?"]


async def a_new_document(company: Company, _: Model) -> None:
    await company.ingested("Another guide.txt", b"Parcels to Iceland travel by balloon now.")


async def a_deleted_document(company: Company, _: Model) -> None:
    documents = granted(await company.server.get("/v1/documents"))["documents"]
    [spare] = [document for document in documents if document["title"] == "Spare guide.txt"]
    assert (await company.server.delete(f"/v1/documents/{spare['id']}")).is_success


async def told(company: Company, **controls: Any) -> None:
    granted(await company.staff.put(f"/v1/tenants/{company.tenant_id}/control-messages", controls))


async def new_control_messages(company: Company, _: Model) -> None:
    await told(company, messages=["Be brief."])


async def new_control_messages_at_an_endpoint(company: Company, _: Model) -> None:
    await told(company, endpoints={"chat": {"messages": ["Be brief."]}})


async def a_new_configuration(company: Company, model: Model) -> None:
    await publish(company, model, system_prompt="Answer in rhymes.")


async def the_same_configuration_again(company: Company, model: Model) -> None:
    await publish(company, model)


@pytest.mark.parametrize(
    "change",
    [
        a_new_document,
        a_deleted_document,
        new_control_messages,
        new_control_messages_at_an_endpoint,
        a_new_configuration,
        the_same_configuration_again,
    ],
)
async def test_whatever_changes_the_next_one_who_asks_gets_a_new_answer(
    change: Callable[[Company, Model], Awaitable[None]], company: Company, model: Model, kept: Kept
) -> None:
    await kept(QUESTION)
    assert (await company.server.ask(QUESTION))["usage"]["from_cache"] is True

    await change(company, model)
    model.says("By balloon now.")
    answer = await company.server.ask(QUESTION)

    assert (answer["text"], answer["usage"]["from_cache"]) == ("By balloon now.", False)


async def test_a_conversation_with_instructions_of_its_own_gets_an_answer_of_its_own(
    company: Company, model: Model, kept: Kept
) -> None:
    await kept(QUESTION)
    model.says("By ship, madam.")

    answer = await company.server.ask(QUESTION, instructions="Be formal.")

    assert (answer["text"], answer["usage"]["from_cache"]) == ("By ship, madam.", False)


async def test_another_company_gets_no_answer_of_this_one(
    company: Company, model: Model, kept: Kept, open_company: OpenCompany
) -> None:
    await kept(QUESTION)
    other = await open_company("Kramerica")
    await publish(other, model)
    model.says("Not at all.")

    answer = await other.server.ask(QUESTION)

    assert (answer["text"], answer["usage"]["from_cache"]) == ("Not at all.", False)


async def test_answers_are_not_given_again_unless_the_assistant_allows_it(company: Company, model: Model) -> None:
    await company.uses("openai", model.base_url, access_token="sk-of-vandelay", answer_cache=False)
    shown = granted(await company.staff.get(f"/v1/assistants/{company.assistant_id}"))
    model.says("One.")
    model.says("Two.")

    answers = [(await ask(company.server))["text"] for _ in range(2)]

    assert shown["answer_cache"] is False
    assert answers == ["One.", "Two."]


async def ask(caller: Caller) -> dict[str, Any]:
    return await caller.ask(QUESTION)


async def test_a_question_that_is_answered_again_still_counts_as_a_message(
    company: Company, kept: Kept, redis: Redis
) -> None:
    await kept(QUESTION)
    before = await used(redis, company)

    await company.server.ask(QUESTION)

    after = await used(redis, company)
    assert after["messages_per_day"] == before["messages_per_day"] + 1
    assert after["tokens_per_day"] == before["tokens_per_day"]


async def used(redis: Redis, company: Company) -> dict[str, int]:
    """What the tenant's caps have counted."""
    counters: Any = await redis.hgetall(f"{{{company.tenant_id}}}:budget")
    return {name.decode(): int(figure) for name, figure in counters.items() if name.endswith(b"_per_day")}
