"""The lines of a PDF page with their places and fonts, as PDFium tells them, in reading order."""

import ctypes
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import pi
from statistics import median
from typing import Any, NamedTuple

# PDFium ends a line with one of the first two, instead of a line end, where a word is divided by a hyphen.
_LINE = re.compile(r"[^\s\x02\ufffe][^\r\n\x02\ufffe]*[\x02\ufffe]?")
_DIVISIONS = ("\x02", "\ufffe")
_BOLD = re.compile(rb"bold|black|heavy|demi|\bbd\b", re.IGNORECASE)
_BOLD_WEIGHT = 600
_FONT_NAME_BYTES = 96
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


Span = tuple[int, int]


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


def page_lines(document: Any, number: int) -> list[Line] | None:
    """Return the lines of the page that have text, or None when the page is broken."""
    import pypdfium2.raw as raw

    page = raw.FPDF_LoadPage(document, number)
    if not page:
        return None
    try:
        text_page = raw.FPDFText_LoadPage(page)
        if not text_page:
            return None
        try:
            return _in_columns(list(_TextPage(raw, text_page).lines()))
        finally:
            raw.FPDFText_ClosePage(text_page)
    finally:
        raw.FPDF_ClosePage(page)


class _Measured(NamedTuple):
    """A line and, where there is a wide gap in it at the middle of the page, its two halves."""

    line: Line
    halves: tuple[Line, Line] | None = None


class _TextPage:
    """Asks PDFium about characters, as seldom as may be: a call costs more than all that is done with its answer."""

    def __init__(self, raw: Any, page: Any) -> None:
        self._raw, self._page = raw, page
        self._char_box, self._font_info = raw.FPDFText_GetLooseCharBox, raw.FPDFText_GetFontInfo
        count = max(0, raw.FPDFText_CountChars(page))
        buffer = (ctypes.c_ushort * (count + 1))()
        written = raw.FPDFText_GetText(page, 0, count, buffer)
        self._text = bytes(memoryview(buffer)[: max(0, written - 1)]).decode("utf-16-le", "ignore")
        self._is_aligned = count == len(self._text)
        self._turns = 0
        self._box, self._matrix = raw.FS_RECTF(), raw.FS_MATRIX()
        self._box_ref, self._matrix_ref = ctypes.byref(self._box), ctypes.byref(self._matrix)
        self._font = ctypes.create_string_buffer(_FONT_NAME_BYTES)
        self._flags_ref = ctypes.byref(ctypes.c_int())
        self._sizes: dict[tuple[bytes, float], float] = {}
        self._bold: dict[bytes, bool] = {}

    def lines(self) -> Iterator[_Measured]:
        """Yield the page's lines in the order of the file."""
        spans = [(match.start(), match.start() + len(match[0].rstrip())) for match in _LINE.finditer(self._text)]
        self._turns = self._turned(spans)
        lines = [self._line(start, end) for start, end in spans]
        if not lines:
            return
        if any(_go_on(*pair) for pair in pairwise(lines)):
            lines, spans = _whole(lines, spans)
        middle = (min(line.left for line in lines) + max(line.right for line in lines)) / 2
        across = [
            index
            for index, line in enumerate(lines)
            if line.left < middle < line.right and len(line.text) >= 2 * _MIN_HALF and any(spans[index])
        ]
        sample = across[:: 1 + len(across) // _SAMPLES]
        if not any(self._halves(*spans[index], lines[index], middle) for index in sample):
            across = []
        halves = {index: self._halves(*spans[index], lines[index], middle) for index in across}
        for index, line in enumerate(lines):
            yield _Measured(line, halves.get(index))

    def _line(self, start: int, end: int) -> Line:
        box, first, last = self._box, start, end - 1
        if not self._is_aligned:
            first, last = self._index(first), self._index(last)
        self._measure(first)
        left, bottom, right, height = box.left, box.bottom, box.right, round(box.top - box.bottom, 2)
        if first != last:  # in scripts from right to left the first character is the rightmost
            self._measure(last)
            left, right = min(left, box.left), max(right, box.right)
        font = self._font_name(first)
        bold = end - start <= _LONGEST_HEADING_LINE and self._is_bold(first, font)
        if bold and first != last:
            bold = self._is_bold(last, self._font_name(last))
        size = (self._sizes.get((font, height)) if font else 0) or self._size(first, font, height)
        text = self._text[start:end]
        if not text.isascii():
            text = _WORD_FROM_RIGHT.sub(lambda word: self._read_from_right(start + word.start(), word[0]), text)
            text = _ACCENT_BEFORE.sub(_accented, text)
        if text.endswith(_DIVISIONS):
            text = f"{text[:-1]}-"
        return Line(text, left, right, bottom, size, bold)

    def _index(self, position: int) -> int:
        """Return PDFium's number of the character at that position of the text."""
        if self._is_aligned:
            return position
        index: int = self._raw.FPDFText_GetCharIndexFromTextIndex(self._page, position)
        return max(0, index)

    def _edges(self, position: int) -> tuple[float, float]:
        """Return the left and the right edge of the space that the character at that position takes."""
        self._measure(self._index(position))
        return self._box.left, self._box.right

    def _measure(self, index: int) -> None:
        """Find the space that a character takes, the page turned so that it stands upright."""
        box = self._box
        self._char_box(self._page, index, self._box_ref)
        if not self._turns:
            return
        left, bottom, right, top = box.left, box.bottom, box.right, box.top
        if self._turns == 1:
            box.left, box.bottom, box.right, box.top = -top, left, -bottom, right
        elif self._turns == 2:
            box.left, box.bottom, box.right, box.top = -right, -top, -left, -bottom
        else:
            box.left, box.bottom, box.right, box.top = bottom, -right, top, -left

    def _turned(self, spans: Sequence[Span]) -> int:
        """Return by how many quarters most of the text is turned to the right, by a sample of it."""
        sample = spans[:: 1 + len(spans) // _SAMPLES]
        angles = [self._raw.FPDFText_GetCharAngle(self._page, self._index(start)) for start, _ in sample]
        quarters = [round(angle / (pi / 2)) % 4 for angle in angles if angle >= 0]
        return max(set(quarters), key=quarters.count, default=0)

    def _read_from_right(self, start: int, word: str) -> str:
        """Return a word of such a script in the order of reading; some writers put its last letter first."""
        letters = [place for place, letter in enumerate(word) if not _MARKS_ABOVE.match(letter)]
        if len(letters) < 2 or self._edges(start + letters[0])[0] > self._edges(start + letters[-1])[0]:
            return word
        return word[::-1]

    def _font_name(self, index: int) -> bytes:
        self._font_info(self._page, index, self._font, _FONT_NAME_BYTES, self._flags_ref)
        return self._font.value

    def _size(self, index: int, font: bytes, height: float) -> float:
        """Ask for the size, which all characters have that are of this font and take a space of this height."""
        self._raw.FPDFText_GetMatrix(self._page, index, self._matrix_ref)
        scale = (self._matrix.b**2 + self._matrix.d**2) ** 0.5
        size: float = round(2 * scale * self._raw.FPDFText_GetFontSize(self._page, index)) / 2
        self._sizes[font, height] = size
        return size

    def _is_bold(self, index: int, font: bytes) -> bool:
        bold = self._bold.get(font) if font else None
        if bold is None:
            weight = self._raw.FPDFText_GetFontWeight(self._page, index)
            bold = self._bold[font] = weight >= _BOLD_WEIGHT or bool(_BOLD.search(font))
        return bold

    def _halves(self, start: int, end: int, line: Line, middle: float) -> tuple[Line, Line] | None:
        """Return the line's parts left and right of `middle` when there is more than a blank between them."""
        low, high = start, end - 1  # the first character right of the middle is searched
        while low < high:
            probe = (low + high) // 2
            while self._text[probe].isspace() and probe > low:
                probe -= 1
            if self._edges(probe)[0] < middle:
                low = max(probe + 1, low + 1)
                while low < high and self._text[low].isspace():
                    low += 1
            else:
                high = probe
        before = low
        while before > start and self._text[before - 1].isspace():
            before -= 1
        if before == low or before <= start:
            return None
        gap = self._edges(low)[0] - self._edges(before - 1)[1]
        if gap < line.size:
            return None
        return self._line(start, before), self._line(low, end)


def _accented(match: re.Match[str]) -> str:
    """Return an accent and the letter behind it as one letter, if there is such a one."""
    letter = unicodedata.normalize("NFC", match[2].replace("ı", "i") + _ACCENTS[match[1]])
    return letter if len(letter) == 1 else match[0]


def _go_on(line: Line, following: Line) -> bool:
    """Say whether the second goes on where the first ends: PDFium takes pages with much white for such of columns."""
    gap = following.left - line.right
    near = -_SAME_WORD * line.size < gap < _SAME_ROW * line.size
    return near and abs(following.bottom - line.bottom) < _SAME_WORD * line.size


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


def _in_columns(measured: list[_Measured]) -> list[Line]:
    """Return the lines; where two columns were written row by row, the left one before the right one."""
    halves = [part.halves for part in measured if part.halves]
    if not _are_columns(halves, measured):
        return [part.line for part in measured]
    left_edge = max(left.right for left, _ in halves)
    right_edge = max(right.right for _, right in halves)
    left_column: list[Line] = []
    right_column: list[Line] = []
    ordered: list[Line] = []
    for line, pair in measured:
        if pair:
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


def _are_columns(halves: list[tuple[Line, Line]], measured: list[_Measured]) -> bool:
    if len(halves) < _MIN_SPLIT_ROWS:
        return False
    start = min(left.left for left, _ in halves)
    left_edge, right_start = max(left.right for left, _ in halves), min(right.left for _, right in halves)
    across = sum(part.line.left < left_edge and part.line.right > right_start for part in measured)
    full = sum(
        left.right - start > _MIN_FILL * (left_edge - start) and min(len(left.text), len(right.text)) >= _MIN_HALF
        for left, right in halves
    )
    return left_edge < right_start and len(halves) >= _SPLIT_SHARE * across and full >= _SPLIT_SHARE * len(halves)
