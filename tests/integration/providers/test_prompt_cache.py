"""What a provider is asked to keep of a prompt, and what it says of it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chatconnect.domain.errors import ProviderFailed
from chatconnect.ports.models import (
    Finished,
    GenerationOptions,
    ModelEndpoint,
    Prompt,
    PromptMessage,
    PromptRead,
    ToolCall,
    ToolDefinition,
    ToolResult,
)
from tests.integration.providers.conftest import OPTIONS, Dialect, collect
from tests.integration.providers.scripted import Act, ScriptedProvider, event

MARK = {"type": "ephemeral"}
LONG, SHORT = "Answer kindly. " * 300, "Answer kindly."  # about 1,100 tokens and 4
HISTORY = (PromptMessage("user", "Where are you?"), PromptMessage("assistant", "In Oslo."))
QUESTION = PromptMessage("user", "Since when?", data="Passages follow.")
PROMPT = Prompt(LONG, (*HISTORY, QUESTION), lasting=2)
USAGE = {"input_tokens": 5, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 300}


async def sent(provider: ScriptedProvider, prompt: Prompt, model: str = "claude-sonnet-4-6") -> dict[str, Any]:
    """What a request to Anthropic looks like on the wire."""
    dialect = Dialect("anthropic")
    provider.plays(dialect.answer("Four"))
    registry = dialect.registry(provider.url)
    await collect(registry.at(ModelEndpoint("anthropic", model)), prompt)
    await registry.aclose()
    return provider.requests[-1].body


def marked(body: Any) -> Iterator[Any]:
    """All blocks of a request that the provider is asked to keep what comes before."""
    if isinstance(body, dict):
        if "cache_control" in body:
            yield body
        body = list(body.values())
    if isinstance(body, list):
        for part in body:
            yield from marked(part)


async def test_instructions_and_history_are_kept_and_what_goes_with_the_question_is_not(
    provider: ScriptedProvider,
) -> None:
    body = await sent(provider, PROMPT)

    assert body["system"] == [{"type": "text", "text": LONG, "cache_control": MARK}]
    assert body["messages"] == [
        {"role": "user", "content": "Where are you?"},
        {"role": "assistant", "content": [{"type": "text", "text": "In Oslo.", "cache_control": MARK}]},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Passages follow."}, {"type": "text", "text": "Since when?"}],
        },
    ]


async def test_the_next_request_begins_with_what_was_kept(provider: ScriptedProvider) -> None:
    answered = (*HISTORY, PromptMessage("user", QUESTION.text), PromptMessage("assistant", "Since 1998."))
    following = PromptMessage("user", "And why?", data="Other passages follow.")

    first = await sent(provider, PROMPT)
    second = await sent(provider, Prompt(LONG, (*answered, following), lasting=4))

    assert unmarked(second["system"]) == unmarked(first["system"])
    kept = unmarked(first["messages"])[:2]
    assert unmarked(second["messages"])[:2] == kept


def unmarked(part: Any) -> Any:
    """A part of a request as the provider compares it: without marks, and a lone text as the block that it is."""
    if isinstance(part, list):
        return [unmarked(each) for each in part]
    if isinstance(part, dict):
        rest = {name: unmarked(value) for name, value in part.items() if name != "cache_control"}
        if isinstance(part.get("content"), str):
            rest["content"] = [{"type": "text", "text": part["content"]}]
        return rest
    return part


@pytest.mark.parametrize(
    ("model", "tokens", "kept"),
    [
        ("claude-opus-5", 520, True),
        ("claude-opus-5", 500, False),
        ("claude-sonnet-4-6", 1_050, True),
        ("claude-sonnet-4-6-20260217", 1_050, True),
        ("claude-sonnet-4-6", 1_000, False),
        ("claude-haiku-4-5", 4_000, False),
        ("claude-haiku-4-5-20251001", 4_150, True),
        ("claude-sonnet-5-5", 4_000, False),
        ("somebodys-own-model", 4_150, True),
    ],
)
async def test_nothing_is_marked_that_is_too_short_to_be_kept(
    model: str, tokens: int, kept: bool, provider: ScriptedProvider
) -> None:
    body = await sent(provider, Prompt("word" * tokens, (QUESTION,), lasting=0), model)

    assert [block["text"] for block in marked(body)] == (["word" * tokens] if kept else [])


async def test_short_instructions_are_kept_with_a_long_history(provider: ScriptedProvider) -> None:
    said = (PromptMessage("user", "Where are you?"), PromptMessage("assistant", LONG))

    body = await sent(provider, Prompt(SHORT, (*said, QUESTION), lasting=2))

    assert body["system"] == SHORT
    assert [block["text"] for block in marked(body)] == [LONG]


async def test_tools_count_for_the_length_for_they_come_before_the_instructions(provider: ScriptedProvider) -> None:
    tool = ToolDefinition("orders", LONG, {"type": "object"})

    body = await sent(provider, Prompt(SHORT, (QUESTION,), tools=(tool,), lasting=0))

    assert [block["text"] for block in marked(body)] == [SHORT]


async def test_a_history_that_is_about_to_lose_its_beginning_is_not_kept(provider: ScriptedProvider) -> None:
    body = await sent(provider, replace(PROMPT, lasting=0))

    assert [block["text"] for block in marked(body)] == [LONG]


async def test_nothing_is_kept_of_a_prompt_that_does_not_come_again(provider: ScriptedProvider) -> None:
    body = await sent(provider, replace(PROMPT, lasting=None))

    assert (body["system"], list(marked(body))) == (LONG, [])


async def test_further_rounds_with_tools_keep_the_same_and_the_material_stays_with_its_question(
    provider: ScriptedProvider,
) -> None:
    call, result = ToolCall("id_1", "orders", "{}"), ToolResult("id_1", "on its way")
    rounds = (PromptMessage("assistant", "", (call,)), PromptMessage("tool", "", (), (result,)))

    first = await sent(provider, PROMPT)
    second = await sent(provider, replace(PROMPT, messages=(*PROMPT.messages, *rounds)))

    assert second["messages"][:3] == first["messages"]
    assert len(list(marked(second))) == 2


async def test_what_was_read_from_the_cache_and_what_was_put_there_is_told(provider: ScriptedProvider) -> None:
    dialect = Dialect("anthropic")
    begin = {"type": "message_start", "message": {"usage": USAGE}}
    _, *rest = dialect.pieces("Four")
    provider.plays(Act((event(begin, "message_start"), *rest, *dialect.end())))
    provider.plays(Act((event(begin, "message_start"),), cut=True))
    registry = dialect.registry(provider.url)
    model = registry.at(ModelEndpoint("anthropic", "model-1"))

    whole = await collect(model, PROMPT)
    cut = model.stream(PROMPT, GenerationOptions(100))
    first = await anext(cut)
    with pytest.raises(ProviderFailed):
        await anext(cut)
    await registry.aclose()

    assert whole[-1] == Finished("stop", 325, 7, cached_tokens=20, cache_write_tokens=300)
    assert first == PromptRead(325, 20, 300)


async def test_openai_gets_one_system_text_whose_beginning_stays_the_same(provider: ScriptedProvider) -> None:
    dialect = Dialect("openai")
    provider.plays(dialect.answer("Four"))
    registry = dialect.registry(provider.url)

    await collect(registry.at(ModelEndpoint("openai", "gpt-4o")), PROMPT, OPTIONS)
    await registry.aclose()

    body = provider.requests[-1].body
    assert body["messages"][0] == {"role": "system", "content": f"{LONG}\n\nPassages follow."}
    assert [message["content"] for message in body["messages"][1:]] == ["Where are you?", "In Oslo.", "Since when?"]
    assert not list(marked(body))
