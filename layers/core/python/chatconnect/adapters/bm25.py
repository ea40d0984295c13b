"""BM25 as sparse vectors: the store knows how rare a term is (its `idf` modifier), the rest is computed here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

_SATURATION = 1.2
_LENGTH_WEIGHT = 0.75
_USUAL_LENGTH = 600  # terms, with the beginnings and ends of words

SparseVector = dict[str, Any]


def document_vector(terms: Sequence[str]) -> SparseVector:
    """Return a document's vector: how often each term is there, saturated, and less in a long document."""
    length = 1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * len(terms) / _USUAL_LENGTH
    weights: dict[int, float] = {}
    for term, count in Counter(terms).items():
        weight = count * (_SATURATION + 1) / (count + _SATURATION * length)
        weights[_number(term)] = max(weight, weights.get(_number(term), 0.0))
    return {"indices": list(weights), "values": list(weights.values())}


def query_vector(terms: Mapping[str, float]) -> SparseVector:
    """Return a question's vector: what to look for, with how much each counts."""
    weights: dict[int, float] = {}
    for term, weight in terms.items():
        weights[_number(term)] = max(weight, weights.get(_number(term), 0.0))
    return {"indices": list(weights), "values": list(weights.values())}


def _number(term: str) -> int:
    return crc32(term.encode(errors="replace"))
