"""Points and their vectors, from JSON to the engine and back."""

from collections.abc import Mapping
from typing import Any

import qdrant_edge as edge

from local.qdrant import bm25
from local.qdrant.body import need, one_of, take
from local.qdrant.errors import BadRequest
from local.qdrant.filters import to_filter

_UPDATE_MODES = {
    "upsert": edge.UpdateMode.Upsert,
    "insert_only": edge.UpdateMode.InsertOnly,
    "update_only": edge.UpdateMode.UpdateOnly,
}


def to_upsert(body: Any, sizes: Mapping[str, int | None]) -> tuple[edge.UpdateOperation, int]:
    """Translate an upsert, given as a list or as a batch of columns; return it and its number of points.

    Raises BadRequest when a vector does not fit `sizes`: the engine would have logged the write by then, and
    stored the points before it.
    """
    listed, batch, condition, mode = take(body, "upsert", "points", "batch", "update_filter", "update_mode")
    points = _batch(batch, sizes) if listed is None else [_point(each, sizes) for each in listed]
    operation = edge.UpdateOperation.upsert_points(
        points,
        to_filter(condition),
        None if mode is None else one_of(_UPDATE_MODES, mode, "update_mode"),
    )
    return operation, len(points)


def _point(body: Any, sizes: Mapping[str, int | None]) -> edge.Point:
    identity, vector, payload = take(body, "point", "id", "vector", "payload")
    return edge.Point(need(identity, "id"), _vectors(need(vector, "vector"), sizes), payload)


def _batch(body: Any, sizes: Mapping[str, int | None]) -> list[edge.Point]:
    ids, vectors, payloads = take(need(body, "points"), "batch", "ids", "vectors", "payloads")
    if isinstance(vectors, dict):
        names = list(vectors)
        columns = zip(*vectors.values(), strict=True)
        vectors = [dict(zip(names, row, strict=True)) for row in columns]
    payloads = payloads or [None] * len(ids)
    return [
        edge.Point(identity, _vectors(vector, sizes), payload)
        for identity, vector, payload in zip(ids, vectors, payloads, strict=True)
    ]


def _vectors(body: Any, sizes: Mapping[str, int | None]) -> Any:
    if isinstance(body, list):
        _check_vector("", body, sizes)
        return body
    if not isinstance(body, dict) or bm25.is_document(body):
        raise BadRequest("Format error in JSON body: vector must be a list, or an object of named vectors")
    for name, value in body.items():
        _check_vector(name, value, sizes)
    return {name: to_vector(value) for name, value in body.items()}


def _check_vector(name: str, value: Any, sizes: Mapping[str, int | None]) -> None:
    if name not in sizes:
        raise BadRequest(f"Wrong input: Not existing vector name error: {name}")
    size = sizes[name]
    if isinstance(value, list) != (size is not None):
        raise BadRequest(f"Wrong input: vector `{name}` must be {'sparse' if size is None else 'dense'}")
    if size is not None and len(value) != size:
        raise BadRequest(f"Wrong input: Vector dimension error: expected dim: {size}, got {len(value)}")


def to_vector(value: Any, *, query: bool = False) -> Any:
    """Translate one vector: a list of floats, a sparse vector, or a text for BM25."""
    if isinstance(value, list):
        return value
    if bm25.is_document(value):
        return bm25.embed_query(value) if query else bm25.embed_document(value)
    indices, values = take(value, "sparse vector", "indices", "values")
    return edge.SparseVector(need(indices, "indices"), need(values, "values"))


def to_with_payload(value: Any, *, default: bool) -> Any:
    """Translate a payload selection: a flag, a list of fields, or fields to include or exclude."""
    if value is None:
        return default
    if not isinstance(value, dict):
        return value
    include, exclude = take(value, "with_payload", "include", "exclude")
    if include is not None:
        return edge.PayloadSelector.Include(include)
    return edge.PayloadSelector.Exclude(need(exclude, "with_payload"))


def record(point: edge.Record) -> dict[str, Any]:
    """Render a stored point."""
    return _without_absent(
        id=point.id, payload=point.payload, vector=_rendered(point.vector), order_value=point.order_value
    )


def scored(point: edge.ScoredPoint) -> dict[str, Any]:
    """Render a search result."""
    return _without_absent(
        id=point.id,
        version=point.version,
        score=point.score,
        payload=point.payload,
        vector=_rendered(point.vector),
        order_value=point.order_value,
    )


def _without_absent(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _rendered(vector: Any) -> Any:
    if isinstance(vector, dict):
        return {name: _rendered(each) for name, each in vector.items()}
    if isinstance(vector, edge.SparseVector):
        return {"indices": vector.indices, "values": vector.values}
    return vector
