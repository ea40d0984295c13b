"""The lines of a PDF page with their places and fonts, as PDFium tells them, in reading order."""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from operator import attrgetter, sub
from statistics import median
from typing import NamedTuple

from chatconnect.adapters.parsers.pdf_characters import PageCharacters

# PDFium ends a line with one of the first two, instead of a line end, where a word is divided by a hyphen.
_LINE = re.compile(r"[^\s\x02\ufffe][^\r\n\x02\ufffe]*[\x02\ufffe]?")
_DIVISIONS = ("\x02", "\ufffe")
_BOLD = re.compile(rb"bold|black|heavy|demi|\bbd\b", re.IGNORECASE)
_BOLD_WEIGHT = 600
# Hebrew, Arabic and their like are written from right to left.
_FROM_RIGHT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_WORD_FROM_RIGHT = re.compile(f"[{_FROM_RIGHT}]+")
_MARKS_ABOVE = re.compile(r"[\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]")
# Some writers, such as TeX in its old fonts, show an accented letter by an accent and a letter.
_ACCENTS = dict(zip("¨´ˆ˜˚ˇ˘˙˝¸", "\u0308\u0301\u0302\u0303\u030a\u030c\u0306\u0307\u030b\u0327", strict=True))
_ACCENT_BEFORE = re.compile(f"([{''.join(_ACCENTS)}])([A-Za-zı])")
# Two parts of one row, of so many times the font's size apart: less is one word, more two columns or cells.
_SAME_WORD, _SAME_ROW = 0.12, 0.7
# A longer line is no heading, so its font's name is of no interest.
_LONGEST_HEADING_LINE = 150

# Two columns whose rows were written across: at least so many rows with a gap in the middle of the page, most of the
# rows that reach across, their halves of so many characters and nearly as wide as a column (the cells of tables are
# shorter).
_MIN_SPLIT_ROWS = 6
_SPLIT_SHARE = 0.7
_MIN_HALF = 18
_MIN_FILL = 0.7
# When none of so many rows, spread over the page, has a gap, the others are not asked.
_SAMPLES = 4


class Line(NamedTuple):
    """A line of text. Places in points from the page's lower left corner, `size` the font's height to half a point.

    `column` is the right edge of the column that the line stands in, where the page has two; 0 otherwise.
    """

    text: str
    left: float
    right: float
    bottom: float
    size: float
    bold: bool
    column: float = 0.0


# Where a line begins and ends in the page's text.
Span = tuple[int, int]
# By the places of lines among others, their parts left and right of the middle.
Halves = Mapping[int, tuple[Line, Line]]
_left, _right = attrgetter("left"), attrgetter("right")


def page_lines(page: PageCharacters) -> list[Line]:
    """Return the lines of the page that have text."""
    return _Lines(page).in_order()


class _Lines:
    """Asks about characters, as seldom as may be: that takes longer than all that is done with the answers."""

    def __init__(self, page: PageCharacters) -> None:
        self._page, self._text = page, page.text
        self._sizes: dict[tuple[bytes, float], float] = {}
        self._bold: dict[bytes, bool] = {}

    def in_order(self) -> list[Line]:
        spans = [(match.start(), match.start() + len(match[0].rstrip())) for match in _LINE.finditer(self._text)]
        if not spans:
            return []
        sample = spans[:: 1 + len(spans) // _SAMPLES]
        self._page.stand_upright(self._page.numbers([start for start, _ in sample]))
        lines = self._measured(spans)
        if any(_go_on(*pair) for pair in pairwise(lines)):
            lines, spans = _whole(lines, spans)
        return _in_columns(lines, self._halves(spans, lines))

    def _measured(self, spans: Sequence[Span]) -> list[Line]:
        """Return the lines at these places of the text."""
        firsts = self._page.numbers([start for start, _ in spans])
        lasts = self._page.numbers([end - 1 for _, end in spans])
        of_first, of_last = self._page.boxes(firsts), self._page.boxes(lasts)
        fonts = self._page.fonts(firsts)
        looks = zip(fonts, map(sub, of_first.tops, of_first.bottoms), strict=True)
        known = self._sizes.get
        fields = (
            [self._shown(start, end) for start, end in spans],
            map(min, of_first.lefts, of_last.lefts),  # from right to left the first character is the rightmost
            map(max, of_first.rights, of_last.rights),
            of_first.bottoms,
            [known(look) or self._size(number, *look) for number, look in zip(firsts, looks, strict=True)],
            map(self._is_heading_bold, spans, firsts, lasts, fonts),
        )
        return list(map(Line, *fields))

    def _shown(self, start: int, end: int) -> str:
        """Return a line as it is read."""
        text = self._text[start:end]
        if not text.isascii():
            text = _WORD_FROM_RIGHT.sub(lambda word: self._read_from_right(start + word.start(), word[0]), text)
            text = _ACCENT_BEFORE.sub(_accented, text)
        return f"{text[:-1]}-" if text.endswith(_DIVISIONS) else text

    def _read_from_right(self, start: int, word: str) -> str:
        """Return a word of such a script in the order of reading; some writers put its last letter first."""
        edges = self._page.edges
        letters = [place for place, letter in enumerate(word) if not _MARKS_ABOVE.match(letter)]
        if len(letters) < 2 or edges(start + letters[0])[0] > edges(start + letters[-1])[0]:
            return word
        return word[::-1]

    def _size(self, number: int, font: bytes, height: float) -> float:
        """Ask for the size, which all characters have that are of this font and take a space of this height."""
        rounded = round(height, 2)
        size = self._sizes.get((font, rounded)) or self._page.size(number)
        if font:
            self._sizes[font, height] = self._sizes[font, rounded] = size
        return size

    def _is_heading_bold(self, span: Span, first: int, last: int, font: bytes) -> bool:
        """Say whether a line that can be a heading begins and ends with bold letters."""
        if span[1] - span[0] > _LONGEST_HEADING_LINE or not self._is_bold(first, font):
            return False
        return first == last or self._is_bold(last, self._page.fonts((last,))[0])

    def _is_bold(self, number: int, font: bytes) -> bool:
        bold = self._bold.get(font) if font else None
        if bold is None:
            bold = self._bold[font] = self._page.weight(number) >= _BOLD_WEIGHT or bool(_BOLD.search(font))
        return bold

    def _halves(self, spans: Sequence[Span], lines: Sequence[Line]) -> Halves:
        """Return, by line, the parts of those lines that have a wide gap at the middle of the page."""
        middle = (min(map(_left, lines)) + max(map(_right, lines))) / 2
        across = [
            (index, span)
            for index, (span, line) in enumerate(zip(spans, lines, strict=True))
            if line.left < middle < line.right and len(line.text) >= 2 * _MIN_HALF and any(span)
        ]
        sample = across[:: 1 + len(across) // _SAMPLES]
        if not any(self._parts(*span, lines[index].size, middle) for index, span in sample):
            return {}
        found = [(index, self._parts(*span, lines[index].size, middle)) for index, span in across]
        parts = {index: pair for index, pair in found if pair}
        measured = iter(self._measured([part for pair in parts.values() for part in pair]))
        return dict(zip(parts, zip(measured, measured, strict=True), strict=True))

    def _parts(self, start: int, end: int, size: float, middle: float) -> tuple[Span, Span] | None:
        """Return the line's parts left and right of `middle` when there is more than a blank between them."""
        text, edges = self._text, self._page.edges
        low, high = start, end - 1  # the first character right of the middle is searched
        while low < high:
            probe = (low + high) // 2
            while text[probe].isspace() and probe > low:
                probe -= 1
            if edges(probe)[0] < middle:
                low = max(probe + 1, low + 1)
                while low < high and text[low].isspace():
                    low += 1
            else:
                high = probe
        before = low
        while before > start and text[before - 1].isspace():
            before -= 1
        if before == low or before <= start:
            return None
        gap = edges(low)[0] - edges(before - 1)[1]
        return None if gap < size else ((start, before), (low, end))


def _accented(match: re.Match[str]) -> str:
    """Return an accent and the letter behind it as one letter, if there is such a one."""
    letter = unicodedata.normalize("NFC", match[2].replace("ı", "i") + _ACCENTS[match[1]])
    return letter if len(letter) == 1 else match[0]


def _go_on(line: Line, following: Line) -> bool:
    """Say whether the second goes on where the first ends: PDFium takes pages with much white for such of columns."""
    if not abs(following.bottom - line.bottom) < _SAME_WORD * line.size:
        return False
    return -_SAME_WORD * line.size < following.left - line.right < _SAME_ROW * line.size


def _whole(lines: Sequence[Line], spans: Sequence[Span]) -> tuple[list[Line], list[Span]]:
    """Return the lines, those as one that go on with each other, with their spans; what was put together has none."""
    found, places = [lines[0]], [spans[0]]
    for line, span in zip(lines[1:], spans[1:], strict=True):
        whole = found[-1]
        if _go_on(whole, line):
            blank = " " if line.left - whole.right > _SAME_WORD * whole.size else ""
            found[-1] = whole._replace(
                text=f"{whole.text}{blank}{line.text}", right=line.right, bold=whole.bold and line.bold
            )
            places[-1] = (0, 0)
        else:
            found.append(line)
            places.append(span)
    return found, places


def line_distance(lines: Sequence[Line]) -> float:
    """Return the usual distance between neighbouring lines, in points; that of the font where there are too few."""
    distances = [gap for one, other in pairwise(lines) if (gap := abs(one.bottom - other.bottom)) > 0.5 * one.size]
    if len(distances) > 3:
        return median(distances)
    return 1.3 * max((line.size for line in lines), default=0)


def _in_columns(lines: list[Line], halves: Halves) -> list[Line]:
    """Return the lines; where two columns were written row by row, the left one before the right one."""
    if not _are_columns(lines, halves.values()):
        return lines
    left_edge = max(left.right for left, _ in halves.values())
    right_edge = max(right.right for _, right in halves.values())
    left_column: list[Line] = []
    right_column: list[Line] = []
    ordered: list[Line] = []
    for index, line in enumerate(lines):
        if pair := halves.get(index):
            left_column.append(pair[0]._replace(column=left_edge))
            right_column.append(pair[1]._replace(column=right_edge))
        elif line.right <= left_edge + line.size:
            left_column.append(line._replace(column=left_edge))
        elif line.left >= left_edge:
            right_column.append(line._replace(column=right_edge))
        else:  # a title across both
            ordered += [*left_column, *right_column, line]
            left_column, right_column = [], []
    return [*ordered, *left_column, *right_column]


def _are_columns(lines: Sequence[Line], halves: Collection[tuple[Line, Line]]) -> bool:
    if len(halves) < _MIN_SPLIT_ROWS:
        return False
    start = min(left.left for left, _ in halves)
    left_edge, right_start = max(left.right for left, _ in halves), min(right.left for _, right in halves)
    across = sum(line.left < left_edge and line.right > right_start for line in lines)
    full = sum(
        left.right - start > _MIN_FILL * (left_edge - start) and min(len(left.text), len(right.text)) >= _MIN_HALF
        for left, right in halves
    )
    return left_edge < right_start and len(halves) >= _SPLIT_SHARE * across and full >= _SPLIT_SHARE * len(halves)
