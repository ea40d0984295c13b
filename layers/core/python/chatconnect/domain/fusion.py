"""One ranking of what was found by meaning and what was found by words."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain

from chatconnect.domain.knowledge import Chunk, Match, Passage
from chatconnect.domain.relevance import background, coverages, is_foreign, relevance, wanted
from chatconnect.domain.terms import folded, stored_terms, terms, terms_among

_REMEMBERED = 1_000
_SAME_TEXT, _SAME_LENGTH = 0.95, 0.9
_SHINGLE = 3
_PIECES, _PIECE = 8, 12
_NO_MATCH = Match()


def terms_of(chunk: Chunk) -> list[str]:
    """Return what a chunk is found by: the terms of its text, its title and the headings over it."""
    return stored_terms(_words_of(chunk))


def matched_terms(asked: frozenset[str], chunk: Chunk) -> frozenset[str]:
    """Return those of the terms that the chunk is found by."""
    return terms_among(asked, _words_of(chunk))


def _words_of(chunk: Chunk) -> str:
    return "\n".join((chunk.title, *chunk.headings, chunk.text))


def fused(
    question: str,
    by_meaning: Sequence[tuple[Chunk, float]],
    by_words: Sequence[tuple[Chunk, float]],
    *,
    threshold: float,
    limit: int,
) -> list[Passage]:
    """Return what answers a question, most relevant first, with why; nothing less relevant than `threshold`, 0 to 1.

    Both parts come best first, with cosines and with BM25 scores.
    """
    matches = {_place(chunk): (chunk, Match(rank, cosine)) for rank, (chunk, cosine) in enumerate(by_meaning, 1)}
    for rank, (chunk, score) in enumerate(by_words, 1):
        _, dense = matches.get(place := _place(chunk), (chunk, _NO_MATCH))
        matches[place] = chunk, Match(dense.dense_rank, dense.dense_score, rank, score)
    found = list(matches.values())
    scores = _relevances(question, found, [cosine for _, cosine in by_meaning])
    passages = [
        Passage(chunk, score, match.dense_score, match)
        for (chunk, match), score in zip(found, scores, strict=True)
        if score >= threshold
    ]
    return sorted(passages, key=lambda passage: passage.score, reverse=True)[:limit]


def _place(chunk: Chunk) -> tuple[int, int]:
    """Return what says which chunk it is; the hash of a UUID itself takes ten times that of its number."""
    return chunk.version_id.int, chunk.position


def _relevances(question: str, found: Sequence[tuple[Chunk, Match]], cosines: Sequence[float]) -> list[float]:
    """Return how surely each of what was found answers.

    Its part of the question's words is what it covers of them, and beside that what it has of the best's BM25, which
    knows what is rare. What was not found by meaning counts as the last that was.
    """
    asked, texts = wanted(question), [_folded(_words_of(chunk)) for chunk, _ in found]
    covered = coverages(asked, texts)
    foreign = is_foreign(folded(question), texts)
    unrelated, last = background(cosines), cosines[-1] if cosines else 0.0
    most = max((match.sparse_score or 0.0 for _, match in found), default=0.0)
    best = max(covered, default=0.0) / most if most else 0.0
    return [
        relevance(
            (part + best * (match.sparse_score or 0.0)) / 2,
            last if match.dense_score is None else match.dense_score,
            unrelated,
            foreign=foreign,
        )
        for part, (_, match) in zip(covered, found, strict=True)
    ]


@lru_cache(maxsize=_REMEMBERED)
def _folded(text: str) -> str:
    """Passages that answer once answer again, and folding what is not plain ASCII takes most of the time."""
    return folded(text)


def without_duplicates(passages: Iterable[Passage]) -> list[Passage]:
    """Return the passages, best first, without those whose text another document has too; the best of them stays.

    Texts that differ in a number are two: so do a price list's lines, and last year's terms from this year's.
    """
    kept: list[Passage] = []
    texts_of: defaultdict[int, list[str]] = defaultdict(list)
    for passage in sorted(passages, key=lambda each: each.score, reverse=True):
        own, text = passage.chunk.version_id.int, passage.chunk.text
        elsewhere = chain.from_iterable(texts for version, texts in texts_of.items() if version != own)
        if not any(_same_text(text, other) for other in elsewhere):
            kept.append(passage)
            texts_of[own].append(text)
    return kept


def _same_text(one: str, other: str) -> bool:
    shorter, longer = sorted((len(one), len(other)))
    if shorter < _SAME_LENGTH * longer:
        return False
    if one == other:
        return True
    if not _worth_comparing(one, other):
        return False
    words, others = terms(one), terms(other)
    return _figures(words) == _figures(others) and _likeness(_shingles(words), _shingles(others)) >= _SAME_TEXT


def _worth_comparing(one: str, other: str) -> bool:
    """Whether pieces taken all along one text are mostly in the other, which takes microseconds to see."""
    step = max(1, len(one) // _PIECES)
    pieces = [one[at : at + _PIECE] for at in range(0, len(one), step)]
    return 2 * sum(piece in other for piece in pieces) > len(pieces)


def _figures(words: Sequence[str]) -> list[str]:
    return [word for word in words if any(character.isdigit() for character in word)]


def _shingles(words: Sequence[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(zip(*(words[at:] for at in range(_SHINGLE)), strict=False)) or frozenset([tuple(words)])


def _likeness(one: frozenset[object], other: frozenset[object]) -> float:
    return len(one & other) / len(one | other)
