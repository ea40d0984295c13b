"""Answers of assistants whose passages come from elsewhere."""

from typing import Any

import pytest

from chatconnect.domain.assistant import Retrieval
from chatconnect.domain.errors import KnowledgeSourceFailed, Unavailable
from chatconnect.domain.tool import SEARCH_KNOWLEDGE
from chatconnect.ports.epochs import Area
from chatconnect.ports.models import ToolCall
from tests.factories import a_knowledge_source
from tests.fakes.knowledge_sources import MemoryPassages
from tests.fakes.models import Step
from tests.unit.services.conversing import World, a_question, a_world, text_of, told

PASSAGE = "The pro plan costs 49 euros."


async def a_world_elsewhere(*script: Step, **config: Any) -> World:
    """A company whose own document says one thing and whose knowledge elsewhere another."""
    world = await a_world(*script)
    await world.knows("The pro plan costs 11 crowns.")
    source = a_knowledge_source(world.tenant_id)
    world.sources[world.tenant_id, source.id] = source
    world.elsewhere = MemoryPassages(world.tenant_id, {"Prices": PASSAGE})
    world.configured(
        **{"provider": "openai", "model": "gpt-5-mini", "condense": "off"} | config,
        retrieval=Retrieval(threshold=0.0, knowledge_source=source.id),
    )
    return world


async def test_an_answer_cites_a_passage_from_elsewhere_alone() -> None:
    world = await a_world_elsewhere("It costs 49 euros [1].")

    heard = await told(world.chat(), world.visitor(), a_question("What does the pro plan cost?"))

    [citation] = heard[-1][1]["citations"]
    assert (citation["title"], citation["quote"], citation["page"]) == ("Prices", PASSAGE, None)
    assert "11 crowns" not in str(world.model.prompts)
    assert PASSAGE in str(world.model.prompts)


@pytest.mark.parametrize(
    "code", [None, "knowledge_source_rejected", "knowledge_source_missing", "knowledge_source_busy"]
)
async def test_when_it_fails_there_is_an_error_and_no_answer(code: str | None) -> None:
    world = await a_world_elsewhere("Something made up.")
    world.elsewhere.failure = KnowledgeSourceFailed("the reason for staff", code=code)

    heard = await told(world.chat(), world.visitor(), a_question())

    name, data = heard[-1]
    assert (name, data["code"], data["retryable"]) == ("error", code or "knowledge_source_failed", True)
    assert text_of(heard) == ""
    assert world.model.prompts == []
    assert "the reason for staff" not in str(heard)


async def test_it_does_not_take_our_own_store() -> None:
    world = await a_world_elsewhere("It costs 49 euros [1].")
    world.search_faults["search"] = Unavailable("the search")

    heard = await told(world.chat(), world.visitor(), a_question())

    assert heard[-1][0] == "done"


async def test_the_models_own_search_goes_there_too() -> None:
    call = ToolCall("call_1", SEARCH_KNOWLEDGE, '{"query": "pro plan"}')
    world = await a_world_elsewhere(call, tools=(SEARCH_KNOWLEDGE,), tool_rounds=2)

    await told(world.chat(), world.visitor(), a_question("Hello?"))

    assert [query for query, _, _ in world.elsewhere.searches] == ["Hello?", "pro plan"]


async def test_an_answer_from_elsewhere_is_made_anew_each_time() -> None:
    world = await a_world_elsewhere("It costs 49 euros [1].", answer_cache=True)
    chat = world.chat()

    for _ in range(2):
        await told(chat, world.visitor(), a_question())

    assert (len(world.model.prompts), world.lookups) == (2, [])


async def test_a_source_removed_meanwhile_is_an_error() -> None:
    world = await a_world_elsewhere("Something made up.")
    world.sources.clear()
    world.epochs.begin(world.tenant_id, Area.CONFIGURATION)

    heard = await told(world.chat(), world.visitor(), a_question())

    assert (heard[-1][0], heard[-1][1]["code"]) == ("error", "knowledge_source_missing")
