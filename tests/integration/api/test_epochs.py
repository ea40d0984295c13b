"""What is cached holds: in two API processes, with Redis coming and going, and with little asked of the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import psycopg
import pytest

from local.services import free_port, running
from local.services.api import Api
from tests.integration.api.clients import Caller, Company, refused
from tests.integration.api.conftest import OpenCompany
from tests.integration.api.test_outages import hanging, stopped
from tests.stack import RunningStack

PATIENCE = 15.0
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

    async with asyncio.timeout(PATIENCE):
        while await words(other) != "During.":
            await asyncio.sleep(0.1)


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

    async with _statements(stack) as statements:
        again = await _asked(visitor, "What do herons eat?", statements)
        another = await _asked(visitor, "Do herons eat frogs?", statements)
        for _ in range(2):  # until the key is kept
            await one.server.ask("What do herons eat?")
        of_a_server = await _asked(one.server, "What do herons eat?", statements)

    *while_answering, last = again
    assert any("document_versions v" in statement for statement in while_answering)
    assert any("conversations" in statement for statement in while_answering)
    assert "usage" in last
    assert (len(again), len(another), len(of_a_server)) == (3, 3, 3)


async def _asked(visitor: Caller, question: str, statements: "Statements") -> list[str]:
    """The statements that an answer takes."""
    statements.forget()
    answer = await visitor.ask(question)
    assert "eat" in answer["text"]
    return statements.seen()


class Statements:
    """What Postgres was asked, without what opens and ends a transaction."""

    def __init__(self, log: Path) -> None:
        self._log, self._from = log, 0

    def forget(self) -> None:
        self._from = self._log.stat().st_size

    def seen(self) -> list[str]:
        text = self._log.read_bytes()[self._from :].decode()
        asked = [entry for entry in text.split("LOG:  ")[1:] if entry.startswith(("execute ", "statement: "))]
        return [entry for entry in asked if not any(frame in entry for frame in ("set_config(", "BEGIN", "COMMIT"))]


@asynccontextmanager
async def _statements(stack: RunningStack) -> AsyncIterator[Statements]:
    """Let Postgres log every statement."""
    await _tell(stack, b"ALTER SYSTEM SET log_statement = 'all'")
    try:
        yield Statements(stack.services.postgres.log)
    finally:
        await _tell(stack, b"ALTER SYSTEM RESET log_statement")


async def _tell(stack: RunningStack, statement: bytes) -> None:
    async with await psycopg.AsyncConnection.connect(stack.services.postgres.url, autocommit=True) as connection:
        await connection.execute(statement)
        await connection.execute("SELECT pg_reload_conf()")
    await asyncio.sleep(0.3)  # until every session has heard of it
