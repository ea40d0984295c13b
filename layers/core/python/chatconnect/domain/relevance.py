"""How surely a passage answers a question: from the words that they share, and from how much closer in meaning it is
than what else there is.

Both parts say the same of any embedding model: cosines count only beside each other, because what is a close match to
one model is far off to another, and a model that does not know a language finds everything in it alike.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp

from chatconnect.domain.terms import (
    everyday,
    folded,
    has_digit_or_sign,
    is_code,
    is_pair,
    of_word,
    script_of,
    telling,
    terms,
    terms_of_folded,
    umlauts_joined,
    words_of,
)

# Chosen from the tables of `python -m bench retrieval`, on the questions that are not held out: at the usual threshold,
# 0.25, hardly one is refused that has an answer.
CERTAINTY, WORDS, MEANING = -2.4, 4.1, 2.7
# A question in another language than the passages shares no words with them, so meaning alone decides: assumed, not
# fitted, for the model of the measurements knows only English.
FOREIGN_CERTAINTY, FOREIGN_MEANING = -2.6, 7.0
# A question in many words is covered when so much of it is.
_ENOUGH = 3.0
_CODE, _SHORT_CODE, _NUMBER, _SHORT_NUMBER, _PAIR, _LETTERS = 2.0, 0.6, 1.0, 0.3, 0.5, 8
_SHORTEST_CODE, _SHORTEST_NUMBER = 4, 3
# What it counts that only a word's beginning, its end, a pair's characters, or a code's number are there.
_BEGINNING, _END, _CHARACTERS, _PART_OF_CODE = 0.7, 0.6, 0.3, 0.3
_SHORTEST_PIECE, _PIECE, _LONGEST_PAIR = 4, 0.65, 2
_MANY = 8
_UNRELATED = 0.15
# In so many characters, the words that hardly any text lacks are there.
_ENOUGH_TO_TELL = 1_500
_REMEMBERED = 1_000


Held = Callable[[Sequence[str]], list[float]]
"""Says how much of a word, 0 to 1, is in each of some folded texts: hundreds of pairs in one search."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A word of a question: the terms that stand for it, any of them, how much it says, and a code's parts."""

    terms: tuple[str, ...]
    weight: float
    parts: tuple[str, ...] = ()


def wanted(question: str) -> tuple[Wanted, ...]:
    """Return the words of a question that say what it is about, each once; all of them when none does."""
    words = list(dict.fromkeys(words_of(folded(question))))
    found = {each.terms: each for word in words for each in _wanted(word) if telling(frozenset(each.terms))}
    return tuple(found.values() or (each for word in words for each in _wanted(word)))


def coverages(question: Sequence[Wanted], texts: Sequence[str]) -> list[float]:
    """Return which part, 0 to 1, of what a question asks for is in each of some folded texts."""
    whole = min(sum(each.weight for each in question), _ENOUGH)
    if not whole:
        return [0.0] * len(texts)
    covered = [0.0] * len(texts)
    for each in question:
        weight = each.weight / whole
        covered = [so_far + weight * part for so_far, part in zip(covered, _finder(each)(texts), strict=True)]
    return [min(1.0, part) for part in covered]


def background(cosines: Sequence[float]) -> float:
    """Return the cosine of what has nothing to do with the question, from those of what was found, best first.

    It is the last one's, as long as so many were found that the last is hardly an answer.
    """
    if len(cosines) >= _MANY:
        return cosines[-1]
    return min(cosines[-1], _UNRELATED) if cosines else _UNRELATED


def relevance(words: float, cosine: float, unrelated: float, *, foreign: bool = False) -> float:
    """Return how surely a passage answers, 0 to 1.

    `words` is what it covers of the question; `foreign` says that the question is in a language of its own.
    """
    lift = max(0.0, cosine - unrelated) / max(1.0 - unrelated, 0.01)
    if foreign:
        return _logistic(max(FOREIGN_CERTAINTY + FOREIGN_MEANING * lift, CERTAINTY + WORDS * words + MEANING * lift))
    return _logistic(CERTAINTY + WORDS * words + MEANING * lift)


def is_foreign(question: str, texts: Sequence[str]) -> bool:
    """Whether a question is in a language that none of the texts are in; all of them folded.

    It is when they have no letter of its script, or none of those words that hardly any text in its language lacks.
    """
    script = script_of(question)
    if script is not None and not any(map(script.search, texts)):
        return True
    usual = everyday(frozenset(terms(question)))
    if not usual or sum(map(len, texts)) < _ENOUGH_TO_TELL:
        return False
    return not any(_stands_alone(word, text) for text in texts for word in usual)


def _logistic(score: float) -> float:
    return 1 / (1 + exp(-score))


@lru_cache(maxsize=_REMEMBERED)
def _wanted(word: str) -> tuple[Wanted, ...]:
    terms = of_word(word)
    if is_pair(word):
        return tuple(Wanted((term,), _PAIR) for term in terms)
    if any(map(str.isdecimal, word)):
        *parts, whole = dict.fromkeys(terms)
        if not whole.isdecimal() and is_code(whole):
            return (Wanted((whole,), _CODE if len(whole) >= _SHORTEST_CODE else _SHORT_CODE, tuple(parts)),)
        return (Wanted(terms[-2:], _NUMBER if len(whole) >= _SHORTEST_NUMBER else _SHORT_NUMBER),)
    spelt = [(term, *([joined] if (joined := umlauts_joined(term)) else [])) for term in terms]
    return tuple(Wanted(each, min(len(each[0]), _LETTERS) / _LETTERS) for each in spelt)


def _finder(word: Wanted) -> Held:
    if not word.terms[-1].isalpha():
        return lambda texts: [_code_held(word, text) for text in texts]
    first, *others = map(_term_finder, word.terms)
    if not others:
        return first
    return lambda texts: list(map(max, *(held(texts) for held in (first, *others))))


def _code_held(word: Wanted, text: str) -> float:
    there = _codes_of(text)
    if not there.isdisjoint(word.terms):
        return 1.0
    return _PART_OF_CODE if any(is_code(part) and part in there for part in word.parts) else 0.0


def _term_finder(term: str) -> Held:
    if len(term) <= _LONGEST_PAIR and is_pair(term):
        return lambda texts: [_pair_held(term, text) for text in texts]
    if len(term) <= _SHORTEST_PIECE:
        return lambda texts: [float(_stands_alone(term, text)) for text in texts]
    length = max(_SHORTEST_PIECE, round(_PIECE * len(term)))
    beginning, end = term[:length], term[-length:]
    return lambda texts: [
        (1.0 if term in text else _BEGINNING) if beginning in text else (_END if end in text else 0.0) for text in texts
    ]


def _pair_held(pair: str, text: str) -> float:
    return 1.0 if pair in text else _CHARACTERS * all(character in text for character in pair)


def _stands_alone(term: str, text: str) -> bool:
    """Whether a term is a word of the text, or one with a plural's s."""
    at = text.find(term)
    while at >= 0:
        following = text[at + len(term) : at + len(term) + 2]
        if not text[at - 1 : at].isalnum() and not following.removeprefix("s")[:1].isalnum():
            return True
        at = text.find(term, at + 1)
    return False


@lru_cache(maxsize=_REMEMBERED)
def _codes_of(text: str) -> frozenset[str]:
    """Return the terms of a folded text that are not of letters alone; what stands between them is passed over."""
    words = (word if has_digit_or_sign(word) else "\n" for word in text.split())
    return frozenset(term for term in terms_of_folded(" ".join(words)) if not term.isalpha())
