"""The shape of a collection: vectors, indexes and their settings, from JSON to the engine."""

from typing import Any

import qdrant_edge as edge

from local.qdrant.body import given, need, one_of, take
from local.qdrant.errors import BadRequest

# Qdrant's own defaults, reported for a collection that sets nothing else.
HNSW_DEFAULTS = {"m": 16, "ef_construct": 100, "full_scan_threshold": 10_000, "max_indexing_threads": 0}
OPTIMIZER_DEFAULTS = {
    "deleted_threshold": 0.2,
    "vacuum_min_vector_number": 1000,
    "default_segment_number": 2,
    "indexing_threshold": 10_000,
    "flush_interval_sec": 5,
}

_DISTANCES = {
    "Cosine": edge.Distance.Cosine,
    "Dot": edge.Distance.Dot,
    "Euclid": edge.Distance.Euclid,
    "Manhattan": edge.Distance.Manhattan,
}
_DATATYPES = {
    "float32": edge.VectorStorageDatatype.Float32,
    "float16": edge.VectorStorageDatatype.Float16,
    "uint8": edge.VectorStorageDatatype.Uint8,
}
_HNSW = (*HNSW_DEFAULTS, "on_disk", "payload_m")
_OPTIMIZERS = (
    "deleted_threshold", "vacuum_min_vector_number", "default_segment_number", "max_segment_size",
    "indexing_threshold",
)  # fmt: skip
# What concerns a cluster: checked and remembered, without effect on one node.
CLUSTER = ("shard_number", "replication_factor", "write_consistency_factor")

_SIMPLE_INDEXES = {
    "keyword": edge.PayloadSchemaType.Keyword,
    "integer": edge.PayloadSchemaType.Integer,
    "float": edge.PayloadSchemaType.Float,
    "bool": edge.PayloadSchemaType.Bool,
    "datetime": edge.PayloadSchemaType.Datetime,
    "uuid": edge.PayloadSchemaType.Uuid,
    "text": edge.PayloadSchemaType.Text,
}
_INDEXES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "keyword": (edge.KeywordIndexParams, ("is_tenant", "on_disk", "enable_hnsw")),
    "uuid": (edge.UuidIndexParams, ("is_tenant", "on_disk", "enable_hnsw")),
    "integer": (edge.IntegerIndexParams, ("lookup", "range", "is_principal", "on_disk", "enable_hnsw")),
    "float": (edge.FloatIndexParams, ("is_principal", "on_disk", "enable_hnsw")),
    "datetime": (edge.DatetimeIndexParams, ("is_principal", "on_disk", "enable_hnsw")),
    "bool": (edge.BoolIndexParams, ("on_disk", "enable_hnsw")),
}


def to_config(body: Any) -> edge.EdgeConfig:
    """Translate the settings of a new collection."""
    vectors, sparse, hnsw, quantization, optimizers, on_disk_payload, *cluster = take(
        body, "collection", "vectors", "sparse_vectors", "hnsw_config", "quantization_config",
        "optimizers_config", "on_disk_payload", *CLUSTER,
    )  # fmt: skip
    if any(not isinstance(number, int) or number < 1 for number in cluster if number is not None):
        raise BadRequest(f"Wrong input: {', '.join(CLUSTER)} must be positive")
    return edge.EdgeConfig(
        vectors=_dense(vectors),
        sparse_vectors={name: _sparse(params) for name, params in (sparse or {}).items()},
        on_disk_payload=on_disk_payload,
        hnsw_config=_hnsw(hnsw),
        quantization_config=_quantization(quantization),
        optimizers=_optimizers(optimizers),
    )


def vector_sizes(settings: dict[str, Any]) -> dict[str, int | None]:
    """Return the size of each vector of a collection, None for a sparse one; an unnamed one is named ''."""
    dense = settings.get("vectors") or {}
    named = {"": dense} if "size" in dense else dense
    sizes: dict[str, int | None] = {name: params["size"] for name, params in named.items()}
    return sizes | dict.fromkeys(settings.get("sparse_vectors") or ())


def to_index(schema: Any) -> Any:
    """Translate the kind of a payload index: a name, or an object with its options."""
    if isinstance(schema, str):
        return one_of(_SIMPLE_INDEXES, schema, "field_schema")
    if not isinstance(schema, dict):
        raise BadRequest("Format error in JSON body: field_schema must be a name or an object")
    kind, options = one_of(_INDEXES, schema.get("type"), "field_schema.type")
    _, *values = take(schema, "field_schema", "type", *options)
    return kind(**given(options, values))


def _dense(vectors: Any) -> Any:
    if vectors is None:
        return None
    if not isinstance(vectors, dict):
        raise BadRequest("Format error in JSON body: vectors must be an object")
    if "size" in vectors:
        return _vector(vectors)
    return {name: _vector(params) for name, params in vectors.items()}


def _vector(body: Any) -> edge.EdgeVectorParams:
    size, distance, on_disk, datatype, hnsw, quantization = take(
        body, "vectors", "size", "distance", "on_disk", "datatype", "hnsw_config", "quantization_config"
    )
    if not isinstance(size, int) or not 1 <= size <= 65_536:
        raise BadRequest("Validation error in JSON body: vectors.size must be from 1 to 65536")
    return edge.EdgeVectorParams(
        size=size,
        distance=one_of(_DISTANCES, distance, "distance"),
        on_disk=on_disk,
        datatype=None if datatype is None else one_of(_DATATYPES, datatype, "datatype"),
        hnsw_config=_hnsw(hnsw),
        quantization_config=_quantization(quantization),
    )


def _sparse(body: Any) -> edge.EdgeSparseVectorParams:
    modifier, index = take(body, "sparse_vectors", "modifier", "index")
    full_scan, on_disk, datatype = take(index or {}, "index", "full_scan_threshold", "on_disk", "datatype")
    modifiers = {"idf": edge.Modifier.Idf, "none": None}
    return edge.EdgeSparseVectorParams(
        full_scan_threshold=full_scan,
        on_disk=on_disk,
        modifier=None if modifier is None else one_of(modifiers, modifier, "modifier"),
        datatype=None if datatype is None else one_of(_DATATYPES, datatype, "datatype"),
    )


def _hnsw(body: Any) -> edge.HnswIndexConfig | None:
    if body is None:
        return None
    return edge.HnswIndexConfig(**(HNSW_DEFAULTS | given(_HNSW, take(body, "hnsw_config", *_HNSW))))


def _optimizers(body: Any) -> edge.EdgeOptimizersConfig | None:
    if body is None:
        return None
    return edge.EdgeOptimizersConfig(**given(_OPTIMIZERS, take(body, "optimizers_config", *_OPTIMIZERS)))


def _quantization(body: Any) -> edge.ScalarQuantizationConfig | None:
    if body is None:
        return None
    scalar = need(take(body, "quantization_config", "scalar")[0], "scalar")
    kind, quantile, always_ram = take(scalar, "scalar", "type", "quantile", "always_ram")
    return edge.ScalarQuantizationConfig(
        one_of({"int8": edge.ScalarType.Int8}, kind, "scalar.type"), quantile, always_ram
    )
