"""One ranking of what was found by meaning and what was found by words."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from chatconnect.domain.knowledge import Chunk, Match, Passage
from chatconnect.domain.terms import is_code, is_pair, telling, terms, terms_among

# Measured with `python -m bench retrieval`.
_SHARE_OF_MEANING = 0.6
# A passage that is not alike enough answers only when it has this part of what the question's words say. Of the pairs
# of characters in scripts without spaces, most are inflections or lie across two words.
_ENOUGH_WORDS, _ENOUGH_PAIRS = 0.5, 0.15
_SAME_TEXT, _SAME_LENGTH = 0.95, 0.9
_SHINGLE = 3
_PIECES, _PIECE = 8, 12


def terms_of(chunk: Chunk) -> list[str]:
    """Return the terms that a chunk is found by: those of its text, its title and the headings over it."""
    return terms(_words_of(chunk))


def matched_terms(asked: frozenset[str], chunk: Chunk) -> frozenset[str]:
    """Return those of the terms that the chunk is found by."""
    return terms_among(asked, _words_of(chunk))


def _words_of(chunk: Chunk) -> str:
    return "\n".join((chunk.title, *chunk.headings, chunk.text))


def fused(
    asked: frozenset[str],
    by_meaning: Sequence[tuple[Chunk, float]],
    by_words: Sequence[tuple[Chunk, float]],
    *,
    threshold: float,
    limit: int,
) -> list[Passage]:
    """Return what answers, best first, with why.

    `asked` are the question's terms. Both parts come best first, with cosines and with BM25 scores. A passage whose
    cosine is below `threshold` is left out, unless it has a code of the question or most of its telling words.
    """
    places: dict[tuple[object, int], tuple[Chunk, Match]] = {}
    for rank, (chunk, score) in enumerate(by_meaning, 1):
        places[chunk.version_id, chunk.position] = chunk, Match(dense_rank=rank, dense_score=score)
    for rank, (chunk, score) in enumerate(by_words, 1):
        _, match = places.get((chunk.version_id, chunk.position), (chunk, Match()))
        places[chunk.version_id, chunk.position] = chunk, replace(match, sparse_rank=rank, sparse_score=score)
    most = by_words[0][1] if by_words else 0.0
    least = by_meaning[-1][1] if by_meaning else 0.0
    scored = [(_score(match, most, least), chunk, match) for chunk, match in places.values()]
    found: list[Passage] = []
    for score, chunk, match in sorted(scored, key=lambda each: each[0], reverse=True):
        if (match.dense_score or 0.0) >= threshold or _says_it(asked, chunk):
            found.append(Passage(chunk, score, match.dense_score, match))
        if len(found) == limit:
            break
    return found


def _score(match: Match, most: float, least: float) -> float:
    """Return the cosine, at most the last one's if it was not found by meaning, with the part of the best's BM25."""
    meaning = least if match.dense_score is None else match.dense_score
    words = (match.sparse_score or 0.0) / most if most else 0.0
    return _SHARE_OF_MEANING * max(meaning, 0.0) + (1 - _SHARE_OF_MEANING) * words


def _says_it(asked: frozenset[str], chunk: Chunk) -> bool:
    wanted = telling(asked)
    has = matched_terms(wanted, chunk)
    pairs = sum(map(is_pair, wanted))
    return any(map(is_code, has)) or len(has) >= max(1, _ENOUGH_WORDS * (len(wanted) - pairs) + _ENOUGH_PAIRS * pairs)


def without_duplicates(passages: Iterable[Passage]) -> list[Passage]:
    """Return the passages, best first, without those whose text another document has too; the best of them stays.

    Texts that differ in a number are two: so do a price list's lines, and last year's terms from this year's.
    """
    kept: list[Passage] = []
    for passage in sorted(passages, key=lambda each: each.score, reverse=True):
        if not any(_same_text(passage.chunk, other.chunk) for other in kept):
            kept.append(passage)
    return kept


def _same_text(one: Chunk, other: Chunk) -> bool:
    lengths = sorted((len(one.text), len(other.text)))
    if one.version_id == other.version_id or lengths[0] < _SAME_LENGTH * lengths[1]:
        return False
    if one.text == other.text:
        return True
    if not _worth_comparing(one.text, other.text):
        return False
    words, others = terms(one.text), terms(other.text)
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
