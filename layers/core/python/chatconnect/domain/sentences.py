"""Where a text may be cut: at sentence ends first, inside a sentence at words, inside a word at characters."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

CountTokens = Callable[[str], int]

# Characters per piece when a sentence is too long to stay whole: about 20 tokens of English, so that the
# pieces are small enough to fill a chunk well and to serve as overlap.
_PIECE_CHARACTERS = 80
# More white space than this between two units is counted too; one blank costs nothing in a BPE vocabulary.
_FREE_GAP = 2

_CLOSERS = r"[\"'”’»›)\]}」』】）〉》]"
# One class of first characters lets the search skip ahead; that a stop begins its run of stops, and the
# possessive quantifiers, keep a megabyte of dots linear.
_BREAK = re.compile(
    r"[.!?…。！？｡．\n](?:"
    r"(?<=\n)(?P<line>\s*+)"
    rf"|(?<=[.!?…])(?<![.!?…].)(?P<stop>[.!?…]*+{_CLOSERS}*+\s++)"
    rf"|(?<=[。！？｡．])(?P<full>[。！？｡．]*+{_CLOSERS}*+\s*+))"
)
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of text that stays whole, without white space at its ends: `text[start:end]`.

    `tokens` estimates what the unit adds to a chunk, the gap before it included.
    """

    start: int
    end: int
    tokens: int


def units(text: str, start: int, end: int, count_tokens: CountTokens, *, size: int, piece: int) -> Iterator[Unit]:
    """Yield the sentences of `text[start:end]` in order; together they hold all that is not white space.

    A sentence of more than `size` tokens comes in pieces of about `piece` tokens at most.
    """
    before = start
    for left, right, tokens in _counted(text, start, end, count_tokens, size, piece):
        gap = count_tokens(text[before:left]) if left - before > _FREE_GAP else 0
        yield Unit(left, right, max(1, tokens) + gap)
        before = right


def _counted(
    text: str, start: int, end: int, count_tokens: CountTokens, size: int, piece: int
) -> Iterator[tuple[int, int, int]]:
    for first, last in _sentences(text, start, end):
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


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    first = start
    for match in _BREAK.finditer(text, start, end):
        if _goes_on(match, text, end):
            continue
        left, right = trimmed(text, first, match.end())
        if left < right:
            yield left, right
        first = match.end()
    left, right = trimmed(text, first, end)
    if left < right:
        yield left, right


def _goes_on(match: re.Match[str], text: str, end: int) -> bool:
    """Say whether the sentence continues: after "e.g." or a wrapped line a small letter follows."""
    if match.lastgroup == "full" or match.end() == end or match.group().count("\n") > 1:
        return False
    return text[match.end()].islower()


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
                yield left, left + _PIECE_CHARACTERS
                left += _PIECE_CHARACTERS
        right = word.end()
    if left < right:
        yield left, right


def _halves(text: str, start: int, end: int, count_tokens: CountTokens, limit: int) -> Iterator[tuple[int, int]]:
    """Halve until a part has at most `limit` tokens or is a single character."""
    if end - start < 2 or count_tokens(text[start:end]) <= limit:
        yield start, end
        return
    middle = (start + end) // 2
    space = text.rfind(" ", start, middle)
    for part in ((start, space), (space, end)) if space > start else ((start, middle), (middle, end)):
        left, right = trimmed(text, *part)
        if left < right:
            yield from _halves(text, left, right, count_tokens, limit)
