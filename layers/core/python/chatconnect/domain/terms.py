"""The terms by which a text is found word for word; a question and a document are taken apart alike.

Letter case, accents and forms of one character (full width, ligatures) make no difference. Scripts without spaces give
each pair of neighbouring characters. A code ("E-4711", "v2.1") gives its parts and the whole.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import chain

from chatconnect.domain.empty_words import EMPTY_WORDS

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003134f"
)
_TERM = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+(?:[-_./:][^\W_{_UNSPACED}]+)*(?:\+\+|#)?")
_PAIRED = re.compile(f"[{_UNSPACED}]")
_PART = re.compile(r"[^\W\d_]+|\d+")
_JOINERS = re.compile(r"[-_./:]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_DIGIT = re.compile(r"\d")
_LONGEST = 64
_SHORTEST_PLURAL = 4


def terms(text: str) -> list[str]:
    """Return the terms of a text, in order, each as often as it is there."""
    return list(chain.from_iterable(map(_of_word, _TERM.findall(folded(text)))))


def terms_among(asked: frozenset[str], text: str) -> frozenset[str]:
    """Return those of the terms that are in the text, which takes less than all its terms do."""
    return asked & _terms_in(text)


@lru_cache(maxsize=1_000)
def _terms_in(text: str) -> frozenset[str]:
    """The same passages are found again and again; a thousand take some 20 MB."""
    return frozenset(chain.from_iterable(map(_of_word, set(_TERM.findall(folded(text))))))


def telling(asked: frozenset[str]) -> frozenset[str]:
    """Return those of a question's terms that say what it is about."""
    return asked - _EMPTY


def is_code(term: str) -> bool:
    """Whether the term is a number or a code, which means one thing only."""
    return len(term) > 1 and _DIGIT.search(term) is not None


def is_pair(term: str) -> bool:
    """Whether the term is a piece of a text without spaces."""
    return _PAIRED.match(term) is not None


def folded(text: str) -> str:
    """Return the text in lower case, one form of each character, without accents on letters."""
    if text.isascii():
        return text.lower()
    spread = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", spread))


@lru_cache(maxsize=20_000)
def _of_word(word: str) -> tuple[str, ...]:
    if _PAIRED.match(word):
        return tuple(word[at : at + 2] for at in range(len(word) - 1)) or (word,)
    if word.isalpha():
        return (_singular(word)[:_LONGEST],)
    parts = [_singular(part)[:_LONGEST] for part in _PART.findall(word)]
    if _DIGIT.search(word) and len(parts) > 1:
        # "E-4711" and "E4711" are one code, but "1.5" is not 15.
        whole = word if not _PART.search(re.sub(r"\d", "", word)) else _JOINERS.sub("", word)
        return (*parts, whole[:_LONGEST])
    if word[-1] in "+#":
        return (*parts, word[-_LONGEST:])
    return tuple(parts)


def _singular(word: str) -> str:
    """Return the word without a plural's s, which English, French, Spanish and Portuguese share."""
    if len(word) >= _SHORTEST_PLURAL and word[-1] == "s" and word[-2] not in "su":
        return word[:-1]
    return word


_EMPTY = frozenset(_singular(word) for words in EMPTY_WORDS.values() for word in words.split())
