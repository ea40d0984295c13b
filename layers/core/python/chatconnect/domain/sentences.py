"""Where a text may be cut: at sentence ends first, inside a sentence at words, inside a word at characters."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

CountTokens = Callable[[str], int]

# Characters per piece when a sentence is too long to stay whole: about 20 tokens of English, so that the
# pieces are small enough to fill a chunk well and to serve as overlap.
_PIECE_CHARACTERS = 80
# More white space than this between two units is counted too; one blank costs nothing in a BPE vocabulary.
_FREE_GAP = 2

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
# After "J." or "3." the sentence goes on more often than not.
_SHORT_BEFORE_STOP = re.compile(r"(?<![^\W_])(?:[^\W\d_]|\d{1,2})\.$")
_ROW = re.compile(r"[^\n]+")
# A vowel sign that is written before its consonant.
_LEADING_VOWELS = frozenset("เแโใไເແໂໃໄ")
_JOINER = "\u200d"
_VIRAMA = 9  # its combining class: the sign that ties a consonant to the next
_LONGEST_CHARACTER = 16
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of text that stays whole, without white space at its ends: `text[start:end]`.

    `tokens` estimates what the unit adds to a chunk, the gap before it included.
    """

    start: int
    end: int
    tokens: int


def units(
    text: str, start: int, end: int, count_tokens: CountTokens, *, size: int, piece: int, rows: bool = False
) -> Iterator[Unit]:
    """Yield the sentences of `text[start:end]` in order; together they hold all that is not white space.

    With `rows` lines stay whole. What has more than `size` tokens comes in pieces of about `piece` tokens at most.
    """
    before = start
    parts = _rows(text, start, end) if rows else _sentences(text, start, end)
    for left, right, tokens in _counted(text, parts, count_tokens, size, piece):
        gap = count_tokens(text[before:left]) if left - before > _FREE_GAP else 0
        yield Unit(left, right, max(1, tokens) + gap)
        before = right


def _counted(
    text: str, parts: Iterator[tuple[int, int]], count_tokens: CountTokens, size: int, piece: int
) -> Iterator[tuple[int, int, int]]:
    for first, last in parts:
        tokens = count_tokens(text[first:last])
        if tokens <= size:
            yield first, last, tokens
        else:
            for left, right in _pieces(text, first, last, count_tokens, piece):
                yield left, right, count_tokens(text[left:right])


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the borders of `text[start:end]` without the white space at its ends."""
    part = text[start:end]
    left = start + len(part) - len(part.lstrip())
    return left, max(left, start + len(part.rstrip()))


def _rows(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for row in _ROW.finditer(text, start, end):
        left, right = trimmed(text, *row.span())
        if left < right:
            yield left, right


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    first, last = trimmed(text, start, end)
    has_phrases = not text.isascii() and _HAS_PHRASES.search(text, start, end)
    for match in (_PHRASE_BREAK if has_phrases else _BREAK).finditer(text, first, last):
        after = match.end()
        if _goes_on(match, text, last):
            continue
        yield first, first + len(text[first:after].rstrip())
        first = after  # a break takes all the white space that follows
    if first < last:
        yield first, last


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
        return False  # cheaper than to search, and nearly always so
    return bool(_SHORT_BEFORE_STOP.search(text, max(0, stop - 3), stop + 1))


def _pieces(text: str, start: int, end: int, count_tokens: CountTokens, limit: int) -> Iterator[tuple[int, int]]:
    for left, right in _word_groups(text, start, end):
        yield from _halves(text, left, right, count_tokens, limit)


def _word_groups(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
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


def _halves(text: str, start: int, end: int, count_tokens: CountTokens, limit: int) -> Iterator[tuple[int, int]]:
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
