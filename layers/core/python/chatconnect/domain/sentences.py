"""Where a text may be cut: at sentence ends first, inside a sentence at words, inside a word at characters."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

# How many tokens a text has. `count(f"{a} {b}") == count(a) + count(f" {b}")` wherever the blank stands between two
# visible characters.
CountTokens = Callable[[str], int]
# Where a stretch of a text starts and ends. Those that stay whole have no white space at their ends.
Span = tuple[int, int]

# Characters per piece when a sentence is too long to stay whole: about 20 tokens of English, so that the
# pieces are small enough to fill a chunk well and to serve as overlap.
_PIECE_CHARACTERS = 80
_DIVIDED_AT_A_TIME = 8_000

_CLOSERS = r"[\"'”’»›)\]}」』】）〉》]"
# Stops of Latin, Greek, Cyrillic, Armenian, Arabic and Urdu text stand before a blank; those of Chinese, Japanese,
# Devanagari and its neighbours, Burmese, Khmer, Tibetan and Ethiopic do not need one.
_STOPS, _FULL_STOPS = "[.!?…؟۔։]", "[。！？｡．।॥။។៕།።፧፨]"
# One class of first characters lets the search skip ahead; that a stop begins its run of stops, and the
# possessive quantifiers, keep a megabyte of dots linear.
_AFTER = (
    r"(?<=\n)(?P<line>\s*+)"
    rf"|(?<={_STOPS})(?<!{_STOPS}.)(?P<stop>{_STOPS}*+{_CLOSERS}*+\s++)"
    rf"|(?<={_FULL_STOPS})(?P<full>{_FULL_STOPS}*+{_CLOSERS}*+\s*+)"
)
_BREAK = re.compile(rf"[{_STOPS[1:-1]}{_FULL_STOPS[1:-1]}\n](?:{_AFTER})")
# Thai, Lao, Burmese and Khmer have no blanks between words: theirs stand between sentences and phrases.
_PHRASED = r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
_HAS_PHRASES = re.compile(_PHRASED)
_PHRASE_BREAK = re.compile(
    rf"[{_STOPS[1:-1]}{_FULL_STOPS[1:-1]}\n ](?:{_AFTER}|(?<={_PHRASED} )(?P<full_blank> *+)(?={_PHRASED}))"
)
_PLAIN_STOPS = frozenset({". ", "? ", "! "})
# After "J." or "3." the sentence goes on more often than not.
_SHORT_BEFORE_STOP = re.compile(r"(?<![^\W_])(?:[^\W\d_]|\d{1,2})\.$")
_ROW_BREAK = re.compile(r"\n\s*+")
# A vowel sign that is written before its consonant.
_LEADING_VOWELS = frozenset("เแโใไເແໂໃໄ")
_JOINER = "\u200d"
_VIRAMA = 9  # its combining class: the sign that ties a consonant to the next
_LONGEST_CHARACTER = 16
_WORD = re.compile(r"\S+")


def trimmed(text: str, start: int, end: int) -> Span:
    """Return the borders of `text[start:end]` without the white space at its ends."""
    part = text[start:end]
    left = start + len(part) - len(part.lstrip())
    return left, max(left, start + len(part.rstrip()))


class Units(Protocol):
    """What a stretch of text is put together from, one after the other."""

    def next(self, near: int = 0, /) -> Span | None:
        """Return the next unit, None after the last; several as one where `near` lies beyond the first."""
        ...

    def divided(self, unit: Span, into_pieces: bool, /) -> Sequence[Span]:
        """Return the smaller units that one holds, none where there are none; the last of them may be large again.

        What may as well stay whole has some only when it has to go `into_pieces`.
        """
        ...


class Wholes:
    """Units that are never divided."""

    def __init__(self, units: Iterable[Span]) -> None:
        self._units = iter(units)

    def next(self, _near: int = 0, /) -> Span | None:
        """Return the next unit."""
        return next(self._units, None)

    def divided(self, _unit: Span, _into_pieces: bool, /) -> Sequence[Span]:
        """Return nothing."""
        return ()


class Sentences:
    """The sentences of a stretch of text, or with `rows` its lines, each without the white space around it.

    Together they hold all that is not white space. One that cannot stay whole is cut into pieces of at most `piece`
    tokens.
    """

    def __init__(
        self, text: str, start: int, end: int, count_tokens: CountTokens, *, piece: int, rows: bool = False
    ) -> None:
        self._text, self._count_tokens, self._piece, self._rows = text, count_tokens, piece, rows
        self._first, self._end = trimmed(text, start, end)
        has_phrases = not text.isascii() and _HAS_PHRASES.search(text, start, end)
        self._break = (_ROW_BREAK if rows else _PHRASE_BREAK if has_phrases else _BREAK).search

    def next(self, near: int = 0, /) -> Span | None:
        """Return the next sentence, None after the last; several as one where `near` lies beyond the first."""
        text, first, end = self._text, self._first, self._end
        position = max(first, near)
        while match := self._break(text, position, end):
            stop, position = match.span()  # a break takes all the white space that follows
            self._first = position
            gap = text[stop:position]
            if gap in _PLAIN_STOPS and text[position].isupper() and text[stop - 2 : stop].isalpha():
                return first, stop + 1  # a word, a stop, a blank, a capital: nearly every sentence ends so
            if gap.endswith("\n\n") or not _goes_on(match, text, end):
                return first, first + len(text[first:position].rstrip())
        self._first = end
        return (first, end) if first < end else None

    def divided(self, unit: Span, into_pieces: bool, /) -> Sequence[Span]:
        """Return the sentences of several, or the pieces of one; of what is very long the first, and the rest."""
        start, end = unit
        cut = _cut(self._text, start, end)
        within = Sentences(self._text, start, cut, self._count_tokens, piece=self._piece, rows=self._rows)
        sentences = list(iter(within.next, None))
        if len(sentences) > 1:
            return [*sentences[:-1], (sentences[-1][0], end)]
        if not into_pieces:
            return ()
        pieces = list(_pieces(self._text, start, cut, self._count_tokens, self._piece))
        rest = trimmed(self._text, cut, end)
        pieces += [rest] if rest[0] < rest[1] else []
        return pieces if len(pieces) > 1 else ()


def _goes_on(match: re.Match[str], text: str, end: int) -> bool:
    """Say whether the sentence continues: after "e.g.", "J." or a wrapped line."""
    kind = match.lastgroup
    lines = match.group().count("\n")
    if kind not in ("line", "stop") or match.end() == end or lines > 1:
        return False
    if text[match.end()].islower():
        return True
    stop = match.start()
    if lines or (text[stop - 2 : stop - 1].isalnum() and not text[stop - 1].isdigit()):
        return False  # cheaper than to search
    return bool(_SHORT_BEFORE_STOP.search(text, max(0, stop - 3), stop + 1))


def _cut(text: str, start: int, end: int) -> int:
    """Return where the part ends that is divided at a time, at a blank if there is one."""
    if end - start <= _DIVIDED_AT_A_TIME:
        return end
    middle = _between_characters(text, start + _DIVIDED_AT_A_TIME, start)
    return max(text.rfind(" ", start, middle), middle - _PIECE_CHARACTERS)


def _pieces(text: str, start: int, end: int, count_tokens: CountTokens, limit: int) -> Iterator[Span]:
    for left, right in _word_groups(text, start, end):
        yield from _halves(text, left, right, count_tokens, limit)


def _word_groups(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield runs of words of at most `_PIECE_CHARACTERS`; a longer word is cut into such lengths."""
    left = right = start
    for word in _WORD.finditer(text, start, end):
        if word.end() - left > _PIECE_CHARACTERS:
            if left < right:
                yield left, right
            left = word.start()
            while word.end() - left > _PIECE_CHARACTERS:
                cut = _between_characters(text, left + _PIECE_CHARACTERS, left)
                yield left, cut
                left = cut
        right = word.end()
    if left < right:
        yield left, right


def _halves(text: str, start: int, end: int, count_tokens: CountTokens, limit: int) -> Iterator[Span]:
    """Halve until a part has at most `limit` tokens or is a single character."""
    if end - start < 2 or count_tokens(text[start:end]) <= limit:
        yield start, end
        return
    middle = _between_characters(text, (start + end) // 2, start)
    space = text.rfind(" ", start, middle)
    for part in ((start, space), (space, end)) if space > start else ((start, middle), (middle, end)):
        left, right = trimmed(text, *part)
        if left < right:
            yield from _halves(text, left, right, count_tokens, limit)


def _between_characters(text: str, position: int, lowest: int) -> int:
    """Return the position, or one shortly before it where no letter is torn from its signs; above `lowest`."""
    for cut in range(position, max(lowest, position - _LONGEST_CHARACTER), -1):
        before, after = text[cut - 1], text[cut]
        if before.isascii() and after.isascii():
            return cut
        is_sign = unicodedata.category(after)[0] == "M" or after == _JOINER
        if not (is_sign or before == _JOINER or before in _LEADING_VOWELS or unicodedata.combining(before) == _VIRAMA):
            return cut
    return position
