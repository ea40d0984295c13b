"""JSON Schemas that somebody else wrote, brought into the part of the language that we know.

What is left out only makes a schema wider: its owner checks the arguments again.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from chatconnect.domain.json_schema import BOUNDS, MAX_DEPTH, TYPES, Schema, check_schema
from chatconnect.domain.text import cleaned

MAX_NODES = 500
MAX_NOTE = 500  # characters
# What every provider takes as the name of an argument.
_PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")


def adopted_schema(schema: Mapping[str, Any]) -> Schema:
    """Return an object's schema that `violation` understands and every provider takes.

    References are followed within the schema, as deep and as often as the limits allow. Raises Invalid when what is
    left is still too long, or no JSON that can be stored.
    """
    made = _Adoption(schema).of(schema, 1, frozenset())
    for keyword in ("anyOf", "enum", "const"):
        made.pop(keyword, None)
    made |= {"type": "object", "properties": made.get("properties", {})}
    check_schema(made)
    return made


class _Adoption:
    """The adoption of one schema; a few lines of references could stand for millions of parts, so they are counted."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root, self._left = root, MAX_NODES

    def of(self, part: Any, depth: int, inside: frozenset[str]) -> dict[str, Any]:
        """Return a part, in which the references `inside` are being followed already."""
        self._left -= 1
        if not isinstance(part, dict) or self._left < 0:
            return {}
        reference = part.get("$ref")
        if isinstance(reference, str):
            target = self._target(reference) if reference not in inside else {}
            rest = {name: value for name, value in part.items() if name != "$ref"}
            return self.of({**target, **rest}, depth, inside | {reference})
        whole = part.get("allOf")
        if isinstance(whole, list) and len(whole) == 1 and isinstance(whole[0], dict):
            rest = {name: value for name, value in part.items() if name != "allOf"}
            return self.of({**whole[0], **rest}, depth, inside)
        made = _notes(part) | _rules(part)
        if depth < MAX_DEPTH:
            made |= self._inner(part, depth + 1, inside)
        if "array" in _types(part) and "items" not in made:  # OpenAI asks for them
            return made | {"items": {}} if depth < MAX_DEPTH else _notes(part)
        return made

    def _inner(self, part: Mapping[str, Any], depth: int, inside: frozenset[str]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        properties = part.get("properties")
        if isinstance(properties, dict):
            names = [name for name in properties if isinstance(name, str) and _PROPERTY.fullmatch(name)]
            made["properties"] = {name: self.of(properties[name], depth, inside) for name in names}
            if required := [name for name in names if name in _listed(part, "required")]:
                made["required"] = required
        if isinstance(part.get("items"), dict):
            made["items"] = self.of(part["items"], depth, inside)
        if options := _listed(part, "anyOf") or _listed(part, "oneOf"):
            made["anyOf"] = [self.of(option, depth, inside) for option in options]
        return made

    def _target(self, reference: str) -> Mapping[str, Any]:
        """Return what a reference like "#/$defs/Order" leads to; nothing when it leads nowhere, or elsewhere."""
        start, *path = reference.split("/")
        target: Any = self._root if start == "#" else None
        for step in path:
            target = target.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(target, dict) else None
        return target if isinstance(target, dict) else {}


def _notes(part: Mapping[str, Any]) -> dict[str, Any]:
    texts = {name: part[name] for name in ("title", "description", "format") if isinstance(part.get(name), str)}
    notes: dict[str, Any] = {name: cleaned(text, keep="\n")[:MAX_NOTE] for name, text in texts.items()}
    return notes | ({"default": part["default"]} if "default" in part else {})


def _rules(part: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if types := _types(part):
        made["type"] = types if isinstance(part["type"], list) else types[0]
    if values := _listed(part, "enum"):
        made["enum"] = list(values)
    if "const" in part:
        made["const"] = part["const"]
    for name in BOUNDS:
        if isinstance(part.get(name), int | float) and not isinstance(part[name], bool):
            made[name] = part[name]
    if isinstance(part.get("additionalProperties"), bool):
        made["additionalProperties"] = part["additionalProperties"]
    return made


def _types(part: Mapping[str, Any]) -> list[str]:
    named = part.get("type")
    names = named if isinstance(named, list) else [named]
    known = [name for name in names if isinstance(name, str) and name in TYPES]
    return known if len(known) == len(names) else []


def _listed(part: Mapping[str, Any], keyword: str) -> Sequence[Any]:
    value = part.get(keyword)
    return value if isinstance(value, list) else ()
