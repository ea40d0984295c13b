"""Qdrant's filter JSON -> the engine's filters."""

from typing import Any

import qdrant_edge as edge

from local.qdrant.body import given, need, one_or_many, take
from local.qdrant.errors import BadRequest

_CLAUSES = ("must", "should", "must_not", "min_should")
_BOUNDS = ("gt", "gte", "lt", "lte")
_MATCHES: dict[str, Any] = {
    "value": edge.MatchValue,
    "any": edge.MatchAny,
    "except": edge.MatchExcept,
    "text": edge.MatchText,
    "text_any": edge.MatchTextAny,
    "phrase": edge.MatchPhrase,
}


def to_filter(body: Any) -> edge.Filter | None:
    """Translate a filter; None stays None."""
    if body is None:
        return None
    must, should, must_not, min_should = take(body, "filter", *_CLAUSES)
    return edge.Filter(
        must=_conditions(must),
        should=_conditions(should),
        must_not=_conditions(must_not),
        min_should=_min_should(min_should),
    )


def _conditions(value: Any) -> list[Any] | None:
    return None if value is None else [_condition(each) for each in one_or_many(value)]


def _min_should(body: Any) -> edge.MinShould | None:
    if body is None:
        return None
    conditions, count = take(body, "min_should", "conditions", "min_count")
    return edge.MinShould(_conditions(need(conditions, "conditions")) or [], need(count, "min_count"))


def _condition(body: Any) -> Any:
    if not isinstance(body, dict):
        raise BadRequest("Format error in JSON body: a filter condition must be an object")
    if "key" in body:
        return _field_condition(body)
    if body.keys() & set(_CLAUSES):
        return to_filter(body)
    has_id, has_vector, empty, null, nested = take(
        body, "condition", "has_id", "has_vector", "is_empty", "is_null", "nested"
    )
    if has_id is not None:
        return edge.HasIdCondition(set(has_id))
    if has_vector is not None:
        return edge.HasVectorCondition(has_vector)
    if empty is not None:
        return edge.IsEmptyCondition(need(take(empty, "is_empty", "key")[0], "key"))
    if null is not None:
        return edge.IsNullCondition(need(take(null, "is_null", "key")[0], "key"))
    key, inner = take(need(nested, "condition"), "nested", "key", "filter")
    return edge.NestedCondition(need(key, "key"), need(to_filter(inner), "filter"))


def _field_condition(body: Any) -> edge.FieldCondition:
    key, match, range_, count, empty, null = take(
        body, "condition", "key", "match", "range", "values_count", "is_empty", "is_null"
    )
    if all(each is None for each in (match, range_, count, empty, null)):
        raise BadRequest(f"Format error in JSON body: the condition on `{key}` tests nothing")
    return edge.FieldCondition(
        key,
        match=None if match is None else _match(match),
        range=None if range_ is None else _range(range_),
        values_count=None if count is None else edge.ValuesCount(**_bounds(count, "values_count")),
        is_empty=empty,
        is_null=null,
    )


def _match(body: Any) -> Any:
    found = given(tuple(_MATCHES), take(body, "match", *_MATCHES))
    if len(found) != 1:
        raise BadRequest(f"Format error in JSON body: match needs one of {', '.join(_MATCHES)}")
    [(name, value)] = found.items()
    if isinstance(value, bool):
        value = _unmistakable(value)
    return _MATCHES[name](value)


def _unmistakable(value: bool) -> Any:
    """Return a truth value that the engine does not take for the number 1 or 0, as it does Python's own."""
    import numpy as np  # rarely needed, and a third of this server's memory

    return np.bool_(value)


def _range(body: Any) -> edge.RangeFloat | edge.RangeDateTime:
    bounds = _bounds(body, "range")
    if any(isinstance(bound, str) for bound in bounds.values()):
        return edge.RangeDateTime(**bounds)
    return edge.RangeFloat(**bounds)


def _bounds(body: Any, where: str) -> dict[str, Any]:
    return given(_BOUNDS, take(body, where, *_BOUNDS))
