"""Searches, scrolls and counts: Qdrant's JSON -> the engine's requests."""

from typing import Any

import qdrant_edge as edge

from local.qdrant import bm25
from local.qdrant.body import given, need, one_of, one_or_many, take
from local.qdrant.errors import BadRequest
from local.qdrant.filters import to_filter
from local.qdrant.points import to_vector, to_with_payload

_DEFAULT_LIMIT = 10
_DEFAULT_RRF_K = 2
_DIRECTIONS = {"asc": edge.Direction.Asc, "desc": edge.Direction.Desc}


def to_query(body: Any) -> edge.QueryRequest:
    """Translate a query with its prefetches."""
    query, using, prefetch, filter_, params, threshold, limit, offset, with_payload, with_vector = take(
        body, "query", "query", "using", "prefetch", "filter", "params", "score_threshold", "limit", "offset",
        "with_payload", "with_vector",
    )  # fmt: skip
    return edge.QueryRequest(
        limit=_DEFAULT_LIMIT if limit is None else limit,
        offset=offset,
        query=_scoring(query, using),
        prefetches=[_prefetch(each) for each in one_or_many(prefetch)],
        with_vector=False if with_vector is None else with_vector,
        with_payload=to_with_payload(with_payload, default=False),
        filter=to_filter(filter_),
        score_threshold=threshold,
        params=_params(params),
    )


def to_scroll(body: Any) -> edge.ScrollRequest:
    """Translate one page of a scroll."""
    offset, limit, filter_, with_payload, with_vector, order = take(
        body, "scroll", "offset", "limit", "filter", "with_payload", "with_vector", "order_by"
    )
    return edge.ScrollRequest(
        offset=offset,
        limit=_DEFAULT_LIMIT if limit is None else limit,
        filter=to_filter(filter_),
        with_payload=to_with_payload(with_payload, default=True),
        with_vector=False if with_vector is None else with_vector,
        order_by=None if order is None else _order(order),
    )


def to_count(body: Any) -> edge.CountRequest:
    """Translate a count."""
    filter_, exact = take(body, "count", "filter", "exact")
    return edge.CountRequest(exact=exact is not False, filter=to_filter(filter_))


def _prefetch(body: Any) -> edge.Prefetch:
    query, using, inner, filter_, params, threshold, limit = take(
        body, "prefetch", "query", "using", "prefetch", "filter", "params", "score_threshold", "limit"
    )
    return edge.Prefetch(
        limit=_DEFAULT_LIMIT if limit is None else limit,
        query=_scoring(query, using),
        prefetches=[_prefetch(each) for each in one_or_many(inner)],
        params=_params(params),
        filter=to_filter(filter_),
        score_threshold=threshold,
    )


def _scoring(query: Any, using: str | None) -> Any:
    """Translate what orders the results: nearest to a vector, a fusion, a field, or chance."""
    if query is None:
        return None
    if isinstance(query, list) or bm25.is_document(query):
        return edge.Query.Nearest(to_vector(query, query=True), using)
    if not isinstance(query, dict):
        raise BadRequest("Wrong input: a query by point id is not supported here; give the vector")
    if "indices" in query:
        return edge.Query.Nearest(to_vector(query, query=True), using)
    nearest, fusion, rrf, order, sample = take(query, "query", "nearest", "fusion", "rrf", "order_by", "sample")
    if nearest is not None:
        return _scoring(nearest, using)
    if order is not None:
        return _order(order)
    if sample is not None:
        return one_of({"random": edge.Sample.Random}, sample, "sample")
    return _fusion(fusion, rrf)


def _fusion(fusion: Any, rrf: Any) -> Any:
    if rrf is not None:
        k, weights = take(rrf, "rrf", "k", "weights")
        return edge.Fusion.Rrf(_DEFAULT_RRF_K if k is None else k, weights)
    choices: dict[str, Any] = {"rrf": edge.Fusion.Rrf(_DEFAULT_RRF_K), "dbsf": edge.Fusion.Dbsf()}
    return one_of(choices, need(fusion, "query"), "fusion")


def _order(body: Any) -> edge.OrderBy:
    if isinstance(body, str):
        return edge.OrderBy(body)
    key, direction, start = take(body, "order_by", "key", "direction", "start_from")
    chosen = None if direction is None else one_of(_DIRECTIONS, direction, "direction")
    return edge.OrderBy(need(key, "key"), chosen, start)


def _params(body: Any) -> edge.SearchParams | None:
    if body is None:
        return None
    names = ("hnsw_ef", "exact", "indexed_only")
    *values, quantization, idf = take(body, "params", *names, "quantization", "idf")
    settings = given(names, values)
    if quantization is not None:
        choices = ("ignore", "rescore", "oversampling")
        settings["quantization"] = edge.QuantizationSearchParams(
            **given(choices, take(quantization, "quantization", *choices))
        )
    if idf is not None:
        settings["idf"] = edge.IdfParams(to_filter(take(idf, "idf", "corpus")[0]))
    return edge.SearchParams(**settings)
