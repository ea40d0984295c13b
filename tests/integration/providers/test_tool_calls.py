"""Tools in each provider's own format: what is sent, and what comes back."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chatconnect.adapters.model_registry import ModelRegistry
from chatconnect.domain.errors import ProviderFailed
from chatconnect.ports.models import (
    ChatModel,
    Finished,
    GenerationOptions,
    ModelEndpoint,
    Prompt,
    PromptMessage,
    TextDelta,
    ToolCall,
    ToolDefinition,
    ToolResult,
)
from local.services import Providers
from tests.integration.providers.conftest import Dialect, collect
from tests.integration.providers.scripted import Act, ScriptedProvider, event

SCHEMA = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
TOOL = ToolDefinition("orders", "Says where an order is.", SCHEMA)
QUESTION = Prompt("", (PromptMessage("user", "Where is shipping order A-1?"),), tools=(TOOL,))
CALLS = (ToolCall("id_1", "orders", '{"order": "A-1"}'), ToolCall("id_2", "orders", "{broken"))
RESULTS = (ToolResult("id_1", "on its way"), ToolResult("id_2", "Error: not JSON", failed=True))
SECOND_ROUND = Prompt(
    "",
    (*QUESTION.messages, PromptMessage("assistant", "", CALLS), PromptMessage("tool", "", (), RESULTS)),
    tools=(TOOL,),
)


def openai_calls() -> tuple[bytes, ...]:
    """Two calls whose arguments come in turns."""

    def chunk(index: int, **piece: Any) -> bytes:
        return event({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": index, **piece}]}}]})

    return (
        chunk(0, id="id_1", type="function", function={"name": "orders", "arguments": ""}),
        chunk(1, id="id_2", type="function", function={"name": "orders", "arguments": '{"or'}),
        chunk(0, function={"arguments": '{"order": '}),
        chunk(1, function={"arguments": 'der": "B-2"}'}),
        chunk(0, function={"arguments": '"A-1"}'}),
    )


def anthropic_calls() -> tuple[bytes, ...]:
    """Two blocks, one after the other; the first begins with an empty piece, as the vendor's do."""

    def block(index: int, id_: str, *pieces: str) -> tuple[bytes, ...]:
        start = {"type": "tool_use", "id": id_, "name": "orders", "input": {}}
        deltas = [
            {"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": p}}
            for p in pieces
        ]
        whole = [
            {"type": "content_block_start", "index": index, "content_block": start},
            *deltas,
            {"type": "content_block_stop", "index": index},
        ]
        return tuple(event(data, str(data["type"])) for data in whole)

    return (*block(1, "id_1", "", '{"order": ', '"A-1"}'), *block(2, "id_2", '{"order": "B-2"}'))


def calls(dialect: Dialect) -> tuple[bytes, ...]:
    return openai_calls() if dialect.provider == "openai" else anthropic_calls()


async def test_calls_come_whole_and_in_order_before_the_end(
    dialect: Dialect, provider: ScriptedProvider, model: ChatModel
) -> None:
    reason = {"openai": "tool_calls", "anthropic": "tool_use"}[dialect.provider]
    provider.plays(Act((*dialect.pieces("Let me look."), *calls(dialect), *dialect.end(reason))))

    deltas = await collect(model, QUESTION)

    told = [delta for delta in deltas if isinstance(delta, TextDelta | ToolCall)]
    assert [(type(each), getattr(each, "id", None)) for each in told] == [
        (TextDelta, None),
        (ToolCall, "id_1"),
        (ToolCall, "id_2"),
    ]
    arguments = [json.loads(each.arguments) for each in told if isinstance(each, ToolCall)]
    assert arguments == [{"order": "A-1"}, {"order": "B-2"}]
    assert isinstance(deltas[-1], Finished)
    assert (deltas[-1].reason, deltas[-1].output_tokens) == ("stop", 7)


async def test_calls_of_a_cut_stream_are_never_given_out_as_an_answer(
    dialect: Dialect, provider: ScriptedProvider, model: ChatModel
) -> None:
    provider.plays(Act((*dialect.pieces("Let me"), *calls(dialect)[:3]), cut=True))
    calls_heard = 0

    async def hear() -> None:
        nonlocal calls_heard
        async for delta in model.stream(QUESTION, GenerationOptions(100)):
            calls_heard += isinstance(delta, ToolCall)

    with pytest.raises(ProviderFailed):
        await hear()

    assert calls_heard == 0


async def test_openai_gets_tools_calls_and_results_in_its_own_format(provider: ScriptedProvider) -> None:
    body = await sent("openai", provider, SECOND_ROUND, GenerationOptions(100))

    function = {"name": "orders", "description": "Says where an order is.", "parameters": SCHEMA}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert body["tool_choice"] == "auto"
    _, asked, first, second = body["messages"]
    assert [call["function"]["arguments"] for call in asked["tool_calls"]] == ['{"order": "A-1"}', "{broken"]
    assert first == {"role": "tool", "tool_call_id": "id_1", "content": "on its way"}
    assert second["tool_call_id"] == "id_2"


async def test_anthropic_gets_tools_calls_and_results_in_its_own_format(provider: ScriptedProvider) -> None:
    body = await sent("anthropic", provider, SECOND_ROUND, GenerationOptions(100))

    assert body["tools"] == [{"name": "orders", "description": "Says where an order is.", "input_schema": SCHEMA}]
    assert body["tool_choice"] == {"type": "auto"}
    _, asked, given = body["messages"]
    assert asked["content"] == [
        {"type": "tool_use", "id": "id_1", "name": "orders", "input": {"order": "A-1"}},
        {"type": "tool_use", "id": "id_2", "name": "orders", "input": {}},
    ]
    assert given["role"] == "user"
    assert [(each["tool_use_id"], each["is_error"]) for each in given["content"]] == [("id_1", False), ("id_2", True)]


@pytest.mark.parametrize(("name", "choice"), [("openai", "none"), ("anthropic", {"type": "none"})])
async def test_a_model_that_has_to_answer_is_told_so(name: str, choice: object, provider: ScriptedProvider) -> None:
    body = await sent(name, provider, SECOND_ROUND, GenerationOptions(100, may_call_tools=False))

    assert body["tool_choice"] == choice
    assert body["tools"]


@pytest.mark.parametrize("name", ["openai", "anthropic"])
async def test_without_tools_nothing_is_said_of_them(name: str, provider: ScriptedProvider) -> None:
    body = await sent(name, provider, Prompt("", QUESTION.messages), GenerationOptions(100))

    assert not {"tools", "tool_choice"} & set(body)


async def sent(name: str, provider: ScriptedProvider, prompt: Prompt, options: GenerationOptions) -> dict[str, Any]:
    """What a request looks like on the wire."""
    dialect = Dialect(name)
    provider.plays(dialect.answer("Four"))
    registry = dialect.registry(provider.url)
    await collect(registry.at(ModelEndpoint(name, "model-1")), prompt, options)
    await registry.aclose()
    return provider.requests[-1].body


@pytest.fixture
async def aimock_registry(aimock: Providers) -> AsyncIterator[ModelRegistry]:
    await aimock.reset()
    call = {"id": "call_7", "name": "orders", "arguments": '{"order": "A-1"}'}
    await aimock.script({"match": {"toolCallId": "call_7"}, "response": {"content": "It left on Monday."}})
    await aimock.script({"match": {"userMessage": "shipping", "toolName": "orders"}, "response": {"toolCalls": [call]}})
    registry = Dialect("openai").registry(aimock.url)
    yield registry
    await registry.aclose()


@pytest.mark.parametrize("name", ["openai", "anthropic"])
async def test_the_products_scripted_server_calls_and_answers(name: str, aimock_registry: ModelRegistry) -> None:
    model = aimock_registry.at(ModelEndpoint(name, "model-1"))

    first = await collect(model, QUESTION)
    [made] = [delta for delta in first if isinstance(delta, ToolCall)]
    asked, given = PromptMessage("assistant", "", (made,)), PromptMessage("tool", "", (), (ToolResult(made.id, "x"),))
    second = await collect(model, Prompt("", (*QUESTION.messages, asked, given), tools=(TOOL,)))

    assert (made.name, json.loads(made.arguments)) == ("orders", {"order": "A-1"})
    assert "".join(each.text for each in second if isinstance(each, TextDelta)) == "It left on Monday."
