"""What a JSON Schema of the OpenAPI document allows, as values to send."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

_TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
_FORMATS: Mapping[str, SearchStrategy[str]] = {
    "uuid": st.uuids().map(str),
    "date-time": st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat()),
    "date": st.dates().map(str),
    "email": st.just("somebody@example.com"),
    "uri": st.just("https://example.com/somewhere"),
}
_ANYTHING: SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=5,
)


def resolved(schema: Any, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema that a reference stands for."""
    while isinstance(schema, dict) and "$ref" in schema:
        place: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            place = place[part]
        schema = place
    return schema if isinstance(schema, dict) else {}


def valid(schema: Any, document: Mapping[str, Any]) -> SearchStrategy[Any]:
    """Return values that the schema allows, or nearly: what a description says is left to chance."""
    schema = resolved(schema, document)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return st.one_of([valid(each, document) for each in choices])
    if "enum" in schema or "const" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    match schema.get("type"):
        case "array":
            return st.lists(valid(schema.get("items", {}), document), max_size=min(schema.get("maxItems", 3), 3))
        case "object":
            return _object(schema, document)
    return _plain(schema)


def nearly(schema: Any, document: Mapping[str, Any]) -> SearchStrategy[Any]:
    """Return values of which most are allowed, and some are anything."""
    return st.integers(0, 3).flatmap(lambda chance: _ANYTHING if chance == 0 else valid(schema, document))


def _plain(schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    match schema.get("type"):
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum", -(2**40)), schema.get("maximum", 2**40))
        case "number":
            return st.floats(schema.get("minimum"), schema.get("maximum"), allow_nan=False, allow_infinity=False)
        case "string":
            return _string(schema)
    return _ANYTHING


def _string(schema: Mapping[str, Any]) -> SearchStrategy[str]:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    if "pattern" in schema:
        return st.from_regex(schema["pattern"])
    least = schema.get("minLength", 0)
    return st.text(
        st.characters(codec="utf-8"), min_size=least, max_size=max(least, min(schema.get("maxLength", 40), 60))
    )


def _object(schema: Mapping[str, Any], document: Mapping[str, Any]) -> SearchStrategy[dict[str, Any]]:
    required = set(schema.get("required", ()))
    properties = {name: valid(each, document) for name, each in schema.get("properties", {}).items()}
    if not properties:
        more = schema.get("additionalProperties", True)
        return st.dictionaries(_TEXT, valid(more if isinstance(more, dict) else {}, document), max_size=3)
    return st.fixed_dictionaries(
        {name: each for name, each in properties.items() if name in required},
        optional={name: each for name, each in properties.items() if name not in required},
    )
