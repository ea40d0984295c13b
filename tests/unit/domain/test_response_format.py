"""The form of answers: what counts as JSON, what does not, and what a model is told."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.domain.errors import Invalid
from chatconnect.domain.json_schema import is_closed
from chatconnect.domain.response_format import TEXT, FormatKind, NotInForm, ResponseFormat

PRICE = {
    "type": "object",
    "properties": {"price": {"type": "integer"}, "currency": {"enum": ["EUR", "USD"]}},
    "required": ["price", "currency"],
    "additionalProperties": False,
}
JSON = ResponseFormat(FormatKind.JSON)
PRICED = ResponseFormat(FormatKind.JSON_SCHEMA, PRICE)


@pytest.mark.parametrize(
    "text", ['{"a": [1, 2]}', '```json\n{"a": [1, 2]}\n```', '```{"a": [1, 2]}```', ' {"a": [1, 2]}\n']
)
def test_an_object_passes_without_the_fence_around_it(text: str) -> None:
    assert JSON.checked(text) == '{"a": [1, 2]}'


@pytest.mark.parametrize(
    "text",
    ["", "It costs 49 euros.", 'Here it is: {"a": 1}', '{"a": 1} {"b": 2}', '{"a": 1', "{'a': 1}", '{"a": NaN}',
     '{"a": -Infinity}', "[1, 2]", '"text"', "49", "true", "null", "```", "``````", '```json\n{"a": 1}', "[" * 100_000],
)  # fmt: skip
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(NotInForm):
        JSON.checked(text)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"price": 49}, "currency is missing"),
        ({"price": "49", "currency": "EUR"}, "price: expected integer"),
        ({"price": 49, "currency": "DM"}, "currency: expected one of"),
        ({"price": 49, "currency": "EUR", "note": "x"}, "note is not known"),
    ],
)
def test_what_breaks_the_schema_is_refused_in_words_for_the_model(answer: Any, why: str) -> None:
    with pytest.raises(NotInForm, match=why):
        PRICED.checked(json.dumps(answer))


def test_what_fits_the_schema_passes_as_it_is() -> None:
    text = '{ "currency": "EUR",  "price": 49 }'

    assert PRICED.checked(text) == text


def test_text_is_not_looked_at() -> None:
    assert TEXT.checked(" ```x``` ") == " ```x``` "
    assert TEXT.instruction == ""


@given(st.text(alphabet=st.sampled_from('{}[]":,`\n\\ a1tnNI.-+eE'), max_size=40))
def test_whatever_passes_is_read_as_an_object_by_any_parser(text: str) -> None:
    try:
        shown = JSON.checked(text)
    except NotInForm:
        return

    assert isinstance(json.loads(shown, parse_constant=pytest.fail), dict)


def test_a_model_is_told_the_schema() -> None:
    assert "JSON object" in JSON.instruction
    assert json.dumps(PRICE) in PRICED.instruction


@pytest.mark.parametrize(
    ("kind", "schema", "field"),
    [
        ("xml", None, "response_format.type"),
        ("json_schema", None, "response_format.schema"),
        ("json", PRICE, "response_format.schema"),
        ("json_schema", {"type": "array"}, "response_format.schema"),
        ("json_schema", {"type": "object", "properties": {"a": {"pattern": "(a+)+$"}}}, "response_format.schema"),
    ],
)
def test_a_form_that_cannot_be_checked_is_refused(kind: Any, schema: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        ResponseFormat(kind, schema)

    assert refused.value.details == {"field": field}


NESTED = {"type": "array", "items": PRICE}


@pytest.mark.parametrize(
    ("change", "closed"),
    [
        ({}, True),
        ({"properties": {"price": NESTED}, "required": ["price"]}, True),
        ({"properties": {"price": {"anyOf": [{"type": "null"}, PRICE]}}, "required": ["price"]}, True),
        ({"required": ["price"]}, False),
        ({"additionalProperties": True}, False),
        ({"properties": {}, "required": []}, False),
        ({"properties": {"price": {"type": "integer", "minimum": 0}}, "required": ["price"]}, False),
        ({"properties": {"price": {"type": ["integer", "null"]}}, "required": ["price"]}, False),
        ({"properties": {"price": {"type": "array"}}, "required": ["price"]}, False),
        ({"properties": {"price": {}}, "required": ["price"]}, False),
        ({"properties": {"price": {"enum": [[1]]}}, "required": ["price"]}, False),
    ],
)
def test_a_schema_is_closed_when_it_leaves_nothing_open(change: dict[str, Any], closed: bool) -> None:
    assert is_closed(PRICE | change) is closed
