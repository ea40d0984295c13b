"""What each route does: one function per operation, from JSON body to JSON result."""

from typing import Any

import qdrant_edge as edge

from local.qdrant import points, queries
from local.qdrant.body import need, take
from local.qdrant.collection import Collection
from local.qdrant.errors import BadRequest, NotFound
from local.qdrant.filters import to_filter
from local.qdrant.schema import CLUSTER, HNSW_DEFAULTS, OPTIMIZER_DEFAULTS, to_index
from local.qdrant.store import Store

Operation = edge.UpdateOperation


def list_collections(store: Store, _body: Any) -> Any:
    """GET /collections."""
    return {"collections": [{"name": name} for name in store.names()]}


def collection_exists(store: Store, _body: Any, *, name: str) -> Any:
    """GET /collections/{name}/exists."""
    return {"exists": name in store}


def create_collection(store: Store, body: Any, *, name: str) -> Any:
    """PUT /collections/{name}."""
    store.create(name, body)
    return True


def delete_collection(store: Store, _body: Any, *, name: str) -> Any:
    """DELETE /collections/{name}."""
    return store.delete(name)


def describe_collection(store: Store, _body: Any, *, name: str) -> Any:
    """GET /collections/{name}."""
    collection = store.get(name)
    info, settings = collection.shard.info(), collection.settings
    params = {key: settings.get(key) or 1 for key in CLUSTER}
    params |= {key: settings[key] for key in ("vectors", "sparse_vectors") if settings.get(key)}
    return {
        "status": "green",
        "optimizer_status": "ok",
        "points_count": info.points_count,
        "indexed_vectors_count": info.indexed_vectors_count,
        "segments_count": info.segments_count,
        "config": {
            "params": params | {"on_disk_payload": settings.get("on_disk_payload") is not False},
            "hnsw_config": HNSW_DEFAULTS | _set(settings.get("hnsw_config")),
            "optimizer_config": OPTIMIZER_DEFAULTS | _set(settings.get("optimizers_config")),
            "quantization_config": settings.get("quantization_config"),
        },
        "payload_schema": {
            field: _describe_index(schema, info.payload_schema[field].points)
            for field, schema in collection.indexes.items()
        },
    }


def _set(settings: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (settings or {}).items() if value is not None}


def _describe_index(schema: Any, count: int) -> dict[str, Any]:
    if isinstance(schema, str):
        return {"data_type": schema, "points": count}
    return {"data_type": schema["type"], "params": schema, "points": count}


def create_index(store: Store, body: Any, *, name: str) -> Any:
    """PUT /collections/{name}/index."""
    field, schema = take(body, "index", "field_name", "field_schema")
    operation = Operation.create_field_index(need(field, "field_name"), to_index(schema))
    return _completed(store.get(name).create_index(field, schema, operation))


def delete_index(store: Store, _body: Any, *, name: str, field: str) -> Any:
    """DELETE /collections/{name}/index/{field}."""
    return _completed(store.get(name).delete_index(field))


def upsert(store: Store, body: Any, *, name: str) -> Any:
    """PUT /collections/{name}/points."""
    collection = store.get(name)
    operation, count = points.to_upsert(body, collection.vector_sizes)
    return _completed(collection.update(operation, count))


def delete(store: Store, body: Any, *, name: str) -> Any:
    """POST /collections/{name}/points/delete."""
    collection = store.get(name)
    ids, filter_ = _selection(body, "delete")
    if ids is not None:
        return _completed(collection.update(Operation.delete_points(ids), len(ids)))
    count = collection.shard.count(edge.CountRequest(exact=False, filter=filter_))
    return _completed(collection.update(Operation.delete_points_by_filter(filter_), count))


def retrieve(store: Store, body: Any, *, name: str) -> Any:
    """POST /collections/{name}/points."""
    ids, with_payload, with_vector = take(body, "retrieve", "ids", "with_payload", "with_vector")
    found = store.get(name).shard.retrieve(
        need(ids, "ids"),
        points.to_with_payload(with_payload, default=True),
        False if with_vector is None else with_vector,
    )
    return [points.record(point) for point in found]


def retrieve_one(store: Store, _body: Any, *, name: str, point: str) -> Any:
    """GET /collections/{name}/points/{point}."""
    found = store.get(name).shard.retrieve([int(point) if point.isdigit() else point], True, True)
    if not found:
        raise NotFound(f"Not found: Point with id {point} does not exists!")
    return points.record(found[0])


def scroll(store: Store, body: Any, *, name: str) -> Any:
    """POST /collections/{name}/points/scroll."""
    found, next_page = store.get(name).shard.scroll(queries.to_scroll(body))
    return {"points": [points.record(point) for point in found], "next_page_offset": next_page}


def count(store: Store, body: Any, *, name: str) -> Any:
    """POST /collections/{name}/points/count."""
    return {"count": store.get(name).shard.count(queries.to_count(body))}


def query(store: Store, body: Any, *, name: str) -> Any:
    """POST /collections/{name}/points/query."""
    collection = store.get(name)
    return {"points": [points.scored(point) for point in collection.shard.query(queries.to_query(body))]}


def query_batch(store: Store, body: Any, *, name: str) -> Any:
    """POST /collections/{name}/points/query/batch."""
    collection = store.get(name)
    searches = [queries.to_query(each) for each in need(take(body, "batch", "searches")[0], "searches")]
    answers = collection.shard.query_batch(edge.QueryBatchRequest(searches))
    return [{"points": [points.scored(point) for point in answer]} for answer in answers]


def set_payload(store: Store, body: Any, *, name: str) -> Any:
    """POST /collections/{name}/points/payload."""
    return _write_payload(
        store.get(name), body, Operation.set_payload, Operation.set_payload_by_filter, "payload", "key"
    )


def overwrite_payload(store: Store, body: Any, *, name: str) -> Any:
    """PUT /collections/{name}/points/payload."""
    return _write_payload(
        store.get(name), body, Operation.overwrite_payload, Operation.overwrite_payload_by_filter, "payload", "key"
    )


def delete_payload(store: Store, body: Any, *, name: str) -> Any:
    """POST /collections/{name}/points/payload/delete."""
    return _write_payload(store.get(name), body, Operation.delete_payload, Operation.delete_payload_by_filter, "keys")


def clear_payload(store: Store, body: Any, *, name: str) -> Any:
    """POST /collections/{name}/points/payload/clear."""
    return _write_payload(store.get(name), body, Operation.clear_payload, Operation.clear_payload_by_filter)


def _write_payload(collection: Collection, body: Any, by_id: Any, by_filter: Any, *names: str) -> Any:
    """Change the payload of the points selected in `body`, with the values of its fields `names`."""
    arguments = [body.get(name) for name in names] if isinstance(body, dict) else []
    ids, filter_ = _selection(body, "payload", *names)
    if names:
        need(arguments[0], names[0])
    operation = by_filter(filter_, *arguments) if ids is None else by_id(ids, *arguments)
    return _completed(collection.update(operation))


def _selection(body: Any, where: str, *others: str) -> tuple[list[Any] | None, Any]:
    """Return the ids or the filter that select points; exactly one of them is None."""
    ids, filter_, *_ = take(body, where, "points", "filter", *others)
    if (ids is None) == (filter_ is None):
        raise BadRequest(f"Format error in JSON body: {where} needs either points or a filter")
    return ids, to_filter(filter_)


def _completed(number: int) -> dict[str, Any]:
    return {"operation_id": number, "status": "completed"}
