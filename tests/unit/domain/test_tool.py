"""What a tool of a tenant's own may look like, and what its arguments have to."""

from dataclasses import replace
from typing import Any

import pytest

from chatconnect.domain.errors import Invalid
from chatconnect.domain.identifiers import TenantId, new_id
from chatconnect.domain.json_schema import check_schema, violation
from chatconnect.domain.secret import Secret
from tests.factories import a_tool

TOOL = a_tool(TenantId(new_id()))

WRONG: list[dict[str, Any]] = [
    {"name": ""},
    {"name": "has space"},
    {"name": "x" * 65},
    {"name": "search_knowledge"},
    {"description": " "},
    {"description": "x" * 1_001},
    {"method": "TRACE"},
    {"url": "ftp://example.com/{order}"},
    {"url": "https://"},
    {"url": "https://user:password@example.com/"},
    {"url": "https://example.com/#part"},
    {"url": "https://{order}.example.com/"},
    {"url": "https://example.com:{order}/"},
    {"url": "https://example.com/{unknown}"},
    {"url": "https://example.com/{order"},
    {"url": "https://example.com/a b"},
    {"headers": {"Host": Secret("internal")}},
    {"headers": {"bad name": Secret("x")}},
    {"headers": {"X-Key": Secret("a\r\nHost: evil")}},
    {"headers": {"X-Key": Secret("")}},
    {"headers": {"x-key": Secret("a"), "X-Key": Secret("b")}},
    {"parameters": {"type": "string"}},
]


@pytest.mark.parametrize("change", WRONG)
def test_what_could_not_be_called_or_should_not_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        replace(TOOL, **change)


def test_arguments_may_stand_in_path_and_query() -> None:
    tool = replace(TOOL, url="https://example.com/{order}?full={detail}&o={order}")

    assert tool.places == ("order", "detail", "order")


@pytest.mark.parametrize(
    "part",
    [
        {"pattern": "(a+)+$"},
        {"$ref": "#/x"},
        {"type": "text"},
        {"type": 7},
        {"minLength": "1"},
        {"required": "order"},
        {"properties": []},
        {"items": "string"},
        {"additionalProperties": {"type": "string"}},
        {"enum": "a"},
    ],
)
def test_a_schema_with_what_is_not_checked_is_refused(part: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        check_schema({"type": "object", "properties": {"order": part}})


def test_a_schema_that_is_too_deep_or_too_long_is_refused() -> None:
    deep: dict[str, Any] = {"type": "object"}
    for _ in range(10):
        deep = {"type": "object", "properties": {"inner": deep}}

    for schema in (deep, {"type": "object", "description": "x" * 20_000}):
        with pytest.raises(Invalid):
            check_schema(schema)


@pytest.mark.parametrize("value", ["a\0b", "\ud800", float("nan")])
def test_a_schema_that_cannot_be_stored_is_refused(value: object) -> None:
    with pytest.raises(Invalid):
        check_schema({"type": "object", "default": value})


SCHEMA = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "minLength": 2, "maxLength": 4},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "share": {"type": "number"},
        "kind": {"enum": ["a", "b"]},
        "same": {"const": 1},
        "list": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
        "inner": {"type": "object", "required": ["x"], "properties": {"x": {"type": ["string", "null"]}}},
        "either": {"anyOf": [{"type": "string"}, {"type": "boolean"}]},
    },
    "required": ["text"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"count": 1},
        {"count": 2.0},
        {"share": 2},
        {"kind": "b"},
        {"same": 1},
        {"list": ["x"]},
        {"inner": {"x": None}},
        {"either": True},
    ],
)
def test_a_fitting_value_has_no_violation(more: dict[str, Any]) -> None:
    check_schema(SCHEMA)

    assert violation(SCHEMA, {"text": "abc", **more}) is None


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "expected object"),
        ({}, "text is missing"),
        ({"text": "a"}, "text: below minLength 2"),
        ({"text": "abcde"}, "above maxLength"),
        ({"text": "abc", "extra": 1}, "extra is not known"),
        ({"text": "abc", "count": True}, "count: expected integer"),
        ({"text": "abc", "count": 1.5}, "expected integer"),
        ({"text": "abc", "count": 0}, "below minimum"),
        ({"text": "abc", "count": 10}, "above maximum"),
        ({"text": "abc", "kind": "c"}, "expected one of"),
        ({"text": "abc", "same": 2}, "expected 1"),
        ({"text": "abc", "list": []}, "below minItems"),
        ({"text": "abc", "list": ["x", 7]}, "list[1]: expected string"),
        ({"text": "abc", "inner": {}}, "inner: x is missing"),
        ({"text": "abc", "inner": {"x": 1}}, "inner.x: expected string or null"),
        ({"text": "abc", "either": 1}, "fits none"),
    ],
)
def test_a_violation_says_where_and_what(value: Any, why: str) -> None:
    assert why in (violation(SCHEMA, value) or "")
