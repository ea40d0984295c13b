"""How well passages are found: by meaning, by words, and by both, per language and kind of question.

The chunks of a made-up company's documents, read by the product's parsers, lie in the embedded Qdrant with vectors of
the local model, which knows English; every passage that holds the answer's sentence counts as right. The other half of
the questions is held out: settings are chosen without it. Other fusions are computed from the same two rankings.
"""

import asyncio
import json
import math
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.questions import AskedQuestion, File, parsed, quality_set
from chatconnect.adapters.minilm import MiniLmEmbedder
from chatconnect.adapters.qdrant import QdrantChunks, QdrantDatabase
from chatconnect.domain.chunking import split
from chatconnect.domain.fusion import fused
from chatconnect.domain.identifiers import DocumentId, TenantId, VersionId, new_id
from chatconnect.domain.knowledge import Chunk, Match, Passage
from chatconnect.domain.terms import terms
from chatconnect.ports.knowledge import SearchScope
from local.services import Qdrant, free_port

_CHUNK_TERMS = 60
_BATCH = 64
_CANDIDATES = 20
_THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
_SHARES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
_RRF_K = (2, 10, 60)

Ranking = Callable[[Sequence[Passage]], list[Passage]]


@dataclass(frozen=True, slots=True)
class Found:
    """What a question found without a threshold, and with each."""

    question: AskedQuestion
    passages: list[Passage]
    above: dict[float, list[Passage]]


async def _filled(store: QdrantChunks, embedder: MiniLmEmbedder, chunks: list[Chunk]) -> None:
    for at in range(0, len(chunks), _BATCH):
        batch = chunks[at : at + _BATCH]
        await store.save(batch, await embedder.embed([chunk.text for chunk in batch]))


def _chunks(files: Iterable[File]) -> list[Chunk]:
    chunks = []
    for file in files:
        document, version = DocumentId(new_id()), VersionId(new_id())
        for piece in split(parsed(file), lambda text: len(terms(text)), size=_CHUNK_TERMS, overlap=0):
            place = (piece.position, piece.text, piece.start, piece.end, piece.page)
            chunks.append(Chunk(document, version, file.name, *place))
    return chunks


async def _searched(store: QdrantChunks, embedder: MiniLmEmbedder, question: AskedQuestion) -> Found:
    [vector] = await embedder.embed([question.text])
    by_meaning, by_words = await store.both(question.text, vector, SearchScope(), limit=_CANDIDATES)

    def above(threshold: float, limit: int) -> list[Passage]:
        return fused(frozenset(terms(question.text)), by_meaning, by_words, threshold=threshold, limit=limit)

    return Found(question, above(-1.0, 2 * _CANDIDATES), {each: above(each, 5) for each in _THRESHOLDS})


def _match(passage: Passage) -> Match:
    return passage.match or Match()


def _dense(passages: Sequence[Passage]) -> list[Passage]:
    return sorted((p for p in passages if _match(p).dense_rank), key=lambda p: _match(p).dense_rank or 0)


def _sparse(passages: Sequence[Passage]) -> list[Passage]:
    return sorted((p for p in passages if _match(p).sparse_rank), key=lambda p: _match(p).sparse_rank or 0)


def _rrf(k: int) -> Ranking:
    def score(passage: Passage) -> float:
        ranks = (_match(passage).dense_rank, _match(passage).sparse_rank)
        return sum(1 / (k + rank) for rank in ranks if rank)

    return lambda passages: sorted(passages, key=score, reverse=True)


def _convex(share: float) -> Ranking:
    def ranked(passages: Sequence[Passage]) -> list[Passage]:
        most = max((_match(p).sparse_score or 0.0 for p in passages), default=0.0) or 1.0
        least = min((cosine for p in passages if (cosine := _match(p).dense_score) is not None), default=0.0)

        def score(passage: Passage) -> float:
            match = _match(passage)
            meaning = least if match.dense_score is None else match.dense_score
            return share * max(meaning, 0.0) + (1 - share) * (match.sparse_score or 0.0) / most

        return sorted(passages, key=score, reverse=True)

    return ranked


def _squeezed(text: str) -> str:
    return "".join(text.split())


def _figures(found: Sequence[Found], ranking: Ranking) -> dict[str, float]:
    hit_1 = hit_5 = reciprocal = gain = 0.0
    for each in found:
        span = _squeezed(each.question.answer or "")
        right = [span in _squeezed(passage.chunk.text) for passage in ranking(each.passages)]
        place = right.index(True) + 1 if True in right else math.inf
        hit_1, hit_5, reciprocal = hit_1 + (place == 1), hit_5 + (place <= 5), reciprocal + 1 / place
        ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(sum(right), 10) + 1)) or 1.0
        gain += sum(1 / math.log2(rank + 1) for rank, one in enumerate(right[:10], 1) if one) / ideal
    names = ("hit@1", "hit@5", "mrr", "ndcg@10")
    return {
        name: round(total / len(found), 3) for name, total in zip(names, (hit_1, hit_5, reciprocal, gain), strict=True)
    }


def _parts(found: Sequence[Found]) -> dict[str, Any]:
    return {
        "questions": len(found),
        "dense": _figures(found, _dense),
        "sparse": _figures(found, _sparse),
        "fused": _figures(found, list),
    }


def _refusals(found: Sequence[Found]) -> dict[str, dict[str, float]]:
    """Return the part of unanswerable questions that find nothing, and of the others that find the answer."""
    answers = {}
    for threshold in _THRESHOLDS:
        nothing = [not each.above[threshold] for each in found if each.question.answer is None]
        right = [
            any(_squeezed(each.question.answer or "") in _squeezed(p.chunk.text) for p in each.above[threshold])
            for each in found
            if each.question.answer is not None
        ]
        answers[str(threshold)] = {
            "unanswerable_refused": round(sum(nothing) / len(nothing), 3),
            "answer_found": round(sum(right) / len(right), 3),
        }
    return answers


def _grouped(found: Sequence[Found], of: Callable[[AskedQuestion], str]) -> dict[str, Any]:
    names = sorted({of(each.question) for each in found})
    return {name: _parts([each for each in found if of(each.question) == name]) for name in names}


def _half(found: Sequence[Found]) -> dict[str, Any]:
    answerable = [each for each in found if each.question.answer is not None]
    others: dict[str, Ranking] = {f"rrf k={k}": _rrf(k) for k in _RRF_K}
    others |= {f"scores, share of meaning {share}": _convex(share) for share in _SHARES}
    return {
        "all": _parts(answerable),
        "by_language": _grouped(answerable, lambda question: question.language),
        "by_kind": _grouped(answerable, lambda question: question.kind),
        "other_fusions": {name: _figures(answerable, ranking) for name, ranking in others.items()},
        "thresholds": _refusals(found),
    }


async def measured() -> dict[str, Any]:
    """Index the documents, ask everything, and return the figures of both halves."""
    files, questions = quality_set()
    chunks, embedder = _chunks(files), MiniLmEmbedder()
    with tempfile.TemporaryDirectory() as folder:
        async with Qdrant(Path(folder), free_port()) as server:
            database = QdrantDatabase(server.url, collection="quality", dimensions=embedder.dimensions)
            store = database.for_tenant(TenantId(new_id()))
            await _filled(store, embedder, chunks)
            found = [await _searched(store, embedder, question) for question in questions]
            await database.aclose()
    return {
        "documents": len(files),
        "chunks": len(chunks),
        "chosen_on": _half([each for each in found if not each.question.held_out]),
        "held_out": _half([each for each in found if each.question.held_out]),
    }


def main() -> dict[str, Any]:
    """Return the figures."""
    return asyncio.run(measured())


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
