"""The lines of a PDF page with their places and fonts, as PDFium tells them, in reading order."""

import ctypes
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

# PDFium ends a line with one of the first two, instead of a line end, where a word is divided by a hyphen.
_LINE = re.compile(r"[^\s\x02\ufffe][^\r\n\x02\ufffe]*[\x02\ufffe]?")
_DIVISIONS = ("\x02", "\ufffe")
_BOLD = re.compile(rb"bold|black|heavy|demi|\bbd\b", re.IGNORECASE)
_BOLD_WEIGHT = 600
_FONT_NAME_BYTES = 96
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


def page_lines(document: Any, number: int) -> list[Line] | None:
    """Return the lines of the page that have text, or None when the page is broken."""
    import pypdfium2

    try:
        page = document[number]
        with closing(page), closing(page.get_textpage()) as text_page:
            return _in_columns(list(_TextPage(text_page).lines()))
    except pypdfium2.PdfiumError:
        return None


class _Measured(NamedTuple):
    """A line and, where there is a wide gap in it at the middle of the page, its two halves."""

    line: Line
    halves: tuple[Line, Line] | None = None


class _TextPage:
    """Asks PDFium about characters; the structures that it fills are made once per page."""

    def __init__(self, text_page: Any) -> None:
        import pypdfium2.raw

        self._raw: Any = pypdfium2.raw
        self._page = text_page.raw
        self._text: str = text_page.get_text_range()
        self._is_aligned = self._raw.FPDFText_CountChars(self._page) == len(self._text)
        self._box, self._matrix = self._raw.FS_RECTF(), self._raw.FS_MATRIX()
        self._box_ref, self._matrix_ref = ctypes.byref(self._box), ctypes.byref(self._matrix)
        self._font = ctypes.create_string_buffer(_FONT_NAME_BYTES)
        self._flags_ref = ctypes.byref(ctypes.c_int())

    def lines(self) -> Iterator[_Measured]:
        """Yield the page's lines in the order of the file."""
        spans = [(match.start(), match.start() + len(match[0].rstrip())) for match in _LINE.finditer(self._text)]
        lines = [self._line(start, end) for start, end in spans]
        if not lines:
            return
        middle = (min(line.left for line in lines) + max(line.right for line in lines)) / 2
        across = [
            index
            for index, line in enumerate(lines)
            if line.left < middle < line.right and len(line.text) >= 2 * _MIN_HALF
        ]
        sample = across[:: 1 + len(across) // _SAMPLES]
        if not any(self._halves(*spans[index], lines[index], middle) for index in sample):
            across = []
        halves = {index: self._halves(*spans[index], lines[index], middle) for index in across}
        for index, line in enumerate(lines):
            yield _Measured(line, halves.get(index))

    def _line(self, start: int, end: int) -> Line:
        first, last = self._index(start), self._index(end - 1)
        left, bottom, right = self._edges(first)
        if first != last:  # in scripts from right to left the first character is the rightmost
            other_left, _, other_right = self._edges(last)
            left, right = min(left, other_left), max(right, other_right)
        self._raw.FPDFText_GetMatrix(self._page, first, self._matrix_ref)
        scale = (self._matrix.b**2 + self._matrix.d**2) ** 0.5
        size = self._raw.FPDFText_GetFontSize(self._page, first) * scale
        bold = end - start <= _LONGEST_HEADING_LINE and self._is_bold(first) and self._is_bold(last)
        text = self._text[start:end]
        if text.endswith(_DIVISIONS):
            text = f"{text[:-1]}-"
        return Line(text, left, right, bottom, round(size * 2) / 2, bold)

    def _index(self, position: int) -> int:
        """Return PDFium's number of the character at that position of the text."""
        if self._is_aligned:
            return position
        index: int = self._raw.FPDFText_GetCharIndexFromTextIndex(self._page, position)
        return max(0, index)

    def _edges(self, index: int) -> tuple[float, float, float]:
        self._raw.FPDFText_GetLooseCharBox(self._page, index, self._box_ref)
        return self._box.left, self._box.bottom, self._box.right

    def _is_bold(self, index: int) -> bool:
        self._raw.FPDFText_GetFontInfo(self._page, index, self._font, _FONT_NAME_BYTES, self._flags_ref)
        return bool(_BOLD.search(self._font.value)) or (
            self._raw.FPDFText_GetFontWeight(self._page, index) >= _BOLD_WEIGHT
        )

    def _halves(self, start: int, end: int, line: Line, middle: float) -> tuple[Line, Line] | None:
        """Return the line's parts left and right of `middle` when there is more than a blank between them."""
        low, high = start, end - 1  # the first character right of the middle is searched
        while low < high:
            probe = (low + high) // 2
            while self._text[probe].isspace() and probe > low:
                probe -= 1
            if self._edges(self._index(probe))[0] < middle:
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
        gap = self._edges(self._index(low))[0] - self._edges(self._index(before - 1))[2]
        if gap < line.size:
            return None
        return self._line(start, before), self._line(low, end)


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
