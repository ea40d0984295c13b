"""Schemas of tools' arguments and answers, and what values have to be to fit them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.domain.errors import Invalid
from chatconnect.domain.json_schema import check_schema, is_closed, violation


@pytest.mark.parametrize(
    "part",
    [
        {"pattern": "(a+)+$"},
        {"$ref": "#/x"},
        {"type": "text"},
        {"type": 7},
        {"minLength": "1"},
        {"required": "order"},
        {"required": [["order"]]},
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
        "level": {"enum": [0, 1]},
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
        {"level": 0},
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
        ({"text": "abc", "same": True}, "expected 1"),
        ({"text": "abc", "level": False}, "expected one of"),
        ({"text": "abc", "list": []}, "below minItems"),
        ({"text": "abc", "list": ["x", 7]}, "list[1]: expected string"),
        ({"text": "abc", "inner": {}}, "inner: x is missing"),
        ({"text": "abc", "inner": {"x": 1}}, "inner.x: expected string or null"),
        ({"text": "abc", "either": 1}, "fits none"),
    ],
)
def test_a_violation_says_where_and_what(value: Any, why: str) -> None:
    assert why in (violation(SCHEMA, value) or "")


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
KEYWORDS = st.sampled_from(["type", "properties", "items", "anyOf", "required", "enum", "const", "minLength", "title"])
NAMES = st.sampled_from(["object", "array", "string", "order"])
PARTS: st.SearchStrategy[Any] = st.recursive(
    VALUES | NAMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS | NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(KEYWORDS, PARTS, max_size=4), PARTS)
def test_a_schema_is_refused_or_never_breaks_on_any_value(schema: dict[str, Any], value: Any) -> None:
    described = {**schema, "type": "object"}
    try:
        check_schema(described)
    except Invalid:
        return

    violation(described, value)
    is_closed(described)
