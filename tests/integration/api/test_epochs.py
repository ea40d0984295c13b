"""What is cached holds: in two API processes, with Redis coming and going, and with little asked of the database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from local.services import free_port, running
from local.services.api import Api
from tests.integration.api.clients import Caller, Company, refused
from tests.integration.api.conftest import OpenCompany
from tests.integration.api.test_outages import hanging, stopped
from tests.stack import RunningStack
from tests.statement_log import logged
from tests.waiting import until

NOWHERE = "Which colour has the moon's lighthouse?"


@pytest.fixture(scope="module")
async def other_http(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """A second process of the API beside the first."""
    api = Api(tmp_path_factory.mktemp("api"), free_port(), stack.settings)
    async with running(api), httpx.AsyncClient(base_url=api.url, timeout=30, trust_env=False) as client:
        yield client


@pytest.fixture
async def one(open_company: OpenCompany) -> Company:
    """A company as the first process serves it."""
    return await open_company("Initech")


@pytest.fixture
def other(one: Company, other_http: httpx.AsyncClient) -> Company:
    """The same company as the second process serves it."""
    return replace(one, http=other_http)


async def words(company: Company) -> str:
    """What the assistant says when it knows nothing, which is part of its configuration."""
    text: str = (await company.server.ask(NOWHERE))["text"]
    return text


async def publish(company: Company, refusal: str) -> None:
    await company.uses("offline", refusal=refusal)


async def test_what_one_process_publishes_the_other_uses_in_its_very_next_answer(one: Company, other: Company) -> None:
    for number in range(10):
        publisher, reader = (one, other) if number % 2 else (other, one)
        await publish(publisher, f"Refusal number {number}.")

        assert [await words(reader), await words(publisher)] == [f"Refusal number {number}."] * 2


async def test_publishing_while_answers_are_asked_for_never_brings_an_old_one_back(
    one: Company, other: Company
) -> None:
    await publish(one, "0")
    heard: list[int] = []

    async def asking(company: Company) -> None:
        for _ in range(15):
            asked_after = published
            heard.append(int(await words(company)) - asked_after)

    published = 0
    readers = [asyncio.create_task(asking(company)) for company in (one, other)]
    for number in range(1, 8):
        await publish(one, str(number))
        published = number
    await asyncio.gather(*readers)

    assert min(heard) >= 0


async def test_a_redis_that_dies_and_comes_back_empty_hides_no_publication(
    one: Company, other: Company, stack: RunningStack
) -> None:
    await publish(one, "Before.")
    assert [await words(one), await words(other)] == ["Before.", "Before."]

    async with stopped(stack.services.redis):
        await publish(one, "During.")
        during = await words(one)

    assert during == "During."
    assert [await words(other), await words(one)] == ["During.", "During."]  # the other never noticed the outage


async def test_a_publication_that_redis_slept_through_is_told_when_it_wakes(
    one: Company, other: Company, stack: RunningStack
) -> None:
    await publish(one, "Before.")
    assert await words(other) == "Before."

    async with hanging(stack.services.redis):
        await publish(one, "During.")

    async def is_told() -> bool:
        return await words(other) == "During."

    await until(is_told)


async def test_a_new_document_is_found_at_once_and_a_deleted_one_never(one: Company, other: Company) -> None:
    question = "How long do pelicans fly?"
    await publish(one, "Not known.")
    visitors = [await one.visitor(), await other.visitor()]
    assert [(await visitor.ask(question))["text"] for visitor in visitors] == ["Not known."] * 2
    assert await one.found(question) == []

    document = await one.ingested("birds.txt", b"Pelicans fly for nine hours.")
    texts = [(await visitor.ask(question))["text"] for visitor in visitors]
    passages = await other.found(question)
    assert (await one.server.delete(f"/v1/documents/{document['id']}")).is_success
    afterwards = [(await visitor.ask(question))["text"] for visitor in visitors]

    assert ["nine hours" in text for text in texts] == [True, True]
    assert ["nine hours" in passage["text"] for passage in passages] == [True]
    assert afterwards == ["Not known."] * 2
    assert await other.found(question) == []


async def test_what_was_found_a_moment_ago_is_found_without_the_store(
    one: Company, other: Company, stack: RunningStack
) -> None:
    await one.ingested("herons.txt", b"Herons eat fish and frogs.")
    before = await (await one.visitor()).ask("What do herons eat?")

    async with stopped(stack.services.qdrant):
        again = await (await other.visitor()).ask("What do herons eat?")
        another = await (await other.visitor()).post("/v1/chat", {"message": "What do herons like to eat?"})

    assert again["text"] == before["text"]
    refused(another, 503, "knowledge_unavailable")


async def test_a_warm_turn_asks_the_database_three_times(one: Company, stack: RunningStack) -> None:
    await one.ingested("herons.txt", b"Herons eat fish and frogs.")
    visitor = await one.visitor()
    await visitor.ask("What do herons eat?")

    again = await _asked(visitor, "What do herons eat?", stack)
    another = await _asked(visitor, "Do herons eat frogs?", stack)
    for _ in range(2):  # until the key is kept
        await one.server.ask("What do herons eat?")
    of_a_server = await _asked(one.server, "What do herons eat?", stack)

    *while_answering, last = again
    assert any("document_versions v" in statement for statement in while_answering)
    assert any("conversations" in statement for statement in while_answering)
    assert "usage" in last
    assert (len(again), len(another), len(of_a_server)) == (3, 3, 3)


async def _asked(caller: Caller, question: str, stack: RunningStack) -> list[str]:
    """The statements that an answer takes."""
    async with logged(stack.services.postgres) as log:
        answer = await caller.ask(question)
    assert "eat" in answer["text"]
    return [ran.text for ran in log.own]
