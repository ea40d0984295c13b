"""The part of JSON Schema that describes tools' arguments and answers: checking schemas, and values against them.

Regular expressions are left out on purpose: a tenant's pattern could keep the process busy for hours.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chatconnect.domain.errors import Invalid

Schema = Mapping[str, Any]

MAX_DEPTH = 8
MAX_SIZE = 16_000
TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
_NOTES = {"title", "description", "default", "examples", "format", "$schema"}
BOUNDS = {"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"}
_PLAIN = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "description"}
_CHECKED = {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf"} | BOUNDS


def check_schema(schema: Schema) -> None:
    """Raise Invalid unless the schema describes an object with the keywords that `violation` knows."""
    if schema.get("type") != "object":
        raise _unusable('its type has to be "object"')
    _check(schema, 1)
    try:
        text = json.dumps(schema, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):
        raise _unusable("it is no JSON") from None
    if len(text) > MAX_SIZE or "\\u0000" in text:
        raise _unusable(f"it has more than {MAX_SIZE:,} characters, or one that is no text")


def _check(schema: Any, depth: int) -> None:
    if not isinstance(schema, dict) or depth > MAX_DEPTH:
        raise _unusable(f"every schema in it is an object, at most {MAX_DEPTH} deep")
    if unknown := set(schema) - _CHECKED - _NOTES:
        raise _unusable(f"it uses {', '.join(sorted(unknown))}, which is not supported")
    types = schema.get("type", [])
    names = types if isinstance(types, list) else [types]
    if not all(isinstance(name, str) and name in TYPES for name in names):
        raise _unusable("it names a type that there is not")
    if not all(isinstance(schema.get(name, 0), int | float) for name in BOUNDS):
        raise _unusable("its bounds have to be numbers")
    lists = (schema.get("required", []), schema.get("enum", []), schema.get("anyOf", []))
    if not all(isinstance(each, list) for each in lists) or not isinstance(schema.get("properties", {}), dict):
        raise _unusable("required, enum and anyOf are lists, properties an object")
    if not all(isinstance(name, str) for name in schema.get("required", [])):
        raise _unusable("what is required are names of properties")
    if not isinstance(schema.get("additionalProperties", True), bool):
        raise _unusable("additionalProperties is true or false")
    for part in _parts(schema):
        _check(part, depth + 1)


def _parts(schema: Schema) -> Iterator[Any]:
    yield from schema.get("properties", {}).values()
    yield from schema.get("anyOf", [])
    if "items" in schema:
        yield schema["items"]


def is_closed(schema: Schema) -> bool:
    """Whether a schema leaves nothing open: all properties are listed and required, and there are no bounds.

    Providers that let a model write nothing but what fits take such schemas alone.
    """
    kind = schema.get("type")
    if set(schema) - _PLAIN or isinstance(kind, list) or not set(schema) & {"type", "enum", "const", "anyOf"}:
        return False
    if any(isinstance(value, dict | list) for value in (*schema.get("enum", []), schema.get("const"))):
        return False
    if kind == "object":
        properties, required = schema.get("properties", {}), schema.get("required", [])
        if not properties or set(required) != set(properties) or schema.get("additionalProperties", True):
            return False
    return (kind != "array" or "items" in schema) and all(map(is_closed, _parts(schema)))


def violation(schema: Schema, value: Any, where: str = "the arguments") -> str | None:
    """Return what is wrong with a value, in words for a model, or None."""
    return next(_violations(schema, value, where), None)


def _violations(schema: Schema, value: Any, where: str) -> Iterator[str]:
    if (types := schema.get("type")) is not None:
        names = [types] if isinstance(types, str) else types
        if not any(_is_a(value, name) for name in names):
            yield f"{where}: expected {' or '.join(names)}"
            return
    if "enum" in schema and not any(_same(value, each) for each in schema["enum"]):
        yield f"{where}: expected one of {json.dumps(schema['enum'])}"
    if "const" in schema and not _same(value, schema["const"]):
        yield f"{where}: expected {json.dumps(schema['const'])}"
    if (options := schema.get("anyOf")) and all(violation(option, value, where) for option in options):
        yield f"{where}: fits none of the alternatives"
    yield from _out_of_bounds(schema, value, where)
    if isinstance(value, dict):
        yield from _object_violations(schema, value, where)
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            yield from _violations(schema["items"], item, f"{where}[{number}]")


def _object_violations(schema: Schema, value: Mapping[str, Any], where: str) -> Iterator[str]:
    properties: Mapping[str, Schema] = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{where}: {name} is missing"
    if schema.get("additionalProperties") is False:
        for name in value:
            if name not in properties:
                yield f"{where}: {name} is not known"
    for name, part in properties.items():
        if name in value:
            yield from _violations(part, value[name], name if where == "the arguments" else f"{where}.{name}")


def _out_of_bounds(schema: Schema, value: Any, where: str) -> Iterator[str]:
    measured: Sequence[tuple[str, str, Any]] = ()
    if isinstance(value, str):
        measured = [("minLength", "maxLength", len(value))]
    elif isinstance(value, list):
        measured = [("minItems", "maxItems", len(value))]
    elif isinstance(value, int | float) and not isinstance(value, bool):
        measured = [("minimum", "maximum", value)]
    for low, high, size in measured:
        if low in schema and size < schema[low]:
            yield f"{where}: below {low} {schema[low]}"
        if high in schema and size > schema[high]:
            yield f"{where}: above {high} {schema[high]}"


def _same(value: Any, other: Any) -> bool:
    return bool(value == other) and isinstance(value, bool) is isinstance(other, bool)  # Python takes true for 1


def _is_a(value: Any, name: str) -> bool:
    if isinstance(value, bool):  # which Python counts among the integers
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES[name])


def _unusable(why: str) -> Invalid:
    return Invalid(f"the schema cannot be used: {why}", details={"field": "parameters"})
