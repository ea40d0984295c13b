"""The form of answers on the wire: each provider's own switch, where it has one that takes what is asked for."""

from typing import Any

import pytest

from chatconnect.domain.response_format import TEXT, FormatKind, ResponseFormat
from chatconnect.ports.models import GenerationOptions
from tests.integration.providers.scripted import ScriptedProvider
from tests.integration.providers.test_tool_calls import SECOND_ROUND, sent

CLOSED = {
    "type": "object",
    "properties": {"price": {"type": "integer"}},
    "required": ["price"],
    "additionalProperties": False,
}
BOUNDED = CLOSED | {"properties": {"price": {"type": "integer", "minimum": 0}}}
JSON = ResponseFormat(FormatKind.JSON)


def in_form(form: ResponseFormat) -> GenerationOptions:
    return GenerationOptions(100, response_format=form)


def with_schema(schema: dict[str, Any]) -> GenerationOptions:
    return in_form(ResponseFormat(FormatKind.JSON_SCHEMA, schema))


@pytest.mark.parametrize("name", ["openai", "anthropic"])
async def test_of_text_nothing_is_said(name: str, provider: ScriptedProvider) -> None:
    body = await sent(name, provider, SECOND_ROUND, in_form(TEXT))

    assert not {"response_format", "output_config"} & set(body)


async def test_openai_is_asked_for_an_object_beside_its_tools(provider: ScriptedProvider) -> None:
    body = await sent("openai", provider, SECOND_ROUND, in_form(JSON))

    assert body["response_format"] == {"type": "json_object"}
    assert body["tools"]


@pytest.mark.parametrize(("schema", "strict"), [(CLOSED, True), (BOUNDED, False)])
async def test_openai_gets_the_schema_and_is_strict_where_it_can_be(
    schema: dict[str, Any], strict: bool, provider: ScriptedProvider
) -> None:
    body = await sent("openai", provider, SECOND_ROUND, with_schema(schema))

    assert body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": schema, "strict": strict},
    }


async def test_anthropic_gets_a_schema_that_it_takes(provider: ScriptedProvider) -> None:
    body = await sent("anthropic", provider, SECOND_ROUND, with_schema(CLOSED))

    assert body["output_config"] == {"format": {"type": "json_schema", "schema": CLOSED}}
    assert body["tools"]


@pytest.mark.parametrize("options", [in_form(JSON), with_schema(BOUNDED)], ids=["no schema", "one that it refuses"])
async def test_anthropic_is_left_to_its_instructions_otherwise(
    options: GenerationOptions, provider: ScriptedProvider
) -> None:
    assert "output_config" not in await sent("anthropic", provider, SECOND_ROUND, options)
