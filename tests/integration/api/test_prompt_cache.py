"""Anthropic's prompt cache through the product: what is kept, what it costs, and what is told of it."""

import pytest

from tests.integration.api.clients import Company, granted
from tests.integration.api.conftest import GUIDE, OpenCompany
from tests.integration.providers import conftest as wire
from tests.integration.providers.scripted import Act, ScriptedProvider, event

provider = wire.provider

SYSTEM_PROMPT = "Answer kindly, from the passages. " * 200  # about 1,700 tokens
MARK = {"type": "ephemeral"}


@pytest.fixture(scope="module")
async def company(open_company: OpenCompany) -> Company:
    company = await open_company("Hooli")
    await company.ingested("Delivery guide.txt", GUIDE.encode())
    return company


async def uses(company: Company, provider: ScriptedProvider, **settings: object) -> None:
    await company.uses(
        "anthropic",
        provider.url,
        model="claude-sonnet-4-6",
        access_token="token-of-hooli",
        system_prompt=SYSTEM_PROMPT,
        **settings,
    )


def an_answer(text: str, *, anew: int, read: int = 0, written: int = 0) -> Act:
    """An answer of seven tokens to a prompt of three parts."""
    dialect = wire.Dialect("anthropic")
    usage = {"input_tokens": anew, "cache_read_input_tokens": read, "cache_creation_input_tokens": written}
    _, *pieces = dialect.pieces(text)
    begin = event({"type": "message_start", "message": {"usage": usage}}, "message_start")
    return Act((begin, *pieces, *dialect.end()))


async def test_a_conversation_is_kept_as_it_grows_and_costs_what_the_provider_says(
    company: Company, provider: ScriptedProvider
) -> None:
    await uses(company, provider)
    provider.plays(an_answer("By ship [1].", anew=50, written=1_700))
    provider.plays(an_answer("Nine days [1].", anew=60, read=1_700, written=20))
    visitor = await company.visitor()

    first = await visitor.ask("How do parcels get to Iceland?")
    second = await visitor.ask("And when do they arrive?", conversation_id=first["conversation_id"])

    bodies = [request.body for request in provider.requests]
    assert [body["system"] for body in bodies] == [[{"type": "text", "text": SYSTEM_PROMPT, "cache_control": MARK}]] * 2
    asked, answered, question = bodies[1]["messages"]
    assert asked == {"role": "user", "content": "How do parcels get to Iceland?"}
    assert answered["content"] == [{"type": "text", "text": "By ship.", "cache_control": MARK}]
    assert [block["text"] for block in question["content"]][1:] == ["And when do they arrive?"]
    assert "<passage" in question["content"][0]["text"]
    assert [figures(answer["usage"]) for answer in (first, second)] == [
        # tokens in, read, written, out, and micro-dollars: 3 a token, 0.3, 3.75 and 15
        (1_750, 0, 1_700, 7, 50 * 3 + 6_375 + 7 * 15),
        (1_780, 1_700, 20, 7, 60 * 3 + 510 + 75 + 7 * 15),
    ]
    messages = (await visitor.conversation(first["conversation_id"]))["messages"]
    stored = [message["usage"] for message in messages if message["role"] == "assistant"]
    assert stored == [first["usage"], second["usage"]]


async def test_the_prompt_of_a_past_turn_holds_the_same_texts(company: Company, provider: ScriptedProvider) -> None:
    await uses(company, provider)
    provider.plays(an_answer("By ship [1].", anew=50), an_answer("Nine days [1].", anew=60))
    first = await company.server.ask("How do parcels get to Iceland?")
    second = await company.server.ask("And when do they arrive?", conversation_id=first["conversation_id"])

    rebuilt = granted(await company.staff.get(f"/v1/messages/{second['message_id']}/prompt"))

    body = provider.requests[-1].body
    *history, question = body["messages"]
    [instructions], (material, text) = body["system"], question["content"]
    said = [text_of(message["content"]) for message in history]
    assert [message["content"] for message in rebuilt["messages"]] == [
        f"{instructions['text']}\n\n{material['text']}",
        *said,
        text["text"],
    ]


def text_of(content: str | list[dict[str, str]]) -> str:
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


async def test_an_assistant_may_do_without(company: Company, provider: ScriptedProvider) -> None:
    await uses(company, provider, prompt_cache=False)
    provider.plays(an_answer("By ship [1].", anew=50))

    await company.server.ask("How do parcels get to Iceland?")

    assert provider.requests[-1].body["system"] == SYSTEM_PROMPT
    assert "cache_control" not in str(provider.requests[-1].body)


def figures(usage: dict[str, int]) -> tuple[int, ...]:
    names = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "cost_microusd")
    return tuple(usage[name] for name in names)
