"""What a conversation remembers: follow-ups, summaries, and prompts that can be made again."""

import asyncio
from typing import Any

import httpx

from bench.follow_ups import measured
from tests.integration.api.clients import Company, granted, refused, text_of
from tests.integration.api.conftest import ENDING, Model, pieces
from tests.integration.providers.scripted import Act
from tests.waiting import until


async def prompt_of(company: Company, message_id: str) -> dict[str, Any]:
    prompt: dict[str, Any] = granted(await company.staff.get(f"/v1/messages/{message_id}/prompt"))
    return prompt


async def asked(model: Model, times: int) -> None:
    """Wait until the model has been asked so often: a summary is made when its answer is there already."""
    await until(lambda: len(model.prompts) >= times)


async def test_follow_ups_find_more_when_they_are_written_in_full(http: httpx.AsyncClient) -> None:
    figures = await measured(http)

    rates = figures["hit_rate"]
    assert figures["follow_ups"] >= 20
    assert rates["condensed"] >= 0.9, figures
    assert rates["condensed"] >= rates["plain"] + 0.3, figures


async def test_the_prompt_of_a_past_turn_is_made_again_byte_for_byte(company: Company, model: Model) -> None:
    settings = {"access_token": "sk-of-globex", "condense": "off"}
    await company.uses("openai", model.base_url, **settings, history_messages=2)
    model.says("By ship [1].")
    model.says("After nine working days [1].")
    model.says("They asked about Iceland.")  # the summary of what will have fallen out
    model.says("Four crowns [1].")
    first = await company.server.ask("How do parcels get to Iceland?")
    place = {"conversation_id": first["conversation_id"]}
    second = await company.server.stream("And when do they arrive?", **place)
    await asked(model, 3)
    third = await company.server.stream("What does gift wrapping cost?", **place)
    received = [messages for messages in model.prompts if not messages[0]["content"].startswith("Summarise")]
    sent = [first["message_id"], second[0].data["message_id"], third[0].data["message_id"]]

    await company.uses("openai", model.base_url, **settings, system_prompt="Say nothing.", history_messages=9)
    await company.ingested("Another guide.txt", b"Parcels to Iceland travel by balloon now.")
    rebuilt = [await prompt_of(company, message_id) for message_id in sent]
    fork = granted(
        await company.server.post(f"/v1/conversations/{first['conversation_id']}/fork", {"message_id": sent[2]})
    )
    of_copies = [await prompt_of(company, copy["id"]) for copy in fork["messages"][1::2]]
    await company.uses("offline", condense="auto", history_messages=20, system_prompt="Quote. {refusal}")

    assert [prompt["messages"] for prompt in rebuilt] == received
    assert of_copies == rebuilt
    assert "They asked about Iceland." in received[2][0]["content"]
    assert rebuilt[2]["summarised_until"] is not None
    assert [message["role"] for message in received[2]] == ["system", "user", "assistant", "user"]


async def test_what_a_summary_took_is_part_of_what_the_answer_cost(company: Company, model: Model) -> None:
    settings = {"access_token": "sk-of-globex", "condense": "off", "history_messages": 2}
    await company.uses("openai", model.base_url, **settings)
    for text in ("One.", "Two.", "In short: one."):
        model.says(text)
    server = company.server
    first = await server.ask("First?")

    second = await server.stream("Second?", conversation_id=first["conversation_id"])
    await asked(model, 3)
    said = second[-1].data["usage"]

    async def counted_again() -> Any:
        usage = (await server.conversation(first["conversation_id"]))["messages"][-1]["usage"]
        return None if usage == said else usage

    stored = await until(counted_again)
    await company.uses("offline", condense="auto", history_messages=20)

    assert (stored["input_tokens"], stored["output_tokens"]) == (2 * said["input_tokens"], 2 * said["output_tokens"])
    assert stored["cost_microusd"] == 2 * said["cost_microusd"] > 0


async def test_a_follow_up_is_searched_for_as_the_model_writes_it_and_paid_for(company: Company, model: Model) -> None:
    await company.uses("openai", model.base_url, access_token="sk-of-globex", condense="auto")
    model.says("By ship [1].")
    model.says("price of gift wrapping per parcel")
    model.says("Four crowns [1].")
    first = await company.server.ask("How do parcels get to Iceland?")

    answer = await company.server.ask("And what about it?", conversation_id=first["conversation_id"])
    prompt = await prompt_of(company, answer["message_id"])
    await company.uses("offline")

    assert prompt["query"] == "price of gift wrapping per parcel"
    assert answer["usage"]["output_tokens"] == 2 * first["usage"]["output_tokens"]


async def test_when_no_query_comes_in_time_the_words_are_searched_for(company: Company, model: Model) -> None:
    await company.uses("openai", model.base_url, access_token="sk-of-globex", condense="auto")
    model.says("By ship [1].")
    model.plays(Act((*pieces(60.0, "too late"), *ENDING)))
    model.says("Nine days [1].")
    first = await company.server.ask("How do parcels get to Iceland?")

    async with asyncio.timeout(30):
        events = await company.server.stream("And when?", conversation_id=first["conversation_id"])
    prompt = await prompt_of(company, events[0].data["message_id"])
    await company.uses("offline")

    assert text_of(events).startswith("Nine days")
    assert prompt["query"].startswith("And when? ")
    assert "Iceland" in prompt["query"]


async def test_a_prompt_is_for_administrators(company: Company) -> None:
    visitor = await company.visitor()
    answer = await visitor.ask("How do parcels get to Iceland?")

    response = await visitor.get(f"/v1/messages/{answer['message_id']}/prompt")

    assert response.status_code in (401, 403)
    refused(await company.staff.get(f"/v1/messages/{answer['user_message_id']}/prompt"), 404, "not_found")
