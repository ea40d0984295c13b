"""What becomes of schemas that somebody else wrote."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconnect.domain.errors import Invalid
from chatconnect.domain.foreign_schema import MAX_NODES, adopted_schema
from chatconnect.domain.json_schema import check_schema, violation


def of_property(part: Any, **more: Any) -> Any:
    """What becomes of one property's schema."""
    schema = adopted_schema({"type": "object", "properties": {"it": part}, **more})
    return schema["properties"].get("it")


@pytest.mark.parametrize(
    ("part", "adopted"),
    [
        ({"type": "string", "minLength": 1, "pattern": "(a+)+$"}, {"type": "string", "minLength": 1}),
        ({"type": ["string", "null"], "title": "It"}, {"type": ["string", "null"], "title": "It"}),
        ({"type": "file"}, {}),
        ({"type": ["string", 7]}, {}),
        ({"minimum": "1", "maximum": True}, {}),
        ({"enum": ["a", 1], "const": "a"}, {"enum": ["a", 1], "const": "a"}),
        ({"enum": "a"}, {}),
        ({"oneOf": [{"type": "string"}, True]}, {"anyOf": [{"type": "string"}, {}]}),
        ({"allOf": [{"type": "integer"}], "description": "Say."}, {"type": "integer", "description": "Say."}),
        ({"type": "array"}, {"type": "array", "items": {}}),
        ({"type": "array", "items": [{"type": "string"}]}, {"type": "array", "items": {}}),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"type": "object"}),
        ({"type": "object", "additionalProperties": False}, {"type": "object", "additionalProperties": False}),
        ({"description": "a\0b\u202ec\nd" + "x" * 900}, {"description": "abc\nd" + "x" * 495}),
        (True, {}),
        (None, {}),
    ],
)
def test_what_is_not_known_is_left_out(part: Any, adopted: Any) -> None:
    assert of_property(part) == adopted


def test_a_schema_is_always_one_of_an_object_with_properties() -> None:
    assert adopted_schema({}) == {"type": "object", "properties": {}}
    assert adopted_schema({"type": "string", "anyOf": [{}], "enum": ["a"], "const": 1}) == {
        "type": "object",
        "properties": {},
    }


def test_a_property_that_no_provider_takes_is_left_out_and_not_required() -> None:
    schema = adopted_schema(
        {"properties": {"good": {}, "not so good": {}, "": {}}, "required": ["good", "not so good", "unknown", 7]}
    )

    assert schema == {"type": "object", "properties": {"good": {}}, "required": ["good"]}


def test_references_are_followed() -> None:
    order = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    more = {"$defs": {"Order": order, "a/b": {"type": "null"}}}

    assert of_property({"$ref": "#/$defs/Order", "description": "Which."}, **more) == {**order, "description": "Which."}
    assert of_property({"$ref": "#/$defs/a~1b"}, **more) == {"type": "null"}


@pytest.mark.parametrize("reference", ["#/$defs/Unknown", "https://example.com/schema", "#/type", "file:///etc/passwd"])
def test_a_reference_that_leads_nowhere_allows_anything(reference: str) -> None:
    assert of_property({"$ref": reference}) == {}


def test_a_schema_that_contains_itself_ends() -> None:
    tree = {"type": "object", "properties": {"child": {"$ref": "#/$defs/Tree"}, "name": {"type": "string"}}}

    adopted = of_property({"$ref": "#/$defs/Tree"}, **{"$defs": {"Tree": tree}})

    assert adopted["properties"]["child"] == {}
    check_schema({"type": "object", "properties": {"it": adopted}})


def test_references_that_multiply_are_counted() -> None:
    """Seven levels of forty references each would be a hundred billion parts."""
    names = [f"level{number}" for number in range(8)]
    levels = {
        name: {"type": "object", "properties": {f"p{n}": {"$ref": f"#/$defs/{below}"} for n in range(40)}}
        for name, below in pairwise(names)
    }

    adopted = of_property({"$ref": "#/$defs/level0"}, **{"$defs": levels})

    assert 0 < str(adopted).count("'object'") <= MAX_NODES


def test_what_is_nested_too_deep_allows_anything_there() -> None:
    deep: dict[str, Any] = {"type": "array"}
    for _ in range(20):
        deep = {"type": "object", "properties": {"inner": deep}, "required": ["inner"]}

    check_schema(adopted_schema(deep))


@pytest.mark.parametrize("value", ["a\0b", "\ud800", "x" * 20_000])
def test_what_cannot_be_kept_is_refused(value: str) -> None:
    with pytest.raises(Invalid):
        of_property({"default": value})


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "properties", "items", "anyOf", "oneOf", "allOf", "$ref", "required", "enum", "x"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["type", "properties", "items", "anyOf", "allOf", "$ref", "$defs"]), JSON), JSON)
def test_whatever_comes_is_adopted_or_refused_and_never_breaks(schema: dict[str, Any], value: Any) -> None:
    try:
        adopted = adopted_schema(schema)
    except Invalid:
        return

    check_schema(adopted)
    violation(adopted, value)
