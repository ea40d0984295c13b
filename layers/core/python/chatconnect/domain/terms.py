"""The terms by which a text is found word for word; a question and a document are taken apart alike.

Letter case, accents and forms of one character (full width, ligatures) make no difference. Scripts without spaces give
each pair of neighbouring characters. A code ("E-4711", "v2.1") gives its parts and the whole, a number ("1,250.00",
"0800 55 41 20") also its digits without what separates them. Where words are searched, their beginnings and ends count
too: so inflected, compound and misspelt words are found in any language.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain

from chatconnect.domain.empty_words import EMPTY_WORDS, EVERYDAY_WORDS

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003134f"
)
_TERM = re.compile(
    rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+(?:(?:[-_./:]|(?<=\d)[,'’](?=\d))[^\W_{_UNSPACED}]+)*(?:\+\+|#)?"
)
_PAIRED = re.compile(f"[{_UNSPACED}]")
_SCRIPTS = tuple(map(re.compile, ("[a-z]", "[\u0400-\u052f]", "[\u0600-\u06ff]", f"[{_UNSPACED}]")))
_PART = re.compile(r"[^\W\d_]+|\d+")
_JOINERS = re.compile(r"[-_./:,'’]")
# Accents, the Arabic vowel signs and the line that makes Arabic words longer.
_ACCENTS = re.compile("[\u0300-\u036f\u0640\u064b-\u065f\u0670]")
_SPELT_OTHERWISE = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ة": "ه", "ى": "ي"})
_ARTICLE = re.compile("^(?:[وفبك]?ال|لل)(?=.{3})")
_GROUPED = re.compile(r"(?<![\w.,'’])\d{1,5}(?:[ ./()-]{1,2}\d{1,5}){1,7}(?!\w)")
_THOUSANDS = re.compile(r"\d{1,3}(?: \d{3})+")
_AMOUNT = re.compile(r"(\d{1,3}(?:[,.'’]\d{3})+|\d+)(?:[.,](\d{1,2}))?")
_DIGIT, _DIGIT_OR_SIGN = re.compile(r"\d"), re.compile(r"[\d+#]")
_UMLAUT_SPELT_OUT = re.compile("([aou])e")
_LONGEST = 64
_SHORTEST_PLURAL = 4
_SHORTEST_OF_A_LONG_NUMBER = 7
_BEGINNING, _END = 4, 5
_OF_A_PIECE = 0.5  # what a word's beginning or end weighs in a search, beside the 1 of the whole


def terms(text: str) -> list[str]:
    """Return the terms of a text, in order, each as often as it is there; separated numbers come last."""
    return list(chain.from_iterable(map(of_word, words_of(folded(text)))))


def terms_among(asked: frozenset[str], text: str) -> frozenset[str]:
    """Return those of the terms that are in the text, which takes less than all its terms do."""
    return asked.intersection(terms_of_folded(folded(text)))


@lru_cache(maxsize=1_000)  # the same passages are found again and again; a thousand take some 20 MB
def terms_of_folded(text: str) -> frozenset[str]:
    """Return the terms of a folded text."""
    return frozenset(chain.from_iterable(map(of_word, set(words_of(text)))))


def stored_terms(text: str) -> list[str]:
    """Return the terms of a text with the beginnings and ends of its words, to be searched."""
    found = terms(text)
    return found + list(chain.from_iterable(map(_pieces, found)))


def searched_terms(text: str) -> dict[str, float]:
    """Return what to search `stored_terms` for, with its weight: the terms that tell something, or else all."""
    asked = frozenset(terms(text))
    asked = telling(asked) or asked
    asked |= {spelling for term in asked if (spelling := umlauts_joined(term))}
    return {piece: _OF_A_PIECE for term in asked for piece in _pieces(term)} | dict.fromkeys(asked, 1.0)


def telling(asked: frozenset[str]) -> frozenset[str]:
    """Return those of a question's terms that say what it is about."""
    return asked - _EMPTY


def everyday(asked: frozenset[str]) -> frozenset[str]:
    """Return those of a question's terms that hardly any text in their language does without."""
    return asked & _EVERYDAY


def script_of(text: str) -> re.Pattern[str] | None:
    """Return what finds a letter of the script that most of a folded text is in; None when it is in another one."""
    counts = [(len(script.findall(text)), script) for script in _SCRIPTS]
    most, script = max(counts, key=lambda each: each[0])
    return script if most else None


def is_code(term: str) -> bool:
    """Whether the term is a number or a code, which means one thing only."""
    return len(term) > 1 and _DIGIT.search(term) is not None


def has_digit_or_sign(word: str) -> bool:
    """Whether a word may be more than letters: a code, a number, "C++" or "C#"."""
    return _DIGIT_OR_SIGN.search(word) is not None


def is_pair(term: str) -> bool:
    """Whether the term is a piece of a text without spaces."""
    return _PAIRED.match(term) is not None


def folded(text: str) -> str:
    """Return the text in lower case, one form of each character, without accents on letters."""
    if text.isascii():
        return text.lower()
    spread = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", spread)).translate(_SPELT_OTHERWISE)


def umlauts_joined(term: str) -> str | None:
    """Return a word as it is folded when it is written with umlauts ("zurueck": "zuruck"), if it could be."""
    joined = _UMLAUT_SPELT_OUT.sub(r"\1", term)
    return joined if joined != term and term.isalpha() else None


def words_of(text: str) -> list[str]:
    """Return the words of a folded text, and long numbers in which spaces or the like stand."""
    return _TERM.findall(text) + [
        digits
        for number in _GROUPED.findall(text)
        if len(digits := "".join(filter(str.isdecimal, number))) >= _SHORTEST_OF_A_LONG_NUMBER
        or _THOUSANDS.fullmatch(number)
    ]


@lru_cache(maxsize=20_000)
def _pieces(term: str) -> tuple[str, ...]:
    """Return a word's beginning and end, marked as such."""
    if len(term) <= _BEGINNING or not term.isalpha() or _PAIRED.match(term):
        return ()
    return (f"{term[:_BEGINNING]}~", f"~{term[-_END:]}") if len(term) > _END else (f"{term[:_BEGINNING]}~",)


@lru_cache(maxsize=20_000)
def of_word(word: str) -> tuple[str, ...]:
    """Return the terms of a word of a folded text; those of a code or number end with the whole."""
    if _PAIRED.match(word):
        return tuple(word[at : at + 2] for at in range(len(word) - 1)) or (word,)
    if word.isalpha():
        return (_singular(_ARTICLE.sub("", word))[:_LONGEST],)
    parts = tuple(_singular(part)[:_LONGEST] for part in _PART.findall(word))
    if _DIGIT.search(word) and len(parts) > 1:
        if _PART.search(re.sub(r"\d", "", word)):
            return (*parts, _JOINERS.sub("", word)[:_LONGEST])  # "E-4711" and "E4711" are one code
        return _of_number(word, parts)
    if word[-1] in "+#":
        return (*parts, word[-_LONGEST:])
    return parts


def _of_number(word: str, parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the terms of digits with signs between them: "1.5" is not 15, but 1,250.00 is 1250 and 6,50 is 6.5."""
    found = (*parts, word[:_LONGEST])
    if amount := _AMOUNT.fullmatch(word):
        fraction = (amount[2] or "").rstrip("0")
        found += (_JOINERS.sub("", amount[1]) + (f".{fraction}" if fraction else ""),)
    elif (digits := _JOINERS.sub("", word)) and len(digits) >= _SHORTEST_OF_A_LONG_NUMBER:
        found += (digits[:_LONGEST],)
    return tuple(dict.fromkeys(found))


def _singular(word: str) -> str:
    """Return the word without a plural's s, which English, French, Spanish and Portuguese share."""
    if len(word) >= _SHORTEST_PLURAL and word[-1] == "s" and word[-2] not in "su":
        return word[:-1]
    return word


def _terms_in(lists: Mapping[str, str]) -> frozenset[str]:
    return frozenset(_singular(folded(word)) for words in lists.values() for word in words.split())


_EMPTY, _EVERYDAY = _terms_in(EMPTY_WORDS), _terms_in(EVERYDAY_WORDS)
