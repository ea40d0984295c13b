"""Fills chunks with units of text: as many as probably fit, counted exactly, and corrected."""

from bisect import bisect_right
from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

from chatconnect.domain.sentences import CountTokens, Span, Units

# How long a token is thought to be before any was counted, and at most, in characters.
_USUAL_TOKEN, _LONGEST_TOKEN = 4.0, 16.0
# The units that a chunk repeats are sought within so many times what is thought to be their length.
_MARGIN = 1.2
# A chunk's end is thought to be known up to this share of its length; farther before it no sentence ends are sought.
_UNSURE = 0.1
# What is left of a chunk is tried with units up to so many times what it probably has room for.
_HOPE = 1.3
# A unit shorter than this share of what a chunk probably has room for is not too long for one.
_LIKELY = 0.5
# So many blanks are looked at to find one between two words: it may stand beside other white space.
_TRIES = 20

_end = itemgetter(1)


class _Counted(NamedTuple):
    """The first so many units of a window, and their tokens together."""

    units: int
    tokens: int


class Filler:
    """Fills the chunks of one text, and learns from each how many characters the next probably has room for."""

    def __init__(self, text: str, count_tokens: CountTokens, size: int) -> None:
        self._text, self._count_tokens, self._size = text, count_tokens, size
        self._token = _USUAL_TOKEN

    def chunks(self, units: Units, overlap: int) -> Iterator[tuple[int, int, int]]:
        """Yield start, end and exact token count of each chunk; every unit is in at least one.

        A chunk repeats the last units of the one before that have at most `overlap` tokens together, where the next
        unit leaves room for them. Only a single character makes one of more than `size` tokens.
        """
        window = _Window(units, longest=int(_LONGEST_TOKEN * self._size))
        repeated = _Counted(0, 0)
        while window.reaches(repeated.units):
            first, chunk = 0, self._filled(window, repeated, overlap)
            while chunk.tokens > self._size and first < repeated.units:
                first += 1
                chunk = _Counted(chunk.units, self._tokens(window.span(first, chunk.units)))
            start, end = window.span(first, chunk.units)
            yield start, end, chunk.tokens
            self._token = min(_LONGEST_TOKEN, (end - start) / max(1, chunk.tokens))
            repeated = self._repeated(window, first, chunk.units, overlap)
            window.drop(chunk.units - repeated.units)

    def _filled(self, window: "_Window", repeated: "_Counted", overlap: int) -> "_Counted":
        """Return how many units fit, at least one more than are `repeated`."""
        fewest, most = repeated.units + 1, 0  # 0: no number is known that does not fit
        behind = (self._size * _UNSURE + overlap * _MARGIN) * self._token
        chunk = self._counted(window, repeated, max(fewest, window.within(self._size * self._token, behind)))
        while chunk.tokens > self._size:
            if chunk.units > fewest:
                most = chunk.units
                fewer = min(most - 1, window.within(self._room(window, chunk)))
            elif window.divides(fewest - 1, into_pieces=chunk.tokens - repeated.tokens > self._size):
                chunk, most = repeated, 0
                fewer = window.within(self._size * self._token)
            else:
                return chunk
            chunk = self._counted(window, chunk, max(fewest, fewer))
        while chunk.units + 1 != most and window.reaches(chunk.units):
            more = window.within(self._room(window, chunk, hope=_HOPE))
            if more <= chunk.units:
                if not window.divides(
                    chunk.units, into_pieces=self._is_long(window.span(chunk.units, chunk.units + 1))
                ):
                    break
                most = 0
                continue
            grown = self._counted(window, chunk, min(more, most - 1) if most else more)
            if grown.tokens <= self._size:
                chunk = grown
            else:
                most = grown.units
        return chunk

    def _is_long(self, unit: Span) -> bool:
        """Say whether a unit has more than `size` tokens."""
        return unit[1] - unit[0] > _LIKELY * self._size * self._token and self._tokens(unit) > self._size

    def _room(self, window: "_Window", chunk: "_Counted", hope: float = 1) -> float:
        """Return how many characters a chunk probably has room for, or what is left of it `hope` times as many."""
        start, end = window.span(0, chunk.units)
        return (end - start) * (1 + hope * (self._size / max(1, chunk.tokens) - 1))

    def _counted(self, window: "_Window", known: "_Counted", units: int) -> "_Counted":
        """Count the first `units`, given those of the first of them or of more."""
        wanted = window.span(0, units)
        if not known.units:
            return _Counted(units, self._tokens(wanted))
        near, far = sorted((window.span(0, known.units)[1], wanted[1]))
        cut = self._cut(wanted[0], near)
        if cut is None:
            return _Counted(units, self._tokens(wanted))
        difference = self._tokens((cut, far)) - (self._tokens((cut, near)) if cut < near else 0)
        return _Counted(units, known.tokens + difference if units > known.units else known.tokens - difference)

    def _cut(self, start: int, end: int) -> int | None:
        """Return the last place up to `end` where tokens add up, before a blank between words; None if none is near."""
        cut = end
        for _ in range(_TRIES):
            if self._text[cut] == " " and not self._text[cut - 1].isspace() and not self._text[cut + 1].isspace():
                return cut
            cut = self._text.rfind(" ", start, cut)
            if cut <= start:
                break
        return None

    def _repeated(self, window: "_Window", first: int, last: int, overlap: int) -> "_Counted":
        """Return how many units at the end of a chunk, never all of them, have at most `overlap` tokens together."""
        end = window.span(first, last)[1]
        kept = last
        while kept > first + 1 and end - window.span(kept - 1, kept)[0] <= _MARGIN * overlap * self._token:
            kept -= 1
        while kept < last:
            tokens = self._tokens(window.span(kept, last))
            if tokens <= overlap:
                return _Counted(last - kept, tokens)
            kept += 1
        return _Counted(0, 0)

    def _tokens(self, span: Span) -> int:
        return self._count_tokens(self._text[span[0] : span[1]])


class _Window:
    """The units that are looked at, read ahead as far as they are needed."""

    def __init__(self, units: Units, longest: int) -> None:
        """A unit of more than `longest` characters is divided, and the rest of a very long one read later."""
        self._source, self._longest = units, longest
        self._units: list[Span] = []
        self._rest: Span | None = None

    def reaches(self, index: int) -> bool:
        """Say whether there is a unit of that number."""
        return index < len(self._units) or self._read()

    def within(self, characters: float, behind: float | None = None) -> int:
        """Return how many units end so many characters after the first begins.

        With `behind`, what is read now and ends more than so many characters before that is read as one unit.
        """
        position = int(self._units[0][0] + characters)
        near = 0 if behind is None else int(position - behind)
        while self._units[-1][1] <= position and self._read(near):
            pass
        return bisect_right(self._units, position, key=_end)

    def divides(self, index: int, *, into_pieces: bool) -> bool:
        """Divide a unit, and say whether it could be."""
        smaller = self._source.divided(self._units[index], into_pieces)
        if smaller:
            self._units[index : index + 1] = smaller
        return bool(smaller)

    def span(self, first: int, last: int) -> Span:
        """Return where the units from `first` to `last`, exclusive, start and end."""
        return self._units[first][0], self._units[last - 1][1]

    def drop(self, number: int) -> None:
        """Forget the first units."""
        del self._units[:number]

    def _read(self, near: int = 0) -> bool:
        unit = self._rest or self._source.next(near)
        if unit is None:
            return False
        self._rest = None
        if not self._is_long(unit):
            self._units.append(unit)
            return True
        self._units += self._source.divided(unit, True) or (unit,)
        if unit != self._units[-1] and self._is_long(self._units[-1]):
            self._rest = self._units.pop()
        return True

    def _is_long(self, unit: Span) -> bool:
        return unit[1] - unit[0] > self._longest
